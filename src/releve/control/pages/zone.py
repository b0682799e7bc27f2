"""The clock and the numbers of whoever looks: the account's own, or else the installation's and the language's."""

import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import formats, timezone
from django.utils.translation import get_language

from releve.control.accounts.models import Account, Numbers


class Own(NamedTuple):
    """What an account has chosen; None and empty for what it has not."""

    zone: zoneinfo.ZoneInfo | None = None
    numbers: str = ""


_own: ContextVar[Own] = ContextVar("own clock and numbers", default=Own())  # noqa: B039 - a tuple never changes


def zone() -> zoneinfo.ZoneInfo:
    """The zone that pages write and read instants in."""
    return _own.get().zone or zoneinfo.ZoneInfo(settings.RELEVE.time_zone)


def local(instant: datetime) -> datetime:
    """An instant on the pages' clock."""
    return instant.astimezone(zone())


def decimal_sign() -> str:
    """What stands between the whole part of a number and the rest."""
    signs = {Numbers.POINT: ".", Numbers.COMMA: ","}
    return signs.get(Numbers(_own.get().numbers)) or str(formats.get_format("DECIMAL_SEPARATOR"))


def number_locale() -> str:
    """The locale that scripts write numbers in."""
    return _own.get().numbers or get_language() or settings.LANGUAGE_CODE


@contextmanager
def of(account: object) -> Iterator[None]:
    """Write instants and numbers as the account wants them, until the end of the block."""
    own = Own(_known(account.timezone), account.numbers) if isinstance(account, Account) else Own()
    token = _own.set(own)
    try:
        with timezone.override(zone()):
            yield
    finally:
        _own.reset(token)


def _known(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None  # the system's list has lost it since
