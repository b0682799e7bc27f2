"""The room that history takes, device by device and day by day, and when the disk is full at today's rate.

PostgreSQL knows the sizes of whole tables only. They are shared out by the bytes of the columns: what a device is told
is its part of what the tables take, with their indexes and ladders.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from releve.storage.queries import query
from releve.storage.reader import Reader

RATE_DAYS = 7  # by whose readings the rate of now is judged
SHOWN_DAYS = 30
AHEAD_DAYS = 30  # people are told so long before the disk is full
FORESEEN_DAYS = 3650  # beyond, a date would be precision for nothing
LEAST_FACTOR = 1.0
MOST_FACTOR = 4.0  # a table of a few rows is all pages and no content
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Taken(NamedTuple):
    """What a device's readings take.

    Attributes:
        device_id: Whose.
        readings: How many are sealed.
        bytes: Of the tables.
        bytes_a_day: At the rate of the last days.
    """

    device_id: int
    readings: int
    bytes: int
    bytes_a_day: int


class Day(NamedTuple):
    """What a device's readings of one day take.

    Attributes:
        device_id: Whose.
        day: Which, UTC.
        bytes: Of the tables.
    """

    device_id: int
    day: date
    bytes: int


async def taken(reader: Reader, devices: Collection[int] | None = None) -> list[Taken]:
    """What each of some devices takes, or each of all."""
    factor = await _factor(reader)
    values = {"devices": None if devices is None else sorted(devices), "days": RATE_DAYS}
    return [
        Taken(device, n, round(size * factor), round(lately * factor / RATE_DAYS))
        for device, n, size, lately in await reader.ask(query("storage_devices"), values)
    ]


async def by_day(reader: Reader, devices: Collection[int], *, days: int = SHOWN_DAYS) -> list[Day]:
    """What some devices' readings of the last days take, of days that have any."""
    factor = await _factor(reader)
    values = {"devices": sorted(devices), "days": days}
    return [
        Day(device, (_EPOCH + timedelta(microseconds=start_us)).date(), round(size * factor))
        for device, start_us, size in await reader.ask(query("storage_days"), values)
    ]


def days_left(free_bytes: int, bytes_a_day: float) -> float | None:
    """In how many days the disk is full; None when that is not foreseen.

    >>> days_left(1_000, 10), days_left(10**12, 1), days_left(5, 0)
    (100.0, None, None)
    """
    if bytes_a_day <= 0 or free_bytes / bytes_a_day > FORESEEN_DAYS:
        return None
    return free_bytes / bytes_a_day


def warning(place: str, free_bytes: int, bytes_a_day: float) -> str | None:
    """What people are to be told, a month before.

    >>> warning("/data", 100, 10)
    'the disk of /data is full in about 10 days at the rate of this week; make room, or say how long readings are kept'
    >>> warning("/data", 1_000, 10)
    """
    days = days_left(free_bytes, bytes_a_day)
    if days is None or days > AHEAD_DAYS:
        return None
    about = f"the disk of {place} is full in about {days:.0f} days at the rate of this week"
    return f"{about}; make room, or say how long readings are kept"


async def _factor(reader: Reader) -> float:
    found = (await reader.ask(query("storage_factor"), {}))[0][0]
    return min(MOST_FACTOR, max(LEAST_FACTOR, found or LEAST_FACTOR))
