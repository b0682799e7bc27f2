"""The signed tokens that devices and people carry: JWT, HS256, few claims (RFC 7519).

    TokenInvalid                 not ours, changed, or malformed
    ├── TokenExpired
    └── WrongTokenType           a refresh token where an access token is wanted, and the like

Nothing is stored of a token: a refresh token is recomputed from its sign-in's row, byte for byte.
"""

import base64
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

import jwt
import msgspec

ALGORITHM = "HS256"
_encode = msgspec.json.Encoder().encode
TOKEN_LIMIT = 2048


class TokenInvalid(Exception):
    """Token is invalid."""


class TokenExpired(TokenInvalid):
    """Token is expired."""


class WrongTokenType(TokenInvalid):
    """Token has wrong type."""


class TokenType(StrEnum):
    """What a token is for; no type is ever taken for another."""

    ACCESS = "access"
    REFRESH = "refresh"
    LIVE = "live"
    MQTT = "mqtt"


@dataclass(frozen=True)
class Principal:
    """Who signed in: a device (`d:7`) or a person (`p:7`)."""

    kind: str
    id: int

    @classmethod
    def device(cls, device_id: int) -> Self:
        """The device of that id."""
        return cls("d", device_id)

    @classmethod
    def person(cls, account_id: int) -> Self:
        """The account of that id."""
        return cls("p", account_id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a `sub` claim.

        Raises:
            TokenInvalid: It names neither a device nor a person.
        """
        kind, _, number = text.partition(":")
        if kind not in {"d", "p"} or not number.isascii() or not number.isdigit():
            raise TokenInvalid
        return cls(kind, int(number))

    @property
    def is_device(self) -> bool:
        """A device, not a person."""
        return self.kind == "d"

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a token that was read says; the times are whole seconds."""

    typ: TokenType
    principal: Principal
    sign_in: uuid.UUID
    issued_at: datetime
    expires_at: datetime
    generation: int | None = None


@dataclass(frozen=True)
class Keyring:
    """Signing keys as (kid, secret): the first signs, all verify."""

    keys: tuple[tuple[str, bytes], ...] = field(repr=False)

    @cached_property
    def by_kid(self) -> Mapping[str, bytes]:
        """The secret of each kid."""
        return dict(self.keys)

    @property
    def signing(self) -> tuple[str, bytes]:
        """The pair that signs."""
        return self.keys[0]


def issue_access(
    principal: Principal, sign_in: uuid.UUID, *, issued_at: datetime, expires_at: datetime, keyring: Keyring
) -> str:
    """Sign an access token, which opens the API until it ends or its sign-in is revoked."""
    return _sign(_claims(TokenType.ACCESS, principal, sign_in, issued_at, expires_at), keyring)


def issue_live(
    principal: Principal, sign_in: uuid.UUID, *, issued_at: datetime, expires_at: datetime, keyring: Keyring
) -> str:
    """Sign a token that may stand in the address of a live stream, and opens nothing else."""
    return _sign(_claims(TokenType.LIVE, principal, sign_in, issued_at, expires_at), keyring)


def issue_mqtt(
    principal: Principal, sign_in: uuid.UUID, *, issued_at: datetime, expires_at: datetime, keyring: Keyring
) -> str:
    """Sign a token that is a password over MQTT, and opens nothing else."""
    return _sign(_claims(TokenType.MQTT, principal, sign_in, issued_at, expires_at), keyring)


def issue_refresh(
    principal: Principal,
    sign_in: uuid.UUID,
    *,
    generation: int,
    rotated_at: datetime,
    expires_at: datetime,
    keyring: Keyring,
) -> str:
    """Sign the refresh token of a generation: the same row and key give the same byte string."""
    claims = _claims(TokenType.REFRESH, principal, sign_in, rotated_at, expires_at)
    return _sign(claims | {"gen": generation}, keyring)


def read(token: str, typ: TokenType, now: datetime, keyring: Keyring) -> Claims:
    """Verify a token and read its claims; whether its sign-in still stands is for the caller to ask.

    Raises:
        TokenExpired: It was valid once.
        WrongTokenType: It is valid, for something else.
        TokenInvalid: It is not a token of ours.
    """
    payload = _verified(token, keyring)
    if payload.get("typ") != typ:
        raise WrongTokenType
    claims = _read_claims(payload, typ)
    if claims.expires_at <= now:
        raise TokenExpired
    return claims


def looks_like_token(text: str) -> bool:
    """Whether it looks like a JWT, which no secret that we draw does."""
    return text.startswith("eyJ") and text.count(".") == 2  # noqa: PLR2004 - RFC 7519: three parts


def _claims(
    typ: TokenType, principal: Principal, sign_in: uuid.UUID, issued_at: datetime, expires_at: datetime
) -> dict[str, Any]:
    return {
        "typ": typ.value,
        "sub": str(principal),
        "sid": sign_in.hex,
        "iat": int(issued_at.timestamp()),
        "exp": int(expires_at.timestamp()),
    }


def _sign(claims: dict[str, Any], keyring: Keyring) -> str:
    """RFC 7515, byte for byte as the library signs, which looks at each call whether the secret is a PEM file."""
    kid, secret = keyring.signing
    signed = b".".join((_as_base64(_encode({"alg": ALGORITHM, "kid": kid, "typ": "JWT"})), _as_base64(_encode(claims))))
    signature = hmac.digest(secret, signed, "sha256")
    return b".".join((signed, _as_base64(signature))).decode("ascii")


def _as_base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _verified(token: str, keyring: Keyring) -> dict[str, Any]:
    if len(token) > TOKEN_LIMIT:
        raise TokenInvalid
    try:
        secret = keyring.by_kid[jwt.get_unverified_header(token)["kid"]]
        # The clock is passed in, so the library's own must not decide on the end.
        options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
        payload: dict[str, Any] = jwt.decode(token, secret, algorithms=[ALGORITHM], options=options)
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise TokenInvalid from error
    return payload


def _read_claims(payload: dict[str, Any], typ: TokenType) -> Claims:
    try:
        return Claims(
            typ=typ,
            principal=Principal.parse(payload["sub"]),
            sign_in=uuid.UUID(hex=payload["sid"]),
            issued_at=datetime.fromtimestamp(payload["iat"], UTC),
            expires_at=datetime.fromtimestamp(payload["exp"], UTC),
            generation=int(payload["gen"]) if typ is TokenType.REFRESH else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        raise TokenInvalid from error
