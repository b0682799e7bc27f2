"""Instants as text and as numbers."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECONDS_KEPT = 4_096
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive: to write the offset of UTC and turn it into Z takes twice as long


def iso(time_us: int) -> str:
    """An instant as ISO 8601 in UTC.

    >>> iso(1_767_225_600_250_000)
    '2026-01-01T00:00:00.250000Z'
    """
    second, rest_us = divmod(time_us, 1_000_000)
    return f"{_second(second)}.{rest_us:06d}Z" if rest_us else f"{_second(second)}Z"


@lru_cache(maxsize=SECONDS_KEPT)
def _second(second: int) -> str:
    """Kept, as readings that are answered together are often of the same few seconds."""
    return (_EPOCH + timedelta(seconds=second)).isoformat()


def us_of(moment: datetime) -> int:
    """An aware instant as microseconds since 1970, none of them lost.

    >>> us_of(datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC))
    1767225600250000
    """
    return (moment - _FIRST) // timedelta(microseconds=1)
