"""What allauth must know about us: accounts are made by an administrator, never by whoever comes by."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth has no types
    """An installation is not open to sign-up; `releve account add` and the admin site make accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """Nobody signs up alone."""
        return False
