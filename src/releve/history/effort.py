"""How a series of repetitions was worked, from its columns: tempo, the trend of asymmetry, acceleration as a whole."""

import numpy as np

from releve.history.array import Integers, Reals
from releve.history.block import Block
from releve.history.column import Column, Kind
from releve.protocol.reading import NUMBER_LIMIT
from releve.protocol.run.series import LEAST_S

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


class Line:
    """The straight line nearest to points (least squares), which come piece by piece."""

    def __init__(self) -> None:
        self._n = 0
        self._mean = 0.0, 0.0
        self._spread = 0.0  # the sum of (x - mean)²
        self._together = 0.0  # of (x - mean)(y - mean)

    def add(self, x: Reals, y: Reals) -> None:
        """Take points; the sums of those before lose no digits to how far they lie from nought."""
        if not len(x):
            return
        mean_x, mean_y = self._mean
        new_x, new_y = float(x.mean()), float(y.mean())
        whole = self._n + len(x)
        share = self._n * len(x) / whole
        self._spread += float(((x - new_x) ** 2).sum()) + share * (new_x - mean_x) ** 2
        self._together += float(((x - new_x) * (y - new_y)).sum()) + share * (new_x - mean_x) * (new_y - mean_y)
        self._mean = mean_x + (new_x - mean_x) * len(x) / whole, mean_y + (new_y - mean_y) * len(x) / whole
        self._n = whole

    @property
    def slope(self) -> float | None:
        """How steep it is, None where there is none."""
        return self._together / self._spread if self._spread else None


class Effort:
    """Collects the readings of a series."""

    def __init__(self) -> None:
        self._tempos = Line()
        self._repeated = 0
        self._rise: tuple[Integers, Reals] = np.zeros(0, np.int64), np.zeros(0)
        self._asymmetry = Line()
        self._told_us: tuple[int, int] | None = None  # the first and the last instant that the asymmetry is told of

    def add(self, block: Block) -> None:
        """Take readings in the order of time, none of them earlier than those before."""
        self._add_tempos(self._tempos_s(block))
        asymmetry = block.column(ASYMMETRY).numbers
        known = np.flatnonzero(~np.isnan(asymmetry))
        if len(known):
            time_us = block.time_us[known]
            first_us = int(time_us[0]) if self._told_us is None else self._told_us[0]
            self._told_us = first_us, int(time_us[-1])
            self._asymmetry.add((time_us - first_us) / _MINUTE_US, asymmetry[known])

    @property
    def asymmetry_trend_per_min(self) -> float | None:
        """How much the asymmetry grows in a minute; None where hardly any time passed."""
        if self._told_us is None or self._told_us[1] - self._told_us[0] < LEAST_S * _SECOND_US:
            return None
        return self._asymmetry.slope

    @property
    def tempo_trend_s(self) -> float | None:
        """How much longer each repetition takes than the one before it, in seconds; None of fewer than two."""
        return self._tempos.slope

    def _tempos_s(self, block: Block) -> Reals:
        """Seconds a repetition, from each rise of the count to the next; several at once share their time."""
        count = block.column(REPETITIONS).numbers
        counted = np.flatnonzero(~np.isnan(count) & (count != 0))
        time_us = np.concatenate([self._rise[0], block.time_us[counted]])
        count = np.concatenate([self._rise[1], count[counted]])
        if not len(count):
            return np.zeros(0)
        rises = np.ones(len(count), bool)
        rises[1:] = count[1:] > np.maximum.accumulate(count)[:-1]
        time_us, count = time_us[rises], count[rises]
        self._rise = time_us[-1:], count[-1:]
        tempos_s: Reals = np.diff(time_us) / _SECOND_US / np.diff(count)
        return tempos_s

    def _add_tempos(self, tempos_s: Reals) -> None:
        self._tempos.add(np.arange(self._repeated, self._repeated + len(tempos_s), dtype=np.float64), tempos_s)
        self._repeated += len(tempos_s)
