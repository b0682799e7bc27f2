"""Reads the token of a request, from `Authorization: Bearer` or from the header `token`."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from releve.control.accounts import sign_in
from releve.control.accounts.keys import keyring
from releve.control.accounts.models import Account, SignIn
from releve.control.fleet.models import Device
from releve.protocol import token
from releve.protocol.token import TokenExpired, TokenInvalid, TokenType, WrongTokenType

CHALLENGE = 'Bearer realm="api"'
NOT_PROVIDED = "Authentication credentials were not provided."
MESSAGES = {
    TokenExpired: "Token is expired",
    WrongTokenType: "Token has wrong type",
    TokenInvalid: "Token is invalid",
}


@dataclass(frozen=True)
class SignedInDevice:
    """A device where Django expects a user."""

    device: Device
    is_authenticated: bool = True
    is_active: bool = True
    is_staff: bool = False


class BadToken(AuthenticationFailed):
    """The token is not valid; the answer is the one that contract C's clients know."""

    def __init__(self, reason: TokenInvalid) -> None:
        self.reason = reason
        message = {"token_class": "AccessToken", "token_type": "access", "message": MESSAGES[type(reason)]}
        super().__init__(
            {
                "detail": "Given token not valid for any token type",
                "code": "token_not_valid",
                "messages": [message],
            }
        )


class TokenAuthentication(BaseAuthentication):
    """A person's or a device's access token, whose sign-in must still stand."""

    def authenticate(self, request: Request) -> tuple[Account | SignedInDevice, SignIn] | None:
        """Say who asks, or None where no token was sent.

        Raises:
            BadToken: One was sent that is not valid.
        """
        text = credential(request)
        if text is None:
            return None
        try:
            row = standing(text)
        except TokenInvalid as error:
            raise BadToken(error) from error
        return user_of(row), row

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        """What a 401 asks for."""
        return CHALLENGE


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # it registers itself untyped
    """How the API document describes the two ways to send a token."""

    target_class = TokenAuthentication
    name = ["bearer", "token"]  # noqa: RUF012 - drf-spectacular's way of declaring

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:  # noqa: ARG002 - the framework's signature
        """Either of them is enough."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:  # noqa: ARG002 - the framework's signature
        """The security schemes, word for word as the data plane declares them."""
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            {"type": "apiKey", "in": "header", "name": "token"},
        ]


def credential(request: Request) -> str | None:
    """The token as sent; another scheme of `Authorization` is no credential."""
    scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer" and text.strip():
        return str(text.strip())
    return request.META.get("HTTP_TOKEN", "").strip() or None


def standing(text: str) -> SignIn:
    """The sign-in of an access token.

    Raises:
        TokenInvalid: The token is not valid, or its sign-in was revoked.
    """
    now = timezone.now()
    return sign_in.standing(token.read(text, TokenType.ACCESS, now, keyring()), now)


def user_of(row: SignIn) -> Account | SignedInDevice:
    """Whom Django shall take for the user."""
    if row.device is not None:
        return SignedInDevice(row.device)
    if row.account is None:
        raise TokenInvalid
    return row.account
