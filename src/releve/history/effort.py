"""How a series of repetitions was worked, from its columns: tempo, the trend of asymmetry, acceleration as a whole."""

import numpy as np

from releve.history.array import Integers, Reals
from releve.history.block import Block
from releve.history.column import Column, Kind
from releve.protocol.reading import NUMBER_LIMIT

REPETITIONS, ASYMMETRY = "repetitions", "asymmetry"
TOTAL = "acceleration_total"
AXES = ("acceleration_x", "acceleration_y", "acceleration_z")
_SECOND_US, _MINUTE_US = 1_000_000, 60_000_000


def acceleration_total(block: Block) -> Column:
    """The length of the acceleration: as sent, else of its three axes where a reading has them all.

    >>> axes = {name: Column.of([value]) for name, value in zip(AXES, (2.0, 3, 6.0))}
    >>> acceleration_total(Block(np.array([0]), axes)).values()
    [7.0]
    """
    sent = block.column(TOTAL)
    x, y, z = (block.column(axis).numbers for axis in AXES)
    length = np.sqrt(x * x + y * y + z * z)
    follows = ~sent.present & (length < NUMBER_LIMIT)
    return Column(
        np.where(follows, Kind.REAL, sent.kinds).astype(np.uint8), np.where(follows, length, sent.numbers), sent.coded
    )


class Effort:
    """Collects the readings of a series.

    Attributes:
        tempos_s: Seconds a repetition, from each rise of the count to the next; several at once share their time.
    """

    def __init__(self) -> None:
        self.tempos_s: list[float] = []
        self._rise: tuple[Integers, Reals] = np.zeros(0, np.int64), np.zeros(0)
        self._first_us: int | None = None
        self._line = np.zeros(
            5
        )  # how many points, the means of x and y, the sums of (x - mean)² and (x - mean)(y - mean)

    def add(self, block: Block) -> None:
        """Take readings in the order of time, none of them earlier than those before."""
        if not len(block):
            return
        if self._first_us is None:
            self._first_us = int(block.time_us[0])
        self._add_rises(block)
        asymmetry = block.column(ASYMMETRY).numbers
        known = ~np.isnan(asymmetry)
        if known.any():
            self._add_points((block.time_us[known] - self._first_us) / _MINUTE_US, asymmetry[known])

    @property
    def asymmetry_trend_per_min(self) -> float | None:
        """How much the asymmetry grows in a minute: the slope of the line nearest to it; None where there is none."""
        _, _, _, spread, together = self._line.tolist()
        return together / spread if spread else None

    def _add_rises(self, block: Block) -> None:
        count = block.column(REPETITIONS).numbers
        counted = np.flatnonzero(~np.isnan(count) & (count != 0))
        time_us = np.concatenate([self._rise[0], block.time_us[counted]])
        count = np.concatenate([self._rise[1], count[counted]])
        if not len(count):
            return
        rises = np.ones(len(count), bool)
        rises[1:] = count[1:] > np.maximum.accumulate(count)[:-1]
        time_us, count = time_us[rises], count[rises]
        self.tempos_s += (np.diff(time_us) / _SECOND_US / np.diff(count)).tolist()
        self._rise = time_us[-1:], count[-1:]

    def _add_points(self, x: Reals, y: Reals) -> None:
        """Merge a line's sums with those of further points, which loses no digits to how far they lie from nought."""
        n, mean_x, mean_y, spread, together = self._line.tolist()
        new_x, new_y = float(x.mean()), float(y.mean())
        whole = n + len(x)
        share = n * len(x) / whole
        self._line = np.array(
            [
                whole,
                mean_x + (new_x - mean_x) * len(x) / whole,
                mean_y + (new_y - mean_y) * len(x) / whole,
                spread + float(((x - new_x) ** 2).sum()) + share * (new_x - mean_x) ** 2,
                together + float(((x - new_x) * (y - new_y)).sum()) + share * (new_x - mean_x) * (new_y - mean_y),
            ]
        )
