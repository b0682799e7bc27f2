"""Numbers as they are shown: multiplied and shifted when they are read, never where they are stored."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from releve.history.block import Block
from releve.history.bucket import Buckets
from releve.history.column import Column, Kind
from releve.history.ladder import Ladder
from releve.protocol.described import Description


class Conversion(NamedTuple):
    """What becomes of a channel's numbers.

    Attributes:
        scale: What each is multiplied by.
        offset: What is added then.
    """

    scale: float = 1.0
    offset: float = 0.0


def conversions_of(described: Mapping[str, Description]) -> dict[str, Conversion]:
    """What becomes of the numbers of channels that are described so, without those that stay as they were sent."""
    return {name: Conversion(each.scale, each.offset) for name, each in described.items() if each.converts}


def converted(block: Block, conversions: Mapping[str, Conversion]) -> Block:
    """A block whose numbers are shown in other units; text, states and absent values stay.

    The result is good for reading only: nothing can be stored, or identified, by it.
    """
    changed = {
        name: _column(block.channels[name], each) for name, each in conversions.items() if name in block.channels
    }
    if not changed:
        return block
    channels = {**block.channels, **changed}
    return Block(block.time_us, channels, received_us=block.received_us, identities=block.identities, sent=block.sent)


def converted_ladder(ladder: Ladder, conversions: Mapping[str, Conversion]) -> Ladder:
    """The ladder of a block's numbers in other units; its totals differ from theirs by rounding alone."""
    changed = {
        name: _rungs(ladder.channels[name], each) for name, each in conversions.items() if name in ladder.channels
    }
    return ladder._replace(channels={**ladder.channels, **changed}) if changed else ladder


def _rungs(rungs: Buckets, conversion: Conversion) -> Buckets:
    first, low, high, last = (
        numbers * conversion.scale + conversion.offset for numbers in (rungs.first, rungs.low, rungs.high, rungs.last)
    )
    if conversion.scale < 0:
        low, high = high, low
    return rungs._replace(
        first=first,
        low=low,
        high=high,
        last=last,
        total=rungs.total * conversion.scale + rungs.n * conversion.offset,
        squares=rungs.squares * conversion.scale**2,
    )


def _column(column: Column, conversion: Conversion) -> Column:
    kinds = np.where(column.kinds == Kind.INTEGER, Kind.REAL, column.kinds).astype(np.uint8)
    return Column(kinds, column.numbers * conversion.scale + conversion.offset, column.coded)
