"""Numbers as they are shown: multiplied and shifted when they are read, never where they are stored."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from releve.history.block import Block
from releve.history.column import Column, Kind


class Conversion(NamedTuple):
    """What becomes of a channel's numbers.

    Attributes:
        scale: What each is multiplied by.
        offset: What is added then.
    """

    scale: float = 1.0
    offset: float = 0.0


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


def _column(column: Column, conversion: Conversion) -> Column:
    kinds = np.where(column.kinds == Kind.INTEGER, Kind.REAL, column.kinds).astype(np.uint8)
    return Column(kinds, column.numbers * conversion.scale + conversion.offset, column.coded)
