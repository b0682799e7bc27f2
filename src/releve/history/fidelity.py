"""Whether two blocks hold the same readings, to the bit: what is asked before the rows of a new segment are deleted."""

import numpy as np

from releve.history.array import Mask
from releve.history.block import Block
from releve.history.coded import NONE, Coded
from releve.history.column import Column, Kind
from releve.history.sent import Kind as SentKind
from releve.history.sent import Sent


def is_same(one: Block, other: Block) -> bool:
    """Whether whole blocks would give the same rows, compared as arrays, which takes no time beside making the rows."""
    if len(one) != len(other) or not (one.is_whole and other.is_whole):
        return False
    if one.received_us is None or one.identities is None or one.sent is None:
        return False
    if other.received_us is None or other.identities is None or other.sent is None:
        return False
    names = {name for block in (one, other) for name, column in block.channels.items() if column.present.any()}
    return (
        np.array_equal(one.time_us, other.time_us)
        and np.array_equal(one.received_us, other.received_us)
        and np.array_equal(one.identities.rules, other.identities.rules)
        and np.array_equal(one.identities.own, other.identities.own)
        and _is_same_sent(one.sent, other.sent)
        and _is_same_text(one.odd, other.odd, np.ones(len(one), bool))
        and all(_is_same_column(one.column(name), other.column(name)) for name in names)
    )


def _is_same_column(one: Column, other: Column) -> bool:
    if not np.array_equal(one.kinds, other.kinds):
        return False
    is_number = (one.kinds == Kind.REAL) | (one.kinds == Kind.INTEGER)
    bits, other_bits = (column.numbers[is_number].view(np.int64) for column in (one, other))
    return np.array_equal(bits, other_bits) and _is_same_text(one.coded, other.coded, one.kinds >= Kind.TEXT)


def _is_same_sent(one: Sent, other: Sent) -> bool:
    if not np.array_equal(one.kinds, other.kinds):
        return False
    has_number = one.kinds >= SentKind.WHOLE
    is_same_number = np.array_equal(one.numbers[has_number], other.numbers[has_number])
    return is_same_number and _is_same_text(one.coded, other.coded, one.kinds == SentKind.TEXT)


def _is_same_text(one: Coded | None, other: Coded | None, where: Mask) -> bool:
    return _texts(one, where) == _texts(other, where)


def _texts(coded: Coded | None, where: Mask) -> list[str | None]:
    """The texts at some places; none at all is the same as one of which no reading has any."""
    if coded is None or not where.any():
        return []
    here = coded.take(where)
    return here.texts() if (here.code != NONE).any() else []
