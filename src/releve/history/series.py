"""A chart of channels: M4 buckets, or the readings themselves where these are no more than the points asked for."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from releve.history.array import Integers
from releve.history.block import Block
from releve.history.bucket import Buckets, buckets_of, in_order, merged
from releve.history.column import Column
from releve.history.column import joined as joined_columns
from releve.history.grid import Even, Grid
from releve.history.ladder import Ladder, divides


class Raw(NamedTuple):
    """A channel's values themselves.

    Attributes:
        time_us: Of each reading that has one.
        column: The values.
    """

    time_us: Integers
    column: Column


class Series:
    """Collects a chart, block after block.

    Args:
        channels: Their names.
        grid: The buckets.
        points: How many readings are still answered as they are; 0 for none.
    """

    def __init__(self, channels: Sequence[str], grid: Grid, points: int) -> None:
        self._grid = grid
        self._points = points
        self._n = 0
        self._buckets: dict[str, list[Buckets]] = {name: [] for name in channels}
        self._raw: dict[str, list[Raw]] = {name: [] for name in channels}

    @classmethod
    def even(cls, channels: Sequence[str], *, from_us: int, to_us: int, points: int) -> "Series":
        """A chart of the span [from, to) with so many points."""
        return cls(channels, Even.of(from_us, to_us, points), points)

    @property
    def is_raw(self) -> bool:
        """Whether the readings themselves are the answer."""
        return self._n <= self._points

    def add(self, block: Block) -> None:
        """Take readings in the order of time, none of them earlier than those before."""
        self._n += len(block)
        for name, parts in self._buckets.items():
            column = block.channels.get(name)
            if column is None:
                continue
            if self.is_raw:
                present = column.present
                self._raw[name].append(Raw(block.time_us[present], column.take(present)))
            measured = column.measured
            if measured is None:
                parts.append(buckets_of(block.time_us, column.numbers, self._grid))
            else:
                parts.append(buckets_of(block.time_us[measured], column.numbers[measured], self._grid))
        if not self.is_raw:
            self._raw = {}

    def add_ladder(self, found: Ladder, n: int) -> None:
        """Take a segment's ladder in place of its readings, which all count and lie within the span.

        Args:
            found: The ladder; the chart's buckets are made of whole rungs.
            n: How many readings the segment has.

        Raises:
            ValueError: A rung would lie in two buckets.
        """
        if not isinstance(self._grid, Even) or not divides(found.width_us, self._grid):
            raise ValueError(f"rungs of {found.width_us} µs do not make up {self._grid}")
        self._n += n + self._points  # whatever their number, the readings themselves are not at hand
        self._raw = {}
        for name, parts in self._buckets.items():
            if name in found.channels:
                rungs = found.channels[name]
                parts.append(rungs._replace(start_us=self._grid.starts_us(rungs.start_us)))

    def buckets(self, channel: str) -> Buckets:
        """The buckets of a channel that have a number."""
        return merged(in_order(self._buckets[channel]))

    def raw(self, channel: str) -> Raw:
        """The values of a channel, where the readings themselves are the answer."""
        parts = self._raw[channel]
        if not parts:
            return Raw(np.zeros(0, np.int64), Column.absent(0))
        return Raw(np.concatenate([part.time_us for part in parts]), joined_columns([part.column for part in parts]))
