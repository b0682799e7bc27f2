"""Signing in, refreshing and signing out: one row is one sign-in, and its tokens are computed from the row."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from releve.control.accounts import audit, counters, limiter, second_factor
from releve.control.accounts.credentials import is_right, principal_named
from releve.control.accounts.keys import keyring
from releve.control.accounts.models import Account, AuditKind, SignIn
from releve.control.accounts.origin import Origin
from releve.control.accounts.queries import standing_sign_in
from releve.control.fleet.models import Device
from releve.protocol import token
from releve.protocol.family import Presented, presented
from releve.protocol.token import Claims, Principal, TokenInvalid, TokenType, WrongTokenType
from releve.storage.unknown_sign_in import UnknownSignIns

SIGNED_OUT = "signed out"
REUSED = "refresh token used again"
_log = structlog.get_logger()
_unknown = UnknownSignIns()


class WrongCredentials(Exception):
    """No active account found with the given credentials."""


class TokenReused(TokenInvalid):
    """A spent refresh token was presented again; its whole sign-in is revoked."""


@dataclass(frozen=True)
class TokenPair:
    """What a sign-in and a refresh answer."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


def sign_in(name: str, password: str, origin: Origin, now: datetime, *, otp: str = "") -> TokenPair:
    """Check the credentials of a person or a device and start a sign-in.

    Raises:
        WrongCredentials: Unknown, wrong or disabled; which of them is not said.
        FactorProblem: The account has a second factor, and `otp` is none of its codes.
        TooManyAttempts: The principal must wait, at this address.
        Busy: Too many slow hashes are being computed.
    """
    limiter.refuse_if_blocked(name, origin, now)
    principal = principal_named(name)
    if not is_right(principal, name, password) or principal is None:
        note_failure(name, principal, origin, now)
        raise WrongCredentials
    if isinstance(principal, Account) and second_factor.is_needed(principal):
        _check_factor(principal, otp, origin, now)
    with transaction.atomic():
        if not _still_stands(principal):
            raise WrongCredentials
        row = start(principal, origin, now)
    limiter.succeeded(name, origin)
    return _pair(row, now)


def _check_factor(account: Account, otp: str, origin: Origin, now: datetime) -> None:
    """A missing code is no guess; a wrong one counts as a failed sign-in."""
    if not otp:
        raise second_factor.FactorRequired
    if not second_factor.is_right(account, otp):
        note_failure(account.email, account, origin, now)
        raise second_factor.WrongFactor


def note_failure(name: str, principal: Account | Device | None, origin: Origin, now: datetime) -> None:
    """Count a failed sign-in; only those of known principals are kept, so that made-up names fill nothing.

    Raises:
        TooManyAttempts: It was already one too many.
    """
    is_last = limiter.failed(name, origin, now)
    if is_last:
        counters.count("lockouts")
    if principal is None:
        limiter.made_up(origin, now)
    else:
        audit.record(AuditKind.SIGN_IN_FAILED, origin, principal)
        if is_last:
            audit.record(AuditKind.LOCKED_OUT, origin, principal)


def start(principal: Account | Device, origin: Origin, now: datetime) -> SignIn:
    """Begin a token family for somebody whose credentials were just checked."""
    row = SignIn.objects.create(
        account=principal if isinstance(principal, Account) else None,
        device=principal if isinstance(principal, Device) else None,
        started_at=now,
        refreshed_at=now,
        rotated_at=now,
        expires_at=now + _life(is_device=isinstance(principal, Device)),
        address=origin.address,
        user_agent=origin.user_agent,
    )
    audit.record(AuditKind.SIGNED_IN, origin, principal, detail={"sign_in": str(row.id)})
    counters.count("sign_ins")
    return row


def refresh(text: str, origin: Origin, now: datetime) -> TokenPair:
    """Take a refresh token; a person's is spent for its one successor, a device's stays as it is.

    Raises:
        TokenReused: It was spent before; the sign-in is revoked and an alert raised.
        TokenInvalid: It is no refresh token of a sign-in that stands.
    """
    try:
        claims = token.read(text, TokenType.REFRESH, now, keyring())
        row = _refreshed(claims, origin, now)
    except TokenInvalid as error:
        counters.count("refresh_refusals")
        _log.info("refresh refused", reason=type(error).__name__, address=origin.address)
        raise
    counters.count("refreshes")
    return _pair(row, now)


