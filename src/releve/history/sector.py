"""A race's laps in sectors of equal distance: its best lap, and the lap that the best of each sector would make.

The lap under way at the end is none of them: nobody knows whether it was driven to its end.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from releve.history.array import Reals
from releve.history.block import Block
from releve.history.lap import DISTANCE, TRACK, Laps
from releve.protocol.instant import us_of
from releve.protocol.run.race import Lap

SECTORS = 10
MOST_READINGS = 2_000_000  # of a race whose sectors are looked at: 32 MB; longer ones have a best lap alone
_SECOND_US = 1_000_000


class Best(NamedTuple):
    """The laps of one race.

    Attributes:
        laps: How many were driven to their end.
        best_s: The shortest of them, None of none.
        sectors_s: The shortest time of each sector, None where no lap tells its distance.
    """

    laps: int
    best_s: float | None
    sectors_s: Sequence[float] | None

    @property
    def theoretical_s(self) -> float | None:
        """The lap that the best of each sector would make."""
        return None if self.sectors_s is None else float(sum(self.sectors_s))


class Sectors:
    """Collects a race's readings."""

    def __init__(self) -> None:
        self._laps = Laps()
        self._n = 0
        self._times_us: list[Reals] = []
        self._distances: list[Reals] = []

    def add(self, block: Block) -> None:
        """Take readings that count, in the order of time."""
        self._laps.add(block)
        distance = block.column(DISTANCE).numbers
        known = ~np.isnan(distance)
        self._n += int(known.sum())
        if self._n <= MOST_READINGS:
            self._times_us.append(block.time_us[known].astype(np.float64))
            self._distances.append(distance[known])

    def answer(self) -> Best:
        """The best of the laps that were driven to their end."""
        laps = self._laps.answer()[:-1]
        if not laps:
            return Best(0, None, None)
        best_s = min(lap.time_s for lap in laps)
        if self._n > MOST_READINGS:
            return Best(len(laps), best_s, None)
        times_us = np.concatenate([np.zeros(0), *self._times_us])
        distances = np.concatenate([np.zeros(0), *self._distances])
        each = [found for lap in laps if (found := _sectors_s(lap, times_us, distances)) is not None]
        return Best(len(laps), best_s, np.min(each, axis=0).tolist() if each else None)


def channels() -> list[str]:
    """What must be read of a race."""
    return [TRACK, DISTANCE]


def together(found: Sequence[Best]) -> float | None:
    """The lap that the best of each sector of several races would make."""
    each = [best.sectors_s for best in found if best.sectors_s is not None]
    return float(np.min(each, axis=0).sum()) if each else None


def _sectors_s(lap: Lap, times_us: Reals, distances: Reals) -> Reals | None:
    """How long each sector of a lap took, from its first reading to the next lap's; None where that is not told."""
    start_us, end_us = us_of(lap.started_at), us_of(lap.ended_at)
    first, last = np.searchsorted(times_us, [start_us, end_us])
    at_us, at = times_us[first : last + 1], distances[first : last + 1]
    if not len(at) or at_us[0] != start_us or at_us[-1] != end_us or at[-1] <= at[0]:
        return None
    further = np.minimum(np.maximum.accumulate(at), at[-1])
    edges_us = np.interp(np.linspace(further[0], further[-1], SECTORS + 1), further, at_us)
    edges_us[0], edges_us[-1] = start_us, end_us
    sectors: Reals = np.diff(edges_us) / _SECOND_US
    return sectors
