"""How fast a counter rises, across its resets: where it falls it began again at nought."""

import numpy as np

from releve.history.array import Integers, Reals
from releve.history.bucket import Buckets
from releve.history.grid import Grid

_SECOND_US = 1_000_000


class Rate:
    """What a counter rose by in a second, for each bucket: each rise belongs to the reading that shows it.

    Args:
        grid: The buckets.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._before: tuple[Integers, Reals] = np.zeros(0, np.int64), np.zeros(0)
        self._parts: list[tuple[Integers, Reals, Reals]] = []

    def add(self, time_us: Integers, numbers: Reals) -> None:
        """Take values in the order of time, none of them earlier than those before."""
        if not len(time_us):
            return
        time_us = np.concatenate([self._before[0], time_us])
        numbers = np.concatenate([self._before[1], numbers])
        change = np.diff(numbers)
        rise = np.where(change >= 0, change, np.maximum(numbers[1:], 0))
        starts_us, place = np.unique(self._grid.starts_us(time_us[1:]), return_inverse=True)
        elapsed_s = np.diff(time_us) / _SECOND_US
        n = len(starts_us)
        risen = np.bincount(place, rise, n).astype(np.float64)
        self._parts.append((starts_us, risen, np.bincount(place, elapsed_s, n).astype(np.float64)))
        self._before = time_us[-1:], numbers[-1:]

    def answer(self, buckets: Buckets) -> Reals:
        """The rate in each of the channel's buckets, per second; NaN where no time passed before a reading of it."""
        rise, elapsed_s = np.zeros(len(buckets.n)), np.zeros(len(buckets.n))
        for starts_us, risen, passed_s in self._parts:
            places = np.searchsorted(buckets.start_us, starts_us)
            rise[places] += risen
            elapsed_s[places] += passed_s
        has_passed = elapsed_s > 0
        rate = np.full(len(rise), np.nan)
        rate[has_passed] = rise[has_passed] / elapsed_s[has_passed]
        return rate
