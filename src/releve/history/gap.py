"""Gaps and completeness by the rhythm that the readings themselves show, block after block."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from releve.history.array import Integers
from releve.protocol.run.completeness import FIRST_GAPS, MOST_GAPS, PATIENCE

Gap = tuple[int, int]


class Silences(NamedTuple):
    """What tells the gaps of a stretch in place of its instants.

    Attributes:
        n: How many instants.
        first_us: The earliest.
        last_us: The latest.
        since_us: Where its hundred longest gaps begin, in the order of time.
        until_us: Where they end.
    """

    n: int
    first_us: int
    last_us: int
    since_us: Integers
    until_us: Integers


def silences_of(time_us: Integers) -> Silences:
    """Those of instants in order, one or more."""
    since_us, until_us = _longest(time_us[:-1], time_us[1:])
    # Copies: the instants, of which these would be views where they are few, are not kept.
    return Silences(len(time_us), int(time_us[0]), int(time_us[-1]), since_us.copy(), until_us.copy())


class Gaps:
    """Collects instants.

    Attributes:
        n: How many came.
        first_us: The earliest, None of none.
        last_us: The latest.
    """

    def __init__(self) -> None:
        self.n = 0
        self.first_us: int | None = None
        self.last_us: int | None = None
        self._first: Integers = np.zeros(0, np.int64)
        self._is_rhythm_known = False
        self._longest: tuple[Integers, Integers] = np.zeros(0, np.int64), np.zeros(0, np.int64)

    def add(self, time_us: Integers) -> None:
        """Take instants in order, none of them earlier than those before."""
        if not len(time_us):
            return
        if self.first_us is None:
            self.first_us = int(time_us[0])
        if not self._is_rhythm_known:
            self._first = np.concatenate([self._first, time_us[: FIRST_GAPS + 1 - len(self._first)]])
            self._is_rhythm_known = len(self._first) > FIRST_GAPS
        edges_us = time_us if self.last_us is None else np.concatenate([[self.last_us], time_us])
        length_us = np.diff(edges_us)
        longer = np.flatnonzero(length_us > self._shortest_us())
        if len(longer):
            since_us = np.concatenate([self._longest[0], edges_us[longer]])
            until_us = np.concatenate([self._longest[1], edges_us[longer + 1]])
            self._longest = _longest(since_us, until_us)
        self.n += len(time_us)
        self.last_us = int(time_us[-1])

    def add_silences(self, stretches: Sequence[Silences]) -> None:
        """Take stretches in order, in place of their instants, none of them earlier than those before.

        The rhythm is that of the instants which came before: a thousand of them, or the gaps are others.
        """
        if not stretches:
            return
        self._is_rhythm_known = True
        if self.last_us is None:
            self.first_us = self.last_us = stretches[0].first_us
        before_us = np.array([self.last_us, *(each.last_us for each in stretches[:-1])])
        first_us = np.array([each.first_us for each in stretches])
        since_us = [self._longest[0], before_us, *(each.since_us for each in stretches)]
        until_us = [self._longest[1], first_us, *(each.until_us for each in stretches)]
        self._longest = _longest(np.concatenate(since_us), np.concatenate(until_us))
        self.n += sum(each.n for each in stretches)
        self.last_us = stretches[-1].last_us

    @property
    def rhythm_us(self) -> float | None:
        """The median of the first thousand gaps; None of fewer than two readings."""
        return float(np.median(np.diff(self._first))) if len(self._first) > 1 else None

    def longer(self, *, patience: float = PATIENCE, edges_us: tuple[int, int] | None = None) -> list[Gap]:
        """The hundred longest of the gaps that are longer than so many times the rhythm, in the order of time.

        Args:
            patience: How many times the rhythm is no gap yet.
            edges_us: A span whose start and end count as readings.
        """
        if not self.rhythm_us or self.first_us is None or self.last_us is None:
            return []
        since_us, until_us = self._longest
        if edges_us is not None:
            since_us = np.concatenate([since_us, [edges_us[0], self.last_us]])
            until_us = np.concatenate([until_us, [self.first_us, edges_us[1]]])
        since_us, until_us = _longest(since_us, until_us)
        is_gap = until_us - since_us > patience * self.rhythm_us
        return list(zip(since_us[is_gap].tolist(), until_us[is_gap].tolist(), strict=True))

    def _shortest_us(self) -> int:
        """What a gap must exceed to be one of the longest: of two that are as long the earlier stays."""
        since_us, until_us = self._longest
        return int((until_us - since_us).min()) if len(since_us) == MOST_GAPS else -1


def _longest(since_us: Integers, until_us: Integers) -> tuple[Integers, Integers]:
    """The longest, the earlier of two that are as long first, in the order of time."""
    order = np.argsort(since_us, kind="stable")
    since_us, until_us = since_us[order], until_us[order]
    if len(since_us) > MOST_GAPS:
        length_us = until_us - since_us
        least_us = np.partition(length_us, -MOST_GAPS)[-MOST_GAPS]
        is_chosen = length_us > least_us
        is_chosen[np.flatnonzero(length_us == least_us)[: MOST_GAPS - int(is_chosen.sum())]] = True
        since_us, until_us = since_us[is_chosen], until_us[is_chosen]
    return since_us, until_us
