"""The statistic of one channel over a stretch, as plain arithmetic; `history/summary.py` does it over columns."""

from collections.abc import Sequence
from math import fsum, sqrt

import msgspec

FUNCTIONS = ("n", "low", "high", "mean", "deviation", "first", "last")


class Statistic(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a channel did.

    Attributes:
        n: How many values.
        low: The least.
        high: The greatest.
        mean: Their mean.
        squares: Their distances from the mean, squared and summed; merges without losing digits.
        first: The earliest.
        last: The latest.
    """

    n: int
    low: float
    high: float
    mean: float
    squares: float
    first: float
    last: float

    @property
    def deviation(self) -> float:
        """The standard deviation of the population: a run's readings are all there are of it, not a sample."""
        return sqrt(max(self.squares, 0.0) / self.n)

    @property
    def rms(self) -> float:
        """The root of the mean square."""
        return sqrt(self.mean**2 + max(self.squares, 0.0) / self.n)

    @property
    def peak(self) -> float:
        """The greatest distance from zero."""
        return max(abs(self.low), abs(self.high))

    def times(self, factor: float) -> "Statistic":
        """The statistic of the values times a number above zero."""
        return Statistic(
            n=self.n,
            low=self.low * factor,
            high=self.high * factor,
            mean=self.mean * factor,
            squares=self.squares * factor**2,
            first=self.first * factor,
            last=self.last * factor,
        )

    def shown(self, functions: Sequence[str] = FUNCTIONS) -> dict[str, float]:
        """The named functions of it."""
        return {name: getattr(self, name) for name in functions}


def within(mean: float, low: float, high: float) -> float:
    """A mean lies between the least and the greatest, whatever rounding made of it.

    >>> within(0.10000000000000002, 0.1, 0.1)
    0.1
    """
    return min(max(mean, low), high)


def merged_of(before: Statistic, after: Statistic) -> Statistic:
    """The statistic of two stretches that follow each other [Chan, Golub, LeVeque 1983].

    >>> merged_of(statistic_of([2.0, 4.0]), statistic_of([9.0])) == statistic_of([2.0, 4.0, 9.0])
    True
    """
    n = before.n + after.n
    low, high = min(before.low, after.low), max(before.high, after.high)
    apart = after.mean - before.mean
    return Statistic(
        n=n,
        low=low,
        high=high,
        mean=within(before.mean + apart * after.n / n, low, high),
        squares=before.squares + after.squares + apart**2 * before.n * after.n / n,
        first=before.first,
        last=after.last,
    )


def statistic_of(values: Sequence[float]) -> Statistic | None:
    """The statistic of values in the order of their time; None of none.

    >>> found = statistic_of([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])
    >>> found.mean, found.deviation
    (5.0, 2.0)
    """
    if not values:
        return None
    mean = fsum(values) / len(values)
    return Statistic(
        n=len(values),
        low=min(values),
        high=max(values),
        mean=mean,
        squares=fsum((value - mean) ** 2 for value in values),
        first=values[0],
        last=values[-1],
    )
