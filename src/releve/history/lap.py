"""The laps of a race from its columns: the readings at which the lap changes, and what became of the distance."""

from datetime import UTC, datetime, timedelta

import numpy as np

from releve.history.block import Block
from releve.protocol.run.race import Lap, TrackPoint, laps

TRACK, DISTANCE = "track", "distance"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Laps:
    """Collects readings."""

    def __init__(self) -> None:
        self._points: list[TrackPoint] = []
        self._lap: float | None = None
        self._end: tuple[int, float | None] | None = None
        self._distance: float | None = None

    def add(self, block: Block) -> None:
        """Take readings in the order of time, none of them earlier than those before."""
        if not len(block):
            return
        track, distance = block.column(TRACK).numbers, block.column(DISTANCE).numbers
        told = np.flatnonzero(~np.isnan(track))
        if len(told):
            laps_told = track[told]
            is_new = np.empty(len(told), bool)
            is_new[0] = self._lap is None or laps_told[0] != self._lap
            np.not_equal(laps_told[1:], laps_told[:-1], out=is_new[1:])
            for place in told[is_new].tolist():
                far = float(distance[place])
                self._points.append(
                    TrackPoint(_instant(int(block.time_us[place])), float(track[place]), None if np.isnan(far) else far)
                )
            self._lap = float(laps_told[-1])
        known = np.flatnonzero(~np.isnan(distance))
        if len(known):
            self._distance = float(distance[known[-1]])
        self._end = int(block.time_us[-1]), self._distance

    def answer(self) -> list[Lap]:
        """The laps, the last of which ends with the last reading; none where all the readings name the same."""
        if len({point.track for point in self._points}) < 2 or self._end is None or self._lap is None:  # noqa: PLR2004 - a lap has a neighbour
            return []
        return laps(self._points, last=TrackPoint(_instant(self._end[0]), self._lap, self._end[1]))


def _instant(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_us)
