"""Cuts readings, in the order of their time, into the runs of a kind.

Whether two neighbours belong together depends on the two alone, so a late reading changes only the runs beside it.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

SERIES_GAP = timedelta(seconds=60)
CAPTURE_GAP = timedelta(minutes=5)


class Point(NamedTuple):
    """One reading: its instant, and for a series its repetitions so far."""

    time: datetime
    repetitions: float | None = None


class Stretch(NamedTuple):
    """A run as cut: the instants of its first and last reading."""

    start: datetime
    last: datetime


@dataclass(frozen=True)
class CaptureRule:
    """A capture ends where nothing was sent for longer than the gap."""

    gap: timedelta = CAPTURE_GAP

    def cut(self, points: Iterable[Point], begun: datetime | None = None) -> Iterator[Stretch]:
        """The captures; the first one started at `begun`, if that is given."""
        start, last = begun, None
        for time, _ in points:
            if start is None:
                start = time
            elif last is not None and time - last > self.gap:
                yield Stretch(start, last)
                start = time
            last = time
        if start is not None and last is not None:
            yield Stretch(start, last)


@dataclass(frozen=True)
class SeriesRule:
    """A series ends where the repetitions fall, or where nothing was sent for longer than the gap.

    Readings without a repetition yet are the rest before a series: the last of them, up to the gap, open it; rest that
    no repetition follows is no series.
    """

    gap: timedelta = SERIES_GAP

    def cut(self, points: Iterable[Point], begun: datetime | None = None) -> Iterator[Stretch]:
        """The series; the first one started at `begun` and has repetitions, if that is given."""
        rest: deque[datetime] = deque()
        start, last, count = begun, None, None
        for time, repetitions in points:
            if last is not None and self._parts(time - last, count, repetitions):
                if start is not None:
                    yield Stretch(start, last)
                rest.clear()
                start = count = None
            if start is None:
                self._rest(rest, time)
                start = rest[0] if repetitions else None
            count = count if repetitions is None else repetitions
            last = time
        if start is not None and last is not None:
            yield Stretch(start, last)

    def _parts(self, pause: timedelta, before: float | None, after: float | None) -> bool:
        return pause > self.gap or (before is not None and after is not None and after < before)

    def _rest(self, rest: deque[datetime], time: datetime) -> None:
        rest.append(time)
        while time - rest[0] > self.gap:
            rest.popleft()


Rule = SeriesRule | CaptureRule
