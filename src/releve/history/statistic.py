"""Any functions of a channel in each bucket, collected block after block."""

from collections.abc import Sequence
from typing import Any

from releve.history.array import Integers, Reals
from releve.history.block import Block
from releve.history.bucket import Buckets, buckets_of, merged
from releve.history.counter import Rate
from releve.history.grid import Grid
from releve.history.holding import WeightedMean
from releve.history.quantile import Quantiles
from releve.history.state import Durations, State

SUMS = ("n", "mean", "low", "high", "first", "last", "total", "deviation")
PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
FUNCTIONS = (*SUMS, *PERCENTILES, "time_weighted_mean", "rate", "duration")


class Statistics:
    """What one channel did in each bucket.

    Args:
        channel: Its name.
        grid: The buckets.
        functions: Which of `FUNCTIONS`.
        longest_us: How long a value holds at most, for `time_weighted_mean` and `duration`; None for until the next.
    """

    def __init__(
        self, channel: str, grid: Grid, functions: Sequence[str] = SUMS, *, longest_us: int | None = None
    ) -> None:
        self._channel = channel
        self._grid = grid
        self._functions = functions
        self._buckets: list[Buckets] = []
        self._percentiles = [name for name in functions if name in PERCENTILES]
        self._quantiles = Quantiles(grid, [PERCENTILES[name] for name in self._percentiles])
        self._weighted = WeightedMean(grid, longest_us)
        self._rate = Rate(grid)
        self._durations = Durations(grid, longest_us)

    def add(self, block: Block) -> None:
        """Take readings in the order of time, none of them earlier than those before."""
        column = block.channels.get(self._channel)
        if column is None:
            return
        time_us, numbers = block.time_us, column.numbers
        measured = column.measured
        if measured is not None:
            time_us, numbers = time_us[measured], numbers[measured]
        asked = self._functions
        self._buckets.append(buckets_of(time_us, numbers, self._grid, with_squares="deviation" in asked))
        if self._percentiles:
            self._quantiles.add(time_us, numbers)
        if "time_weighted_mean" in asked:
            self._weighted.add(time_us, numbers)
        if "rate" in asked:
            self._rate.add(time_us, numbers)
        if "duration" in asked:
            self._durations.add(block.time_us, column)

    def buckets(self) -> Buckets:
        """The sums of each bucket that has a number."""
        return merged(self._buckets)

    def answer(self) -> tuple[Integers, dict[str, Reals]]:
        """The starts of the buckets that have a number, and an array for each function but `duration`."""
        buckets = self.buckets()
        found: dict[str, Any] = {name: getattr(buckets, name) for name in self._functions if name in SUMS}
        if self._percentiles:
            found |= dict(zip(self._percentiles, self._quantiles.answer()[1].T, strict=True))
        if "time_weighted_mean" in self._functions:
            found["time_weighted_mean"] = self._weighted.answer(buckets)
        if "rate" in self._functions:
            found["rate"] = self._rate.answer(buckets)
        return buckets.start_us, {name: found[name] for name in self._functions if name in found}

    @property
    def states(self) -> int:
        """How many different texts and booleans `duration` has met."""
        return self._durations.states

    def durations(self) -> tuple[Integers, dict[State, Reals]]:
        """The starts of the buckets that have a text or a boolean, and the seconds of each of these."""
        return self._durations.answer()