def verify(text: str, now: datetime) -> TokenType:
    """Whether an access or a refresh token would be taken now; answers which of the two it is.

    Raises:
        TokenInvalid: It would not.
    """
    claims = _access_or_refresh(text, now)
    row = standing(claims, now)
    if claims.generation is not None and not _presented(claims, row, now).is_good:
        raise TokenInvalid
    return claims.typ


def standing(claims: Claims, now: datetime) -> SignIn:
    """The sign-in that a token was issued in, with its principal.

    Raises:
        TokenInvalid: It was revoked, has ended, or is somebody else's than the token says.
    """
    row = standing_sign_in(claims.sign_in, now)
    if row is None and not SignIn.objects.filter(id=claims.sign_in).exists():
        _unknown.refused(_named(claims.principal), claims.sign_in)
    if row is None or token_principal(row) != claims.principal:
        raise TokenInvalid
    return row


def sign_in_of(text: str, now: datetime) -> SignIn:
    """The sign-in that a refresh token belongs to, spent or not: whoever holds one may end it.

    Raises:
        TokenInvalid: It is no refresh token, or the sign-in has ended.
    """
    return standing(token.read(text, TokenType.REFRESH, now, keyring()), now)


def revoke(row: SignIn, reason: str, origin: Origin, now: datetime, *, by: Account | None = None) -> bool:
    """End a sign-in on every worker at once; false if it had ended already."""
    revoked = SignIn.objects.filter(id=row.id, revoked_at=None).update(revoked_at=now, revoked_reason=reason)
    if revoked:
        counters.count("revocations")
        kind = AuditKind.SIGNED_OUT if reason == SIGNED_OUT else AuditKind.SIGN_IN_REVOKED
        audit.record(kind, origin, _principal(row), by=by, detail={"sign_in": str(row.id), "reason": reason})
    return bool(revoked)


def access_token(row: SignIn, now: datetime) -> str:
    """An access token of a sign-in that stands."""
    return token.issue_access(
        token_principal(row),
        row.id,
        issued_at=now,
        expires_at=min(now + _access_life(is_device=row.device_id is not None), row.expires_at),
        keyring=keyring(),
    )


def mqtt_token(row: SignIn, now: datetime) -> tuple[str, datetime]:
    """A password for MQTT of a sign-in that stands, and when it ends."""
    life_s = settings.RELEVE.device_token_s if row.device_id is not None else settings.RELEVE.mqtt_token_s
    expires_at = min(now + timedelta(seconds=life_s), row.expires_at).replace(microsecond=0)
    issued = token.issue_mqtt(token_principal(row), row.id, issued_at=now, expires_at=expires_at, keyring=keyring())
    return issued, expires_at


def token_principal(row: SignIn) -> Principal:
    """Who a sign-in's tokens are for."""
    if row.device_id is not None:
        return Principal.device(row.device_id)
    return Principal.person(row.account_id or 0)


def _access_or_refresh(text: str, now: datetime) -> Claims:
    try:
        return token.read(text, TokenType.ACCESS, now, keyring())
    except WrongTokenType:
        return token.read(text, TokenType.REFRESH, now, keyring())


def _refreshed(claims: Claims, origin: Origin, now: datetime) -> SignIn:
    is_device = claims.principal.is_device
    row = (_used if is_device else _rotated)(claims, origin, now)
    return row or _presented_before(claims, origin, now)


def _rotated(claims: Claims, origin: Origin, now: datetime) -> SignIn | None:
    """One conditional UPDATE decides who rotates; the row is read back under its lock.

    It names no other table: its condition must be evaluated again on the row's newest version when another refresh
    holds the lock, which PostgreSQL does not do for a subquery. Whoever is disabled has no sign-in that stands.
    """
    standing = _newest_of(claims, now)
    with transaction.atomic():
        life = _life(is_device=False)
        if not standing.update(generation=F("generation") + 1, rotated_at=now, refreshed_at=now, expires_at=now + life):
            return None
        return _noted(claims, origin)


