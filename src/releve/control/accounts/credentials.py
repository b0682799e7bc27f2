"""Checks a name and its password or secret, in the same time whether the name is known or not."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password

from releve.control.accounts.keys import pepper
from releve.control.accounts.models import Account
from releve.control.fleet.models import Device
from releve.protocol.password import spellings
from releve.protocol.secret import Secret

ARGON2_AT_ONCE = 2  # each takes 100 MB and a core for a tenth of a second
NOBODYS_HASH = "0" * 64
_argon2 = BoundedSemaphore(max(ARGON2_AT_ONCE, settings.RELEVE.workers))  # each worker lets one through at least


class Busy(Exception):
    """Too many people are signing in at this moment; try again."""

    retry_after_s = 2


@contextmanager
def argon2_turn() -> Iterator[None]:
    """Take a turn to compute a slow hash; whoever waits does so in the event loop in front, and holds no thread here.

    Raises:
        Busy: There is none.
    """
    if not _argon2.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        _argon2.release()


def principal_named(name: str) -> Account | Device | None:
    """Whoever signs in by that name, disabled or not: a device's name to the letter, an e-mail in any case."""
    device = Device.objects.select_related("team").filter(name=name).first()
    return device or Account.objects.filter(email=name.lower()).first()


def is_right(principal: Account | Device | None, name: str, password: str) -> bool:
    """Whether the password is the principal's, and the principal may sign in.

    Every answer but a device's success costs what the look of the name makes expect: an e-mail one slow hash, any
    other name one fast hash. So time tells nothing about which names exist.
    """
    if isinstance(principal, Account):
        with argon2_turn():
            is_match = any(check_password(each, principal.password) for each in spellings(password))
        return is_match and principal.is_active
    is_match = _is_device_secret(principal, password)
    if not is_match and "@" in name:
        with argon2_turn():
            make_password(password)
    return is_match


def _is_device_secret(device: Device | None, secret: str) -> bool:
    kept = device.secret_hash if device and device.secret_hash else NOBODYS_HASH
    is_match = Secret(secret).matches(kept, pepper())
    if not is_match or device is None:
        return False
    return bool(device.secret_hash) and device.is_enabled and device.owner_id is None
