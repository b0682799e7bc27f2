"""The hour that clocks repeat: which of its two passes a local time without a zone belongs to; pure.

Readings that come in order tell it themselves: where the time falls back, the second pass begins. Where they do not,
the time of receipt decides (`clock.resolve`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

import msgspec

from releve.protocol.clock import Rule
from releve.protocol.reading import Reading

_DAY = timedelta(days=1)


def settle(readings: Sequence[Reading]) -> None:
    """Settle the readings of one submission that may mean two instants, as far as their order tells."""
    for start, end in _stretches(readings):
        second = _second_pass(readings, start, end)
        if second is not None:
            for place in range(start, end):
                _give(readings[place], is_second=place >= second)


def _stretches(readings: Sequence[Reading]) -> Iterator[tuple[int, int]]:
    """Where readings that may mean two instants stand together."""
    start: int | None = None
    for place, reading in enumerate(readings):
        if reading.instant.other_us is not None:
            start = place if start is None else start
        elif start is not None:
            yield start, place
            start = None
    if start is not None:
        yield start, len(readings)


def _second_pass(readings: Sequence[Reading], start: int, end: int) -> int | None:
    """Where the second pass begins; None where the order does not tell."""
    firsts = [_first_us(reading) for reading in readings[start:end]]
    falls = [start + place for place, (one, next_) in enumerate(pairwise(firsts), start=1) if next_ < one]
    if len(falls) == 1:
        return falls[0]
    comes_from_before = start > 0 and readings[start - 1].instant.time_us < firsts[0]
    return end if not falls and comes_from_before else None


def _first_us(reading: Reading) -> int:
    other_us = reading.instant.other_us
    return reading.instant.time_us if other_us is None else min(reading.instant.time_us, other_us)


def _give(reading: Reading, *, is_second: bool) -> None:
    instant = reading.instant
    both = sorted((instant.time_us, instant.other_us or instant.time_us))
    rule = Rule.NAIVE_SECOND if is_second else Rule.NAIVE_FIRST
    reading.instant = msgspec.structs.replace(instant, time_us=both[is_second], rule=rule, other_us=None)
    if reading.key is not None or not reading.keyed:
        reading.identify()


class Passes:
    """The lines of a file in order: writes the offset behind a local time that would mean two instants."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._last: datetime | None = None
        self._is_second = False

    def settled(self, text: str) -> str:
        """The time, with its offset where it would mean two instants and the lines before tell which.

        >>> from zoneinfo import ZoneInfo
        >>> passes = Passes(ZoneInfo("Europe/Paris"))
        >>> [passes.settled(f"2026-10-25T0{time}")[10:] for time in ("1:50", "2:00", "2:50", "2:00", "3:00")]
        ['T01:50', 'T02:00+02:00', 'T02:50+02:00', 'T02:00+01:00', 'T03:00']
        """
        try:
            local = datetime.fromisoformat(text)
        except ValueError:
            return text
        if local.tzinfo is not None:
            return text
        last, self._last = self._last, local
        if not self._is_repeated(local):
            self._is_second = False
            return text
        if last is None:
            return text
        is_same_hour = abs(local - last) < _DAY and self._is_repeated(last)
        self._is_second = is_same_hour and (self._is_second or local < last)
        offset = local.replace(tzinfo=self._zone, fold=int(self._is_second)).isoformat()[-6:]
        return f"{text}{offset}"

    def _is_repeated(self, local: datetime) -> bool:
        first, second = (local.replace(tzinfo=self._zone, fold=fold).utcoffset() for fold in (0, 1))
        return first is not None and second is not None and second < first
