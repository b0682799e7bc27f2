"""The repetitions of a set one by one, from its columns: tempo and what is lost of it, the way of the movement.

Everything here is computed between the first and the last rise of the count: what lies before is the way to the first
repetition and perhaps a rest, what lies behind is rest.
"""

import numpy as np

from releve.history.array import Integers, Reals
from releve.history.block import Block, joined
from releve.history.effort import AXES, REPETITIONS

MOST_READINGS = 200_000  # a set has hundreds; what never ends is not kept in memory
SECOND_US = 1_000_000
COMPARED = 2  # repetitions at either end
FEWEST_READINGS = 8
READINGS_EACH = 4  # of a repetition: of fewer the highest is chance
LEAST_SPREAD = 1e-6  # (m/s²)²: a sensor that lies still


class Repetitions:
    """Collects the readings of one set."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._n = 0

    def add(self, block: Block) -> None:
        """Take readings that count, in the order of time."""
        told = ~np.isnan(block.column(REPETITIONS).numbers)
        if self._n < MOST_READINGS and told.any():
            own = Block(block.time_us, {name: block.column(name) for name in (REPETITIONS, *AXES)}).take(told)
            self._blocks.append(own)
            self._n += len(own)

    @property
    def tempos_s(self) -> Reals:
        """Seconds that each repetition took after the first that was seen; several at once share their time.

        >>> from releve.history.column import Column
        >>> found = Repetitions()
        >>> found.add(Block(np.array([0, 2, 5, 9]) * SECOND_US, {REPETITIONS: Column.of([1, 2, 3, 5])}))
        >>> found.tempos_s.tolist()
        [2.0, 3.0, 2.0, 2.0]
        """
        time_us, count = self._rises()
        if len(count) < 2:  # noqa: PLR2004 - from one to the next
            return np.zeros(0)
        many = np.maximum(np.round(np.diff(count)).astype(np.int64), 1)[:MOST_READINGS]
        found: Reals = np.repeat(np.diff(time_us) / SECOND_US / np.diff(count), np.minimum(many, 1000))
        return found

    @property
    def tempo_loss_percent(self) -> float | None:
        """How much longer the last two repetitions took than the first two, in the mean; None of fewer than four."""
        tempos_s = self.tempos_s
        if len(tempos_s) < 2 * COMPARED:
            return None
        first, last = float(tempos_s[:COMPARED].mean()), float(tempos_s[-COMPARED:].mean())
        return 100 * (last - first) / first if first else None

    @property
    def sideways_percent(self) -> float | None:
        """How much of the movement lies off its own main line: 0 for a straight one, up to 82 for none at all.

        The main line is the first principal axis of the three accelerations, so it does not matter how the sensor is
        mounted, and gravity falls out with the mean.
        """
        moved = self._moved()
        if moved is None:
            return None
        spread = np.linalg.eigvalsh(np.cov(moved[1].T))
        if float(spread.sum()) < LEAST_SPREAD:
            return None
        return 100 * float(np.sqrt(max(0.0, spread[0] + spread[1]) / spread.sum()))

    @property
    def odd_even_percent(self) -> float | None:
        """How much stronger the odd repetitions are than the even ones, by the mean of their highest accelerations.

        It is a difference of sides where the sides take turns, and should be near 0 elsewhere. None of fewer than two
        of each, or where a repetition has hardly any readings.
        """
        moved = self._moved()
        if moved is None:
            return None
        count, acceleration = moved
        length = np.linalg.norm(acceleration - acceleration.mean(axis=0), axis=1)
        done, places, sizes = np.unique(count, return_inverse=True, return_counts=True)
        if sizes.min() < READINGS_EACH or (done != np.round(done)).any() or (np.diff(done) != 1).any():
            return None
        highest = np.zeros(len(done))
        np.maximum.at(highest, places, length)
        is_odd = (done + 1) % 2 == 1  # whoever has done c is at the repetition after it
        if is_odd.sum() < COMPARED or (~is_odd).sum() < COMPARED:
            return None
        odd, even = float(highest[is_odd].mean()), float(highest[~is_odd].mean())
        return 200 * (odd - even) / (odd + even) if odd + even else None

    def _whole(self) -> Block:
        return joined(self._blocks) if self._blocks else Block(np.zeros(0, np.int64), {})

    def _rises(self) -> tuple[Integers, Reals]:
        """The instants at which the count rose above all before, and to what."""
        block = self._whole()
        count = block.column(REPETITIONS).numbers
        if not len(count):
            return block.time_us, count
        rises = count > 0
        rises[1:] &= count[1:] > np.maximum.accumulate(count)[:-1]
        return block.time_us[rises], count[rises]

    def _moved(self) -> tuple[Reals, Reals] | None:
        """From the first rise of the count up to the last: how many were done, and the three accelerations."""
        rises_us, _ = self._rises()
        if len(rises_us) < 2:  # noqa: PLR2004 - from one to the next
            return None
        block = self._whole().within(int(rises_us[0]), int(rises_us[-1]))
        acceleration = np.stack([block.column(axis).numbers for axis in AXES], axis=1)
        is_known = ~np.isnan(acceleration).any(axis=1)
        if is_known.sum() < FEWEST_READINGS:
            return None
        return block.column(REPETITIONS).numbers[is_known], acceleration[is_known]
