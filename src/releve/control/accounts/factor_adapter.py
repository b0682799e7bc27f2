"""What allauth must know about second factors: that a database alone does not hold them."""

from allauth.mfa.adapter import DefaultMFAAdapter

from releve.control.accounts import cipher


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth has no types
    """Keeps the secrets of authenticator apps and recovery codes encrypted."""

    def encrypt(self, text: str) -> str:
        """What is stored of a secret."""
        return cipher.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """The secret."""
        return cipher.decrypt(encrypted_text)