def _used(claims: Claims, origin: Origin, now: datetime) -> SignIn | None:
    """A device's token is the newest for all its life: no published device stores another one."""
    with transaction.atomic():
        return _noted(claims, origin) if _newest_of(claims, now).update(refreshed_at=now) else None


def _presented_before(claims: Claims, origin: Origin, now: datetime) -> SignIn:
    """The row whose successor an older token may have again."""
    row = SignIn.objects.select_related("account", "device").filter(id=claims.sign_in).first()
    if row is None:
        _unknown.refused(_named(claims.principal), claims.sign_in)
    if row is None or token_principal(row) != claims.principal:
        raise TokenInvalid
    is_what = _presented(claims, row, now)
    if is_what is Presented.AGAIN and row.revoked_at is None and row.expires_at > now:
        _note_again(claims, row, origin, now)
        return row
    if is_what is not Presented.SPENT or (row.revoked_at is not None and row.revoked_reason != REUSED):
        raise TokenInvalid  # what was never spent and yet did not rotate belongs to a sign-in that has ended
    if revoke(row, REUSED, origin, now):
        counters.count("refresh_reuses")
        audit.record(AuditKind.REFRESH_REUSED, origin, _principal(row), detail={"sign_in": str(row.id)})
    raise TokenReused


def _presented(claims: Claims, row: SignIn, now: datetime) -> Presented:
    return presented(
        claims.generation or 0,
        newest=row.generation,
        since_rotation_s=(now - row.rotated_at).total_seconds(),
        grace_s=settings.RELEVE.refresh_grace_s,
    )


def _newest_of(claims: Claims, now: datetime) -> QuerySet[SignIn]:
    """The row of a family whose newest token this is."""
    column = "device_id" if claims.principal.is_device else "account_id"
    return SignIn.objects.filter(
        id=claims.sign_in, generation=claims.generation or 0, revoked_at=None, expires_at__gt=now
    ).filter(**{column: claims.principal.id})


def _note_again(claims: Claims, row: SignIn, origin: Origin, now: datetime) -> None:
    """Keep that the first token is in use; what comes within the grace is one use with several answers."""
    before = now - timedelta(seconds=settings.RELEVE.refresh_grace_s)
    with transaction.atomic():
        if SignIn.objects.filter(id=row.id, refreshed_at__lt=before).update(refreshed_at=now):
            _noted(claims, origin)


def _noted(claims: Claims, origin: Origin) -> SignIn:
    row = SignIn.objects.select_related("account", "device").get(id=claims.sign_in)
    audit.record(AuditKind.REFRESHED, origin, _principal(row), detail={"sign_in": str(row.id)})
    return row


def _still_stands(principal: Account | Device) -> bool:
    """Whether nobody disabled the principal or changed its password since it was checked; holds it until commit."""
    if isinstance(principal, Device):
        devices = Device.objects.select_for_update().filter(
            id=principal.id, is_enabled=True, secret_hash=principal.secret_hash
        )
        return devices.first() is not None
    accounts = Account.objects.select_for_update().filter(id=principal.id, is_active=True, password=principal.password)
    return accounts.first() is not None


def _pair(row: SignIn, now: datetime) -> TokenPair:
    return TokenPair(
        access=access_token(row, now),
        refresh=token.issue_refresh(
            token_principal(row),
            row.id,
            generation=row.generation,
            rotated_at=row.rotated_at,
            expires_at=row.expires_at,
            keyring=keyring(),
        ),
    )


def _named(principal: Principal) -> str:
    return f"{'device' if principal.is_device else 'account'}:{principal.id}"


def _principal(row: SignIn) -> Account | Device:
    principal = row.device or row.account
    if principal is None:
        raise TokenInvalid
    return principal


def _access_life(*, is_device: bool) -> timedelta:
    return timedelta(seconds=settings.RELEVE.device_token_s if is_device else settings.RELEVE.access_token_s)


def _life(*, is_device: bool) -> timedelta:
    """A sign-in outlives the access tokens that it gives."""
    return max(timedelta(seconds=settings.RELEVE.refresh_token_s), _access_life(is_device=is_device))
