"""Instants as text."""

from datetime import datetime, timedelta

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive: to write the offset of UTC and turn it into Z takes twice as long


def iso(time_us: int) -> str:
    """An instant as ISO 8601 in UTC.

    >>> iso(1_767_225_600_250_000)
    '2026-01-01T00:00:00.250000Z'
    """
    return (_EPOCH + timedelta(microseconds=time_us)).isoformat() + "Z"
