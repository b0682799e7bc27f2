"""For how long values held: a value holds until the next one of its channel comes."""

from typing import NamedTuple

import numpy as np

from releve.history.array import Integers, Reals
from releve.history.bucket import Buckets
from releve.history.grid import Grid

_SECOND_US = 1_000_000


class Share(NamedTuple):
    """What values have of buckets.

    Attributes:
        start_us: Of the bucket.
        place: Which value.
        seconds: How long it held there.
    """

    start_us: Integers
    place: Integers
    seconds: Reals


def shares(time_us: Integers, grid: Grid, *, longest_us: int | None = None) -> Share:
    """How each value but the last shares in the bucket that it comes in, and in that of the next value.

    Buckets between the two have no reading and are left out.

    Args:
        time_us: When the values come, in order.
        grid: The buckets.
        longest_us: How long a value holds at most: beyond, the device was silent. None for however long.
    """
    begin_us, end_us = time_us[:-1], time_us[1:]
    until_us = end_us if longest_us is None else np.minimum(end_us, begin_us + longest_us)
    starts_us = grid.starts_us(time_us)
    own_us, next_us = starts_us[:-1], starts_us[1:]
    place = np.arange(len(begin_us))
    own_end_us = np.where(own_us == next_us, until_us, np.minimum(until_us, grid.ends_us(own_us)))
    beyond = (own_us != next_us) & (until_us > next_us)
    return Share(
        np.concatenate([own_us, next_us[beyond]]),
        np.concatenate([place, place[beyond]]),
        np.concatenate([own_end_us - begin_us, (until_us - next_us)[beyond]]) / _SECOND_US,
    )


class WeightedMean:
    """The mean of each bucket in which a value counts for as long as it held; the plain mean where none held at all.

    Args:
        grid: The buckets.
        longest_us: How long a value holds at most, None for however long.
    """

    def __init__(self, grid: Grid, longest_us: int | None = None) -> None:
        self._grid = grid
        self._longest_us = longest_us
        self._before: tuple[Integers, Reals] = np.zeros(0, np.int64), np.zeros(0)
        self._parts: list[tuple[Integers, Reals, Reals]] = []

    def add(self, time_us: Integers, numbers: Reals) -> None:
        """Take values in the order of time, none of them earlier than those before."""
        if not len(time_us):
            return
        time_us = np.concatenate([self._before[0], time_us])
        numbers = np.concatenate([self._before[1], numbers])
        share = shares(time_us, self._grid, longest_us=self._longest_us)
        area = share.seconds * numbers[share.place]
        self._parts.append(_summed(share.start_us, share.seconds, area))
        self._before = time_us[-1:], numbers[-1:]

    def answer(self, buckets: Buckets) -> Reals:
        """The mean of each of the channel's buckets."""
        seconds, area = np.zeros(len(buckets.n)), np.zeros(len(buckets.n))
        for starts_us, held, sums in self._parts:
            places = np.searchsorted(buckets.start_us, starts_us)
            seconds[places] += held
            area[places] += sums
        has_held = seconds > 0
        mean = buckets.mean.copy()
        mean[has_held] = area[has_held] / seconds[has_held]
        return mean


def _summed(starts_us: Integers, seconds: Reals, area: Reals) -> tuple[Integers, Reals, Reals]:
    found, place = np.unique(starts_us, return_inverse=True)
    held = np.bincount(place, seconds, len(found)).astype(np.float64)
    return found, held, np.bincount(place, area, len(found)).astype(np.float64)
