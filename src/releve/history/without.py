"""Readings without some of their channels: each keeps its identity, which no longer follows from what is left."""

from collections.abc import Collection

import numpy as np

from releve.history import spelling
from releve.history.array import all_same
from releve.history.block import Block, Identities
from releve.history.coded import NONE, Coded
from releve.history.identity import Rule


def without(block: Block, names: Collection[str]) -> Block:
    """The same readings, one by one, without these channels; one that has none of them is as it was.

    Args:
        block: Whole readings.
        names: Which channels go.

    Raises:
        ValueError: The block lacks something of its readings.
    """
    if block.received_us is None or block.sent is None or block.identities is None:
        raise ValueError("a block without identities, times of receipt or timestamps as sent has no readings")
    ids = spelling.ids(block)
    concerned = np.zeros(len(block), bool)
    for name in names:
        concerned |= block.column(name).present
    if concerned.all():
        identities = Identities(all_same(Rule.KEPT, len(block)), ids)
    else:
        rules = np.where(concerned, np.uint8(Rule.KEPT), block.identities.rules)
        identities = Identities(rules, np.where(concerned | (rules == Rule.KEPT), ids, 0))
    odd = block.odd
    if odd is not None:  # a spelling of its own names what is gone
        odd = Coded(np.where(concerned, np.int32(NONE), odd.code), odd.words)
    return Block(
        block.time_us,
        {name: column for name, column in block.channels.items() if name not in names},
        received_us=block.received_us,
        identities=identities,
        sent=block.sent,
        odd=odd,
        is_whole=True,
    )
