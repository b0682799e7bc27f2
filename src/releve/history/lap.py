"""The laps of a race from its columns: the readings at which the lap changes, and what became of the distance."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from releve.history.array import Integers, Mask, Reals
from releve.history.block import Block
from releve.protocol.run.race import Lap, TrackPoint, lap

TRACK, DISTANCE = "track", "distance"
MOST_LAPS = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Told(NamedTuple):
    """A reading that tells the lap; its distance is NaN where it does not tell that."""

    time_us: int
    track: float
    distance: float

    def point(self) -> TrackPoint:
        return TrackPoint(_instant(self.time_us), self.track, None if np.isnan(self.distance) else self.distance)


class Laps:
    """Collects readings, those that are left out too: where these name another lap, no lap is longer for it."""

    def __init__(self) -> None:
        self._laps: list[Lap] = []
        self._begun: _Told | None = None
        self._latest: _Told | None = None  # of the lap under way
        self._left: int | None = None  # when a reading that is left out named another lap first, since the latest
        self._last_us: int | None = None
        self._distance = np.nan

    def add(self, block: Block, counts: Mask | None = None) -> None:
        """Take readings in the order of time, none of them earlier than those before.

        Args:
            block: Readings.
            counts: Which of them count; None for all.
        """
        track, distance = block.column(TRACK).numbers, block.column(DISTANCE).numbers
        is_counted = np.broadcast_to(np.True_, len(block)) if counts is None else counts
        is_told = ~np.isnan(track)
        if len(self._laps) < MOST_LAPS:
            told = slice(None) if is_told.all() else is_told
            self._follow(block.time_us[told], track[told], distance[told], is_counted[told])
        last = _last(is_counted)
        if last is not None:
            self._last_us = int(block.time_us[last])
        known = _last(is_counted & ~np.isnan(distance))
        if known is not None:
            self._distance = float(distance[known])

    def answer(self) -> list[Lap]:
        """The first thousand laps, the last of them up to the last reading; none where all readings name the same."""
        if not self._laps or self._begun is None or self._last_us is None:
            return []
        if len(self._laps) == MOST_LAPS:
            return list(self._laps)
        return [*self._laps, self._lap(_Told(self._last_us, self._begun.track, self._distance), is_last=True)]

    def _follow(self, time_us: Integers, track: Reals, distance: Reals, counts: Mask) -> None:
        """Go through stretches of readings that name the same lap and count or do not."""
        if not len(track):
            return
        changes = np.flatnonzero((track[1:] != track[:-1]) | (counts[1:] != counts[:-1])) + 1
        begins = [0, *changes.tolist()]
        for begin, end in zip(begins, [*begins[1:], len(track)], strict=True):
            if counts[begin]:
                self._go_on(
                    _Told(int(time_us[begin]), float(track[begin]), float(distance[begin])),
                    _Told(int(time_us[end - 1]), float(track[begin]), float(distance[end - 1])),
                )
            elif self._left is None and self._latest is not None and track[begin] != self._latest.track:
                later = begin + int(np.searchsorted(time_us[begin:end], self._latest.time_us, side="right"))
                self._left = int(time_us[later]) if later < end else None
            if len(self._laps) == MOST_LAPS:
                return

    def _go_on(self, first: _Told, last: _Told) -> None:
        if self._begun is None:
            self._begun = first
        elif first.track != self._begun.track:
            self._laps.append(self._lap(first, is_last=False))
            self._begun = first
        self._latest, self._left = last, None

    def _lap(self, end: _Told, *, is_last: bool) -> Lap:
        """The lap under way: it ends with the first reading of another, be that left out or not."""
        if self._begun is None or self._latest is None:
            raise ValueError("no lap is under way")
        if self._left is not None and (is_last or self._left < end.time_us):
            end = _Told(self._left, end.track, self._latest.distance)
        return lap(self._begun.point(), end.point())


def _last(where: Mask) -> int | None:
    """The last place where it holds."""
    if not where.any():
        return None
    return len(where) - 1 - int(where[::-1].argmax())


def _instant(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_us)
