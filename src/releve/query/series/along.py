"""A run's channels along another of them, such as the distance: buckets of places in place of buckets of time."""

from collections.abc import Sequence

import numpy as np

from releve.history.array import Reals
from releve.history.block import Block
from releve.history.bucket import Buckets, buckets_of, in_order, merged
from releve.history.column import Column
from releve.history.column import joined as joined_columns
from releve.history.grid import Even

_NUMBERED = Even(1)  # buckets by their number
_WAITING = 4  # times as many buckets as points wait before they are put together


class Along:
    """Collects readings, which may come to a place again: a bucket's first is the earliest there, its last the latest.

    Readings without a number for the place are left out.

    Args:
        by: The channel that the places are on.
        channels: The channels that are shown.
        places: The least and the greatest place.
        points: How many buckets there are.
        is_raw: Whether the readings themselves are the answer where they are no more than the points.

    Attributes:
        width: Of a bucket, in the unit of the channel `by`.
        is_raw: Whether the readings themselves are the answer.
    """

    def __init__(
        self, by: str, channels: Sequence[str], places: tuple[float, float], *, points: int, is_raw: bool
    ) -> None:
        self._by = by
        self._low = places[0]
        self._points = points
        self._n = 0
        self._parts: dict[str, list[Buckets]] = {name: [] for name in channels}
        self._raw: dict[str, list[tuple[Reals, Column]]] = {name: [] for name in channels}
        self.width = (places[1] - places[0]) / points
        self.is_raw = is_raw

    def add(self, block: Block) -> None:
        """Take readings in the order of time, none of them earlier than those before."""
        at = block.column(self._by).numbers
        known = ~np.isnan(at)
        at = at[known]
        self._n += len(at)
        self.is_raw = self.is_raw and self._n <= self._points
        number = np.zeros(len(at), np.int64)
        if self.width > 0:
            number = np.minimum((at - self._low) // self.width, self._points - 1).astype(np.int64)
        for name, parts in self._parts.items():
            column = block.column(name).take(known)
            if self.is_raw:
                present = column.present
                self._raw[name].append((at[present], column.take(present)))
            measured = np.flatnonzero(~np.isnan(column.numbers))
            order = measured[np.argsort(number[measured], kind="stable")]
            parts.append(buckets_of(number[order], column.numbers[order], _NUMBERED, with_squares=True))
            if sum(len(part.n) for part in parts) > _WAITING * self._points:
                parts[:] = [_together(parts)]

    def raw(self, channel: str) -> tuple[Reals, Column]:
        """The place and the value of each reading, where the readings themselves are the answer."""
        parts = self._raw[channel]
        if not parts:
            return np.zeros(0), Column.absent(0)
        return np.concatenate([at for at, _ in parts]), joined_columns([column for _, column in parts])

    def buckets(self, channel: str) -> tuple[Reals, Buckets]:
        """Where each bucket starts, in the unit of the channel `by`, and the buckets, which start at their numbers."""
        found = _together(self._parts[channel])
        return (self._low + found.start_us * self.width).astype(np.float64), found


def _together(parts: Sequence[Buckets]) -> Buckets:
    """Buckets of stretches that follow each other in time; those of one number become one, the earlier first."""
    return merged(in_order(parts))
