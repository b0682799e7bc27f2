"""Makes a guesser wait: failed sign-ins are counted by (principal, address), in the database, for all workers.

Made-up names are counted by address as well, because each of them costs a slow hash: an address that tries too many
waits, except for those who have signed in from there before.

Counting by both means that one bad device behind a shared address locks out itself and none of its neighbours, and
that nobody can lock out somebody else's device from afar.
"""

import math
from datetime import datetime

from django.conf import settings
from django.db import connection

from releve.control.accounts import counters
from releve.control.accounts.models import Attempt
from releve.control.accounts.origin import Origin
from releve.control.accounts.queries import has_signed_in_from
from releve.protocol.attempt import attempt_of
from releve.storage.queries import query

MADE_UP = "a name that nobody has"  # no e-mail and no device's name, which have no blanks
MADE_UP_TIMES = 10  # the failures that one name is allowed: a whole site may stand behind one address


class TooManyAttempts(Exception):
    """Too many failed sign-ins; wait and try again."""

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(self.__doc__)


def refuse_if_blocked(name: str, origin: Origin, now: datetime) -> None:
    """Let nobody try who has failed too often, nor strangers from where too many made-up names came.

    Raises:
        TooManyAttempts: The wait is not over.
    """
    blocked = Attempt.objects.filter(
        principal__in=(attempt_of(name), attempt_of(MADE_UP)), address=origin.subscriber, blocked_until__gt=now
    )
    waits = dict(blocked.values_list("principal", "blocked_until"))
    until = waits.get(attempt_of(name))
    if until is None and waits and not has_signed_in_from(name, origin.address):
        until = waits[attempt_of(MADE_UP)]
    if until is not None:
        raise TooManyAttempts(max(1, math.ceil((until - now).total_seconds())))


def failed(name: str, origin: Origin, now: datetime) -> bool:
    """Count a failure; true for the very one that starts a wait.

    Raises:
        TooManyAttempts: Others failed at the same moment, so that this one was already too many.
    """
    counters.count("sign_in_failures")
    return _count(name, origin, now, allowed=settings.RELEVE.failures_allowed)


def made_up(origin: Origin, now: datetime) -> None:
    """Count that a name was tried which nobody has.

    Raises:
        TooManyAttempts: Too many were, from there.
    """
    if _count(MADE_UP, origin, now, allowed=settings.RELEVE.failures_allowed * MADE_UP_TIMES):
        counters.count("lockouts")


def _count(name: str, origin: Origin, now: datetime, *, allowed: int) -> bool:
    window_s = settings.RELEVE.failure_window_s
    values: dict[str, str | int | datetime] = {
        "attempt": attempt_of(name),
        "subscriber": origin.subscriber,
        "now": now,
        "window_s": window_s,
        "allowed": allowed,
    }
    with connection.cursor() as cursor:
        cursor.execute(query("attempt_failed"), values)
        failures = cursor.fetchone()[0]
    if failures > allowed:
        raise TooManyAttempts(window_s)
    return bool(failures == allowed)


def succeeded(name: str, origin: Origin) -> None:
    """Forget the failures before a success."""
    Attempt.objects.filter(principal=attempt_of(name), address=origin.subscriber).delete()
