"""The one scan: a device's sealed and fresh readings as blocks in the order of time and id, those that count only.

Besides the fresh rows one segment is held, however long the span: with what earlier ones have beyond its start, which
is nothing where late readings have been merged.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from releve.history import spelling
from releve.history.block import Block
from releve.history.exclusion import Exclusion, counting
from releve.history.order import before, since, together

EVER = (-(2**63), 2**63 - 1)


class Wanted(NamedTuple):
    """Which readings are wanted.

    Attributes:
        from_us: From when on, microseconds since 1970.
        to_us: Until when, which is not wanted any more.
        part: Whose, such as `machine_id=7`; empty for all of the device's.
        exclusions: Which were left out.
    """

    from_us: int = EVER[0]
    to_us: int = EVER[1]
    part: str = ""
    exclusions: Sequence[Exclusion] = ()


def scan(sealed: Iterable[Block], fresh: Block | None = None, *, wanted: Wanted) -> Iterator[Block]:
    """The readings that are wanted; no block is empty.

    Blocks that hold everything of their readings come in the order of time and id, and a reading that is met twice
    comes once. Others come in the order of time, and sealed before fresh at one instant.

    Args:
        sealed: Segments in the order of their first reading.
        fresh: Readings that are not sealed yet, in order; they may lie anywhere in time.
        wanted: Which readings.
    """
    for block in _in_order(sealed, fresh):
        within = block.within(wanted.from_us, wanted.to_us)
        if not len(within):
            continue
        ids = partial(spelling.ids, within)
        counts = counting(within, part=wanted.part, exclusions=wanted.exclusions, ids=ids)
        found = within if counts is None or counts.all() else within.take(counts)
        if len(found):
            yield found


def _in_order(sealed: Iterable[Block], fresh: Block | None) -> Iterator[Block]:
    """Blocks that do not overlap: what the next segment may precede waits for it."""
    held: list[Block] = []  # what is left of the segments so far
    late = [] if fresh is None or not len(fresh) else [fresh]
    for block in sealed:
        if len(block):
            begin_us = int(block.time_us[0])
            yield from together([*before(held, begin_us), *before(late, begin_us)])
            held = [block, *since(held, begin_us)]
            late = since(late, begin_us)
    yield from together([*held, *late])
