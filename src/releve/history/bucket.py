"""What a channel did in each bucket: M4 (first, low, high, last) with n and the sum, mergeable and exact.

A line through the first, low, high and last of buckets that are a pixel wide covers the pixels that the line through
all readings covers: whatever lies between stays within its column, and neighbouring columns are joined last to first.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np

from releve.history.array import Integers, Reals
from releve.history.grid import Cut, Grid, cut


class Buckets(NamedTuple):
    """Buckets in the order of time; those without a number are left out.

    Attributes:
        start_us: Where each starts, microseconds since 1970.
        n: How many numbers.
        first: The earliest.
        low: The least.
        high: The greatest.
        last: The latest.
        total: Their sum.
        squares: Their distances from the bucket's mean, squared and summed: these merge without losing digits.
    """

    start_us: Integers
    n: Integers
    first: Reals
    low: Reals
    high: Reals
    last: Reals
    total: Reals
    squares: Reals

    @classmethod
    def none(cls) -> Self:
        """No bucket at all."""
        whole, real = np.zeros(0, np.int64), np.zeros(0)
        return cls(whole, whole, real, real, real, real, real, real)

    @property
    def mean(self) -> Reals:
        """The mean of each."""
        return self.total / self.n

    @property
    def deviation(self) -> Reals:
        """The standard deviation of the population: a bucket's readings are all there are of it, not a sample."""
        return np.sqrt(self.squares / self.n)


def buckets_of(time_us: Integers, numbers: Reals, grid: Grid, *, with_squares: bool = False) -> Buckets:
    """Cut numbers into buckets.

    Args:
        time_us: Their instants, in order.
        numbers: As many, each finite.
        grid: The buckets.
        with_squares: Whether the deviation will be asked for; `squares` is nought otherwise.
    """
    return sums(cut(time_us, grid), numbers, with_squares=with_squares)


def sums(pieces: Cut, numbers: Reals, *, with_squares: bool = False) -> Buckets:
    """The buckets of numbers whose instants were cut already: of several channels they are often the same."""
    if not len(numbers):
        return Buckets.none()
    starts_us, places = pieces
    n = np.diff(places, append=len(numbers))
    total = np.add.reduceat(numbers, places)
    squares = np.zeros(len(places))
    if with_squares:
        squares = np.add.reduceat((numbers - np.repeat(total / n, n)) ** 2, places)
    return Buckets(
        starts_us,
        n,
        numbers[places],
        np.minimum.reduceat(numbers, places),
        np.maximum.reduceat(numbers, places),
        numbers[places + n - 1],
        total,
        squares,
    )


def in_order(parts: Sequence[Buckets]) -> list[Buckets]:
    """Buckets of stretches in any order, put in the order of their starts; of one start, as the parts are given."""
    held = [part for part in parts if len(part.n)]
    if all(earlier.start_us[-1] <= later.start_us[0] for earlier, later in pairwise(held)):
        return held
    whole = Buckets._make([np.concatenate(columns) for columns in zip(*held, strict=True)])
    order = np.argsort(whole.start_us, kind="stable")
    return [Buckets._make([column[order] for column in whole])]


def merged(parts: Sequence[Buckets], grid: Grid | None = None) -> Buckets:
    """Buckets of stretches that follow each other as those of the whole; a bucket that several share becomes one.

    Args:
        parts: In the order of time.
        grid: Wider buckets that they are put into, each of theirs wholly into one; None for their own.
    """
    if not parts:
        return Buckets.none()
    start_us, n, first, low, high, last, total, squares = map(np.concatenate, zip(*parts, strict=True))
    if not len(start_us):
        return Buckets.none()
    if grid is not None:
        start_us = grid.starts_us(start_us)
    places = np.flatnonzero(np.diff(start_us, prepend=start_us[0] - 1))
    ends = np.append(places[1:], len(start_us)) - 1
    whole_n, whole_total = np.add.reduceat(n, places), np.add.reduceat(total, places)
    apart = total / n - np.repeat(whole_total / whole_n, np.diff(places, append=len(start_us)))
    return Buckets(
        start_us[places],
        whole_n,
        first[places],
        np.minimum.reduceat(low, places),
        np.maximum.reduceat(high, places),
        last[ends],
        whole_total,
        np.add.reduceat(squares + n * apart**2, places),
    )
