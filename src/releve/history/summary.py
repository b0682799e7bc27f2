"""What a run was, collected in one pass over its readings: each channel, the rhythm, gaps, laps, effort."""

from collections.abc import Iterator

import numpy as np

from releve.history.array import Integers, Mask, Reals
from releve.history.block import Block
from releve.history.bucket import Buckets, merged, sums
from releve.history.column import Column
from releve.history.effort import AXES, TOTAL, Effort, acceleration_total
from releve.history.gap import Gaps
from releve.history.grid import Grid, cut
from releve.history.lap import Laps
from releve.protocol.reading import NUMBER_LIMIT
from releve.protocol.run.statistic import Statistic, merged_of, within

Measured = tuple[str, Reals, Mask | None]


class Channels:
    """What each numeric channel did over everything that was taken."""

    def __init__(self) -> None:
        self._found: dict[str, Statistic] = {}

    def add(self, block: Block) -> None:
        """Take readings in the order of time, none of them earlier than those before."""
        for name, numbers, _ in measured(block):
            new, before = _statistic(numbers), self._found.get(name)
            self._found[name] = new if before is None else merged_of(before, new)

    def answer(self) -> dict[str, Statistic]:
        """By the channel's name, in order."""
        return dict(sorted(self._found.items()))


class Pieces:
    """What each numeric channel did in each bucket.

    Args:
        grid: The buckets.
        with_squares: Whether deviations will be asked for.
    """

    def __init__(self, grid: Grid, *, with_squares: bool = False) -> None:
        self._grid = grid
        self._with_squares = with_squares
        self._starts: list[Integers] = []
        self._found: dict[str, list[Buckets]] = {}

    @property
    def starts_us(self) -> Integers:
        """The buckets that have a reading, in order."""
        return np.unique(np.concatenate([np.zeros(0, np.int64), *self._starts]))

    def add(self, block: Block) -> None:
        """Take readings in the order of time, none of them earlier than those before."""
        if not len(block):
            return
        whole = cut(block.time_us, self._grid)
        self._starts.append(whole.starts_us)
        for name, numbers, where in measured(block):
            pieces = whole if where is None else cut(block.time_us[where], self._grid)
            self._found.setdefault(name, []).append(sums(pieces, numbers, with_squares=self._with_squares))

    def answer(self) -> dict[str, Buckets]:
        """By the channel's name, in order; buckets without a number are left out."""
        return {name: merged(parts) for name, parts in sorted(self._found.items())}


class Summary:
    """Everything that is told of a run.

    Args:
        derives_total: Whether readings with all three axes have the length of the acceleration too.
        tells_laps: Whether laps are asked for.
        tells_effort: Whether tempo and asymmetry are.

    Attributes:
        channels: What each numeric channel did.
        gaps: How many readings, from when to when, their rhythm and where they are missing.
        laps: None where they are not asked for.
        effort: Likewise.
    """

    def __init__(self, *, derives_total: bool = False, tells_laps: bool = False, tells_effort: bool = False) -> None:
        self._derives_total = derives_total
        self.channels = Channels()
        self.gaps = Gaps()
        self.laps = Laps() if tells_laps else None
        self.effort = Effort() if tells_effort else None

    def add(self, block: Block, counts: Mask | None = None) -> None:
        """Take readings in the order of time, none of them earlier than those before.

        Args:
            block: Readings.
            counts: Which of them count, None for all; laps look at the others too.
        """
        if self.laps is not None:
            self.laps.add(block, counts)
        counted = block if counts is None else block.take(counts)
        if not len(counted):
            return
        self.gaps.add(counted.time_us)
        self.channels.add(with_total(counted) if self._derives_total else counted)
        if self.effort is not None:
            self.effort.add(counted)


def with_total(block: Block) -> Block:
    """The block with the length of the acceleration, where its readings have all three axes."""
    if any(axis not in block.channels for axis in AXES):
        return block
    names = (*AXES, TOTAL)
    clean = {name: _clean(block.channels[name]) for name in names if name in block.channels}
    total = acceleration_total(Block(block.time_us, clean))
    return Block(block.time_us, {**block.channels, TOTAL: total})


def measured(block: Block) -> Iterator[Measured]:
    """Each channel that has numbers, these, and where they are; None for everywhere.

    A number beyond 1e150 is no measurement, and its square would not fit; only an earlier release stored any.
    """
    for name, column in block.channels.items():
        numbers = column.numbers
        if numbers.min() > -NUMBER_LIMIT and numbers.max() < NUMBER_LIMIT:  # neither is true where one is missing
            yield name, numbers, None
            continue
        where: Mask = np.abs(numbers) < NUMBER_LIMIT
        if where.any():
            yield name, numbers[where], where


def _statistic(numbers: Reals) -> Statistic:
    low, high = float(numbers.min()), float(numbers.max())
    mean = within(float(numbers.mean()), low, high)
    return Statistic(
        n=len(numbers),
        low=low,
        high=high,
        mean=mean,
        squares=float(((numbers - mean) ** 2).sum()),
        first=float(numbers[0]),
        last=float(numbers[-1]),
    )


def _clean(column: Column) -> Column:
    """A column whose numbers are measurements."""
    if np.abs(column.numbers).max() < NUMBER_LIMIT:
        return column
    return Column(column.kinds, np.where(np.abs(column.numbers) < NUMBER_LIMIT, column.numbers, np.nan), column.coded)
