"""What allauth must know about us: who may have an account, and that a guess on a page counts as one."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.http import HttpRequest
from django.utils import timezone

from releve.control.accounts import limiter
from releve.control.accounts.credentials import Busy, argon2_turn, principal_named
from releve.control.accounts.limiter import TooManyAttempts
from releve.control.accounts.models import Account
from releve.control.accounts.origin import Origin
from releve.control.accounts.sign_in import note_failure


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth has no types
    """An installation is not open to sign-up; `releve account add` and the admin site make accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """Nobody signs up alone."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Let nobody try who has failed too often, here or at the API."""
        super().pre_authenticate(request, **credentials)
        try:
            limiter.refuse_if_blocked(_name(credentials), Origin.of(request), timezone.now())
        except TooManyAttempts as error:
            raise self.validation_error("too_many_login_attempts") from error

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Check an e-mail and a password, when it is this one's turn; a success clears the failures before."""
        try:
            with argon2_turn():
                account = super().authenticate(request, **credentials)
        except Busy as error:
            raise self.validation_error("too_many_login_attempts") from error
        if account is not None:
            limiter.succeeded(_name(credentials), Origin.of(request))
        return account

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the failure and keep it, as the API does."""
        name = _name(credentials)
        try:
            note_failure(name, principal_named(name), Origin.of(request), timezone.now())
        except TooManyAttempts as error:
            raise self.validation_error("too_many_login_attempts") from error

    def reauthenticate(self, user: Account, password: str) -> bool:
        """Check the password again before something that matters; our accounts keep their e-mail themselves."""
        account = self.authenticate(context.request, email=user.email, password=password)
        return account is not None and account.pk == user.pk


def _name(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email") or credentials.get("username") or "")
