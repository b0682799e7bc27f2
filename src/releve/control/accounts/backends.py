"""How the pages check an e-mail and a password."""

from allauth.account.auth_backends import AuthenticationBackend


class AccountBackend(AuthenticationBackend):  # type: ignore[misc] # allauth has no types
    """allauth's check by e-mail."""
