"""Which readings count: one answer for every reader of them, the summary as the chart, the export as the comparison."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from releve.history.array import Integers, Mask, all_same
from releve.history.block import Block
from releve.history.column import Column, Kind
from releve.protocol.reading import INTEGER_LIMIT
from releve.protocol.run.part import part_values, split_part


class Exclusion(NamedTuple):
    """Readings that were left out.

    Attributes:
        from_us: From when on.
        to_us: Until when, which is not left out any more.
        reading: The identity of the only one that is, None for all of the span.
        part: Whose readings, such as `machine_id=7`; empty for all of the device's.
    """

    from_us: int
    to_us: int
    reading: int | None = None
    part: str = ""


def counting(
    block: Block, *, part: str = "", exclusions: Sequence[Exclusion] = (), ids: Callable[[], Integers] | None = None
) -> Mask | None:
    """Which readings of a block count; None for all of them.

    Args:
        block: Readings, with the channels that parts name.
        part: Whose readings count, such as `machine_id=7`; empty for all of the device's.
        exclusions: What was left out.
        ids: Answers their identities; asked for only where a single reading was left out.
    """
    counts = None if not part else of_part(block, part)
    for exclusion in exclusions:
        first, last = np.searchsorted(block.time_us, [exclusion.from_us, exclusion.to_us]).tolist()
        if first >= last:
            continue
        if counts is None:
            counts = np.ones(len(block), bool)
        out = np.ones(last - first, bool)
        if exclusion.part:
            out &= of_part(block, exclusion.part)[first:last]
        if exclusion.reading is not None:
            if ids is None:
                raise ValueError("a single reading is left out, and the identities are not known")
            out &= ids()[first:last] == exclusion.reading
        counts[first:last] &= ~out
    return counts


def of_part(block: Block, part: str) -> Mask:
    """Which readings have the value of a part: as a number where it is one, or as text."""
    name, number, _ = part_values(part)
    return _has(block.column(name), split_part(part)[1], None if number is None else float(number))


def named_channels(part: str, exclusions: Sequence[Exclusion]) -> frozenset[str]:
    """The channels that must be there to tell which readings count."""
    parts = [part, *(exclusion.part for exclusion in exclusions)]
    return frozenset(split_part(each)[0] for each in parts if each)


def _has(column: Column, value: str, number: float | None) -> Mask:
    found = np.zeros(len(column), bool)
    if number is not None and abs(number) <= INTEGER_LIMIT:
        found |= column.numbers == number
    if column.coded is not None and value in column.coded.words:
        is_text = column.kinds == all_same(Kind.TEXT, len(column))
        found |= is_text & (column.coded.code == list(column.coded.words).index(value))
    return found
