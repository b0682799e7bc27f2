"""How a device does, as a page says it; whether it is heard is one rule for everybody (`protocol/rhythm`)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from releve.protocol.rhythm import is_heard

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    heard = is_heard([_us(instant) for instant in received], last_us=_us(last_seen), now_us=_us(now))
    return State.LIVE if heard else State.SILENT


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
