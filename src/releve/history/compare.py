"""A channel of runs on a grid that they share, along the time or another channel, so that they can be subtracted."""

import numpy as np

from releve.history.array import Integers, Reals
from releve.history.block import Block

_SLACK = 1e-9
_SECOND_US = 1_000_000


class Curve:
    """Interpolates points that come in order onto a grid.

    Points whose place does not rise above every one before (a car that stands, a sensor that jumps back) are left out.

    Args:
        channel: What is compared.
        along: Along which channel; None for the seconds since the first point.
        grid: The places, rising.
    """

    def __init__(self, channel: str, along: str | None, grid: Reals) -> None:
        self._channel = channel
        self._along = along
        self._grid = grid
        self._slack = _SLACK * max(1.0, abs(grid[0]), abs(grid[-1]))
        self._first_us: int | None = None
        self._before: tuple[Reals, Reals, Reals] = np.zeros(0), np.zeros(0), np.zeros(0)
        self._values: list[Reals] = []
        self._elapsed_s: list[Reals] = []
        self._filled = 0

    def add(self, block: Block) -> None:
        """Take readings in the order of time, none of them earlier than those before."""
        time_us, x, value = points(block, self._channel, self._along)
        if not len(time_us):
            return
        if self._first_us is None:
            self._first_us = int(time_us[0])
        elapsed_s = (time_us - self._first_us) / _SECOND_US
        x = elapsed_s if self._along is None else x
        x, value, elapsed_s = (
            np.concatenate(pair) for pair in zip(self._before, (x, value, elapsed_s), strict=True)
        )  # fmt: skip
        furthest = np.maximum.accumulate(x)
        rises = np.ones(len(x), bool)
        rises[1:] = x[1:] > furthest[:-1]
        x, value, elapsed_s = x[rises], value[rises], elapsed_s[rises]
        end = int(np.searchsorted(self._grid, x[-1] + self._slack, side="right"))
        places = self._grid[self._filled : max(end, self._filled)]
        self._values.append(np.interp(places, x, value))
        self._elapsed_s.append(np.interp(places, x, elapsed_s))
        self._filled += len(places)
        self._before = x[-1:], value[-1:], elapsed_s[-1:]

    @property
    def values(self) -> Reals:
        """The value at each place that the run came to."""
        return np.concatenate([np.zeros(0), *self._values])

    @property
    def elapsed_s(self) -> Reals:
        """How long the run had gone on there, in seconds."""
        return np.concatenate([np.zeros(0), *self._elapsed_s])


class Extent:
    """Collects from where to where a run's points go.

    Attributes:
        first_us: The instant of the first point, None of none.
        last_us: Of the last.
        low: The least place along the channel, the seconds 0 along the time.
        high: The greatest.
    """

    def __init__(self, channel: str, along: str | None) -> None:
        self._channel = channel
        self._along = along
        self.first_us: int | None = None
        self.last_us: int | None = None
        self.low = 0.0 if along is None else np.inf
        self.high = 0.0 if along is None else -np.inf

    def add(self, block: Block) -> None:
        """Take readings in the order of time, none of them earlier than those before."""
        time_us, x, _ = points(block, self._channel, self._along)
        if not len(time_us):
            return
        if self.first_us is None:
            self.first_us = int(time_us[0])
        self.last_us = int(time_us[-1])
        if self._along is None:
            self.high = (self.last_us - self.first_us) / _SECOND_US
        else:
            self.low, self.high = min(self.low, float(x.min())), max(self.high, float(x.max()))


def points(block: Block, channel: str, along: str | None) -> tuple[Integers, Reals, Reals]:
    """The instant, the place along another channel and the value of each reading that has both as numbers."""
    value = block.column(channel).numbers
    x = np.zeros(len(block)) if along is None else block.column(along).numbers
    known = ~(np.isnan(value) | np.isnan(x))
    return block.time_us[known], x[known], value[known]
