"""Blocks as one in the order of time and id, and which readings a block holds already: what sealing and merging ask."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from releve.history import spelling
from releve.history.array import Integers, Mask
from releve.history.block import Block, joined

_LEAST, _GREATEST = -(2**63), 2**63 - 1


def in_order(blocks: Sequence[Block]) -> Block:
    """Blocks, each in order, as one; a reading that several of them hold comes once.

    Blocks that hold everything of their readings are put in the order of time and id. Others are put in the order of
    time, at one instant in the order in which they are given, and nothing is taken for the same.
    """
    both = joined(blocks)
    if not (np.diff(both.time_us) <= 0).any():
        return both
    order = np.argsort(both.time_us, kind="stable")
    if both.is_whole and not np.diff(both.time_us[order]).all():
        ids = _ids_where_shared(both, order)
        order = np.lexsort((ids, both.time_us))
        is_first = np.ones(len(order), bool)
        is_first[1:] = (np.diff(both.time_us[order]) != 0) | (ids[order][1:] != ids[order][:-1])
        order = order[is_first]
    return both.take(order)


def before(blocks: Sequence[Block], instant_us: int) -> list[Block]:
    """What blocks have before an instant; no block is empty."""
    found = (block.within(_LEAST, instant_us) for block in blocks)
    return [block for block in found if len(block)]


def since(blocks: Sequence[Block], instant_us: int) -> list[Block]:
    """What blocks have from an instant on; no block is empty."""
    found = (block.within(instant_us, _GREATEST) for block in blocks)
    return [block for block in found if len(block)]


def together(blocks: Sequence[Block]) -> list[Block]:
    """Blocks, none of them empty, in one order: as they are if each ends before the next begins, else as one."""
    found = sorted(blocks, key=lambda block: int(block.time_us[0]))
    if all(earlier.time_us[-1] < later.time_us[0] for earlier, later in pairwise(found)):
        return found
    return [in_order(blocks)]


def held(block: Block, time_us: Integers, ids: Integers) -> Mask:
    """Which of some readings a whole block holds: the same instant and the same identity.

    Args:
        block: Readings, in order.
        time_us: The instants of the readings in question.
        ids: Their identities.
    """
    places = np.flatnonzero(np.isin(block.time_us, time_us))
    found = zip(block.time_us[places].tolist(), spelling.ids(block.take(places)).tolist(), strict=True)
    known = set(found)
    return np.fromiter((each in known for each in zip(time_us.tolist(), ids.tolist(), strict=True)), bool, len(ids))


def _ids_where_shared(block: Block, order: Integers) -> Integers:
    """The identities of readings that share their instant with others, 0 for the rest, whose time says enough."""
    is_same = np.diff(block.time_us[order]) == 0
    nobody = np.zeros(1, bool)
    shared = order[np.concatenate([is_same, nobody]) | np.concatenate([nobody, is_same])]
    ids = np.zeros(len(block), np.int64)
    ids[shared] = spelling.ids(block.take(shared))
    return ids
