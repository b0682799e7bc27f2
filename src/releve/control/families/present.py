"""The present on a device's own clock, so that a clock that is a little off tells no rest too long or too short."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from releve.control.fleet.models import Device
from releve.control.fleet.queries import last_heard

LATE = timedelta(seconds=60)  # what arrives later than that was kept back: its clock may well be right


def presents(devices: Iterable[Device], now: datetime) -> dict[int, datetime]:
    """By the device's number, what its clock shows at this moment; those never heard are missing."""
    return {number: now - behind(each.last_seen - each.last_time) for number, each in last_heard(devices).items()}


def behind(delay: timedelta) -> timedelta:
    """How far the device's clock is behind, from how long its latest reading seems to have travelled.

    >>> behind(timedelta(seconds=12)), behind(timedelta(seconds=-90)), behind(timedelta(hours=1))
    (datetime.timedelta(seconds=12), datetime.timedelta(days=-1, seconds=86310), datetime.timedelta(0))
    """
    return delay if delay <= LATE else timedelta(0)
