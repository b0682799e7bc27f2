"""How long a channel of text or booleans was in each of its states, for each bucket."""

import numpy as np

from releve.history.array import Integers, Reals
from releve.history.column import Column, Kind
from releve.history.grid import Grid
from releve.history.holding import shares

State = str | bool


class Durations:
    """Collects a channel's states; numbers and whatever else are none, and end none.

    Args:
        grid: The buckets.
        longest_us: How long a state holds at most without being sent again, None for however long.
    """

    def __init__(self, grid: Grid, longest_us: int | None = None) -> None:
        self._grid = grid
        self._longest_us = longest_us
        self._states: dict[State, int] = {}
        self._before: tuple[Integers, Integers] = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._seen: list[Integers] = []
        self._parts: list[tuple[Integers, Integers, Reals]] = []

    def add(self, time_us: Integers, column: Column) -> None:
        """Take a channel's values in the order of time, none of them earlier than those before."""
        number = self._numbers(column)
        is_state = number >= 0
        if not is_state.any():
            return
        self._seen.append(np.unique(self._grid.starts_us(time_us[is_state])))
        time_us = np.concatenate([self._before[0], time_us[is_state]])
        number = np.concatenate([self._before[1], number[is_state]])
        share = shares(time_us, self._grid, longest_us=self._longest_us)
        self._parts.append((share.start_us, number[share.place], share.seconds))
        self._before = time_us[-1:], number[-1:]

    @property
    def states(self) -> int:
        """How many different states came."""
        return len(self._states)

    def answer(self) -> tuple[Integers, dict[State, Reals]]:
        """The starts of the buckets that have a state, and how many seconds of each one every state held."""
        starts_us = np.unique(np.concatenate(self._seen)) if self._seen else np.zeros(0, np.int64)
        held = np.zeros((len(self._states), len(starts_us)))
        for start_us, number, seconds in self._parts:
            np.add.at(held, (number, np.searchsorted(starts_us, start_us)), seconds)
        return starts_us, dict(zip(self._states, held, strict=True))

    def _numbers(self, column: Column) -> Integers:
        """The number of each reading's state, -1 where it has none."""
        found = np.full(len(column), -1, np.int64)
        for kind, state in ((Kind.FALSE, False), (Kind.TRUE, True)):
            here = column.kinds == kind
            if here.any():
                found[here] = self._number(state)
        is_text = column.kinds == Kind.TEXT
        if column.coded is not None and is_text.any():
            used = np.unique(column.coded.code[is_text]).tolist()
            table = np.full(len(column.coded.words), -1, np.int64)
            table[used] = [self._number(column.coded.words[code]) for code in used]
            found[is_text] = table[column.coded.code[is_text]]
        return found

    def _number(self, state: State) -> int:
        return self._states.setdefault(state, len(self._states))
