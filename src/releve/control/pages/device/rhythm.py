"""Whether a device still keeps the rhythm that its own readings show."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median

PATIENCE = 3  # one missed reading is a bad link, three are silence
SHORTEST = timedelta(seconds=60)
UNKNOWN_RHYTHM = timedelta(minutes=10)


class State(StrEnum):
    """How a device does, at a glance."""

    LIVE = "live"
    SILENT = "silent"
    NEVER = "never"
    DISABLED = "disabled"


def state(*, is_enabled: bool, last_seen: datetime | None, received: Sequence[datetime], now: datetime) -> State:
    """Say how a device does from the instants at which its last readings were received."""
    if not is_enabled:
        return State.DISABLED
    if last_seen is None:
        return State.NEVER
    return State.LIVE if now - last_seen <= patience(received) else State.SILENT


def patience(received: Sequence[datetime]) -> timedelta:
    """How long a device may say nothing before it counts as silent.

    >>> start = datetime(2026, 1, 1)
    >>> patience([start, start + timedelta(minutes=5), start + timedelta(minutes=10)])
    datetime.timedelta(seconds=900)
    """
    instants = sorted(received)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(instants)]
    if not gaps:
        return UNKNOWN_RHYTHM
    return max(SHORTEST, PATIENCE * timedelta(seconds=median(gaps)))
