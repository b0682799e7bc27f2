"""What arrived since the last look: where to cut runs again, by a watermark on the time of receipt."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from releve.control.fleet.models import Device
from releve.control.runs.columns import instant, reader, us
from releve.control.runs.owner import Owner
from releve.storage import arrival
from releve.storage.reader import now
from releve.storage.scan import Span

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
EVER = timedelta(days=400 * 365)
LONGEST_COMMIT = timedelta(seconds=60)  # from `received` to visible, clocks that differ included
USUAL_COMMIT = timedelta(seconds=10)  # looks that follow each other faster than this look back no further
Arrived = tuple[str | None, datetime, datetime]  # the value of a channel, the first and the last instant


def look_back(followed: datetime, at: datetime) -> tuple[datetime, bool]:
    """From which time of receipt on to look for readings, and whether that is far enough to move the watermark.

    >>> epoch = datetime(1970, 1, 1, tzinfo=UTC)
    >>> look_back(epoch, epoch + USUAL_COMMIT * 2) == (epoch - LONGEST_COMMIT, True)
    True
    """
    is_far = at - followed > USUAL_COMMIT
    return followed - (LONGEST_COMMIT if is_far else USUAL_COMMIT), is_far


def arrived(device: Device, channel: str, *, since: datetime, owner: Owner, width: timedelta) -> Iterator[Arrived]:
    """Where readings of an owner's time lie that were received since, for each value of a channel."""
    span = Span(us(owner.since), us(owner.until))
    width_us = width // timedelta(microseconds=1)
    with reader() as own:
        found = now(arrival.arrived(own, device.pk, channel, since_us=us(since), span=span, width_us=width_us))
    return ((value, instant(first_us), instant(last_us)) for value, first_us, last_us in found)


def has_arrived(device: Device, since: datetime) -> bool:
    """Whether readings of the device may have been received since."""
    with reader() as own:
        return now(arrival.has_arrived(own, device.pk, since_us=us(since)))
