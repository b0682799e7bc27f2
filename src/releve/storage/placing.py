"""Which segments are written anew for new readings: those that late ones belong to, and small neighbours.

A segment is joined by its neighbour while that holds at most three times as many readings, up to what a full segment
has: so a reading is written again a few times in its life, and a device has few small segments.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from releve.history.array import Integers
from releve.history.segment import READINGS
from releve.storage.segments import Sealed

MOST_READINGS = READINGS * 5 // 4
MOST_BYTES = 16_000_000
TIMES = 3


class Rewrite(NamedTuple):
    """New readings, and the segments that become one with them.

    Attributes:
        first: Place of the first of the new readings.
        last: Behind the last.
        segments: What is replaced, by its first instant.
    """

    first: int
    last: int
    segments: list[Sealed]

    @property
    def n(self) -> int:
        """How many readings are written."""
        return self.last - self.first + sum(each.n for each in self.segments)


def rewrites(sealed: Sequence[Sealed], time_us: Integers) -> list[Rewrite]:
    """What is to be written for new readings, in the order of time; together they take every one of them, once.

    Args:
        sealed: The device's segments, by their first instant.
        time_us: The instants of the new readings, in order.
    """
    items = _items(sealed, time_us)
    found: list[Rewrite] = []
    at = 0
    for place, item in enumerate(items):
        if place < at or item.first == item.last:
            continue
        begin, end, whole = place, place + 1, item
        while True:
            if begin > at and (wider := _together(items[begin - 1], whole, TIMES * whole.n)):
                begin, whole = begin - 1, wider
            elif end < len(items) and (wider := _together(whole, items[end], TIMES * whole.n)):
                end, whole = end + 1, wider
            else:
                break
        found.append(whole)
        at = end
    return found


def joins(sealed: Sequence[Sealed]) -> list[list[Sealed]]:
    """Which neighbouring segments are to become one, where no reading is new.

    >>> [[each.n for each in group] for group in joins([Sealed(n, n, n, n, 9) for n in (32000, 3000, 1000, 2000)])]
    [[3000, 1000, 2000]]
    """
    stack: list[Rewrite] = []
    for each in sealed:
        stack.append(Rewrite(0, 0, [each]))
        while len(stack) > 1 and (wider := _together(stack[-2], stack[-1], TIMES * stack[-1].n)):
            stack[-2:] = [wider]
    return [item.segments for item in stack if len(item.segments) > 1]


def _items(sealed: Sequence[Sealed], time_us: Integers) -> list[Rewrite]:
    """Segments with the new readings that lie in them, and between them those that lie in none."""
    until = np.searchsorted(time_us, [each.first_us for each in sealed], side="left").tolist()
    items = [Rewrite(0, until[0] if sealed else len(time_us), [])]
    for place, (each, first) in enumerate(zip(sealed, until, strict=True)):
        following = until[place + 1] if place + 1 < len(until) else len(time_us)
        last = min(following, int(np.searchsorted(time_us, each.last_us, side="right")))
        items += [Rewrite(first, last, [each]), Rewrite(last, following, [])]
    return [item for item in items if item.n]


def _together(earlier: Rewrite, later: Rewrite, most: int) -> Rewrite | None:
    """Two neighbours as one, unless the one that joins is too large, or both are."""
    both = Rewrite(
        earlier.first if earlier.last > earlier.first else later.first,
        later.last if later.last > later.first else earlier.last,
        [*earlier.segments, *later.segments],
    )
    joining = both.n - most // TIMES
    size = sum(each.size for each in both.segments)
    return both if joining <= most and both.n <= MOST_READINGS and size <= MOST_BYTES else None
