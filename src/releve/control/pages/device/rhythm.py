"""How a device does, as a page says it; whether it is heard is one rule for everybody (`protocol/rhythm`)."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from releve.protocol.instant import us_of
from releve.protocol.rhythm import is_heard


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
    heard = is_heard([us_of(instant) for instant in received], last_us=us_of(last_seen), now_us=us_of(now))
    return State.LIVE if heard else State.SILENT
