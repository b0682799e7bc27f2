"""Exact percentiles of each bucket, of values that come in the order of time, block after block."""

from collections.abc import Sequence

import numpy as np

from releve.history.array import Integers, Reals
from releve.history.grid import Grid, cut

_MANY = 1 << 20  # values that wait for their bucket's end, before those that occur often are counted instead


class Quantiles:
    """Collects values, and answers between which of them a part of a bucket's lies, as PostgreSQL's `percentile_cont`.

    Args:
        grid: The buckets.
        parts: Which quantiles, such as 0.5 for the median.
    """

    def __init__(self, grid: Grid, parts: Sequence[float]) -> None:
        self._grid = grid
        self._parts = np.array(parts, np.float64)
        self._starts: list[Integers] = []
        self._found: list[Reals] = []
        self._open_us: int | None = None
        self._values: list[Reals] = []
        self._counts: list[Integers] = []
        self._waiting = 0

    def add(self, time_us: Integers, numbers: Reals) -> None:
        """Take values in the order of time, none of them earlier than those before."""
        if not len(time_us):
            return
        starts_us, places = cut(time_us, self._grid)
        if self._open_us is not None and starts_us[0] != self._open_us:
            self._close()
        ends = np.append(places[1:], len(time_us))
        whole = slice(0 if self._open_us is None else 1, len(places) - 1)
        if self._open_us is not None:
            self._keep(int(starts_us[0]), numbers[: ends[0]])
            if len(places) > 1:
                self._close()
        if starts_us[whole].size:
            self._settle(starts_us[whole], places[whole], ends[whole], numbers)
        if self._open_us is None:
            self._keep(int(starts_us[-1]), numbers[places[-1] :])

    def answer(self) -> tuple[Integers, Reals]:
        """The starts of the buckets, and a row of quantiles for each."""
        self._close()
        if not self._starts:
            return np.zeros(0, np.int64), np.zeros((0, len(self._parts)))
        return np.concatenate(self._starts), np.concatenate(self._found)

    def _settle(self, starts_us: Integers, places: Integers, ends: Integers, numbers: Reals) -> None:
        """Buckets that begin and end within one block: all of them are sorted at once."""
        n = ends - places
        inside = numbers[places[0] : ends[-1]]
        ordered = inside[np.lexsort((inside, np.repeat(np.arange(len(n)), n)))]
        at = (n[:, None] - 1) * self._parts
        below = np.floor(at).astype(np.int64)
        above = np.minimum(below + 1, n[:, None] - 1)
        begins = (places - places[0])[:, None]
        self._starts.append(starts_us)
        self._found.append(_between(ordered[begins + below], ordered[begins + above], at - below))

    def _keep(self, start_us: int, numbers: Reals) -> None:
        self._open_us = start_us
        self._values.append(numbers)
        self._counts.append(np.ones(len(numbers), np.int64))
        self._waiting += len(numbers)
        if self._waiting > _MANY:
            self._count()
            self._waiting = 0

    def _count(self) -> None:
        values, place = np.unique(np.concatenate(self._values), return_inverse=True)
        counts = np.bincount(place, weights=np.concatenate(self._counts)).astype(np.int64)
        self._values, self._counts = [values], [counts]

    def _close(self) -> None:
        if self._open_us is None:
            return
        self._count()
        ends = np.cumsum(self._counts[0])
        at = (ends[-1] - 1) * self._parts
        below = np.floor(at).astype(np.int64)
        above = np.minimum(below + 1, ends[-1] - 1)
        values = self._values[0]
        low, high = (values[np.searchsorted(ends, place, side="right")] for place in (below, above))
        self._starts.append(np.array([self._open_us]))
        self._found.append(_between(low, high, at - below)[None, :])
        self._open_us, self._values, self._counts, self._waiting = None, [], [], 0


def _between(low: Reals, high: Reals, share: Reals) -> Reals:
    return low + (high - low) * share
