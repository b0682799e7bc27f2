"""The canonical JSON of readings from their columns, to the byte what `protocol.identity.canonical` makes of one."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from releve.history import number
from releve.history.array import Integers, the_same
from releve.history.block import Block, Row
from releve.history.coded import Coded
from releve.history.column import Column, Kind
from releve.history.identity import Rule, identify
from releve.history.matrix import Piece, Texts, lines, only_where
from releve.history.matrix import texts as as_texts

_json = msgspec.json.Encoder().encode
_WORDS = {Kind.FALSE: b"false", Kind.TRUE: b"true", Kind.ABSENT: b""}


def rows(block: Block) -> list[Row]:
    """The readings of a whole block, to the byte.

    Raises:
        ValueError: The block lacks something of its readings.
    """
    if block.received_us is None or block.sent is None or block.identities is None:
        raise ValueError("a block without identities, times of receipt or timestamps as sent holds no rows")
    channels = texts(block)
    sent = block.sent.texts(block.time_us)
    ids = identify(block.identities, channels, sent)
    return list(map(Row, block.time_us.tolist(), ids.tolist(), block.received_us.tolist(), channels, sent))


def ids(block: Block, channels: Sequence[bytes] | None = None) -> Integers:
    """The identities of a whole block.

    Args:
        block: Readings.
        channels: Their canonical JSON, where it is known.
    """
    if block.sent is None or block.identities is None:
        raise ValueError("a block without what its identities follow from")
    if the_same(block.identities.rules) == Rule.KEPT:
        return block.identities.own
    channels = texts(block) if channels is None else channels
    needs_sent = block.identities.rules > Rule.CONTENT
    sent = block.sent.texts(block.time_us) if needs_sent.any() else [None] * len(block)
    return identify(block.identities, channels, sent)


def texts(block: Block, spelled: Mapping[str, Texts] | None = None) -> list[bytes]:
    """The channels of each reading as canonical JSON.

    Args:
        block: Readings, with all of their channels.
        spelled: The `cells` of each channel, where they are known.

    Raises:
        ValueError: Not every channel is there.
    """
    if not block.is_whole:
        raise ValueError("a block with some of the channels only has no JSON")
    if not len(block):
        return []
    found = lines([*members(block, spelled), b"\n"], len(block)).split(b"\n")[:-1]  # JSON breaks no line within
    if block.odd is not None:
        for place in np.flatnonzero(block.odd.code >= 0).tolist():
            found[place] = block.odd.words[block.odd.code[place]].encode()
    return found


def members(block: Block, spelled: Mapping[str, Texts] | None = None) -> list[Piece]:
    """The channels of each reading as canonical JSON, in pieces; odd spellings are not told.

    Args:
        block: Readings, with all of their channels.
        spelled: The `cells` of each channel, where they are known.

    Raises:
        ValueError: Not every channel is there.
    """
    if not block.is_whole:
        raise ValueError("a block with some of the channels only has no JSON")
    found: list[Piece] = [b"{"]
    has_one = np.zeros(len(block), bool)  # before this channel
    for name in sorted(block.channels):
        key, present = _json(name) + b":", block.channels[name].present
        if has_one.all() and present.all():
            found.append(b"," + key)
        elif present.all() and not has_one.any():
            found.append(key)
        else:
            found += [only_where(b",", has_one & present), only_where(key, present)]
        found.append(cells(block.channels[name]) if spelled is None else spelled[name])
        has_one |= present
    return [*found, b"}"]


def cells(column: Column) -> Texts:
    """Each value as JSON, nothing where there is none.

    >>> cells(Column.of([12, 12.0, "12", True])).tolist()
    [b'12', b'12.0', b'"12"', b'true']
    """
    only = the_same(column.kinds)
    if only == Kind.REAL:
        return number.spelled(column.numbers)
    if only == Kind.INTEGER:
        return number.spelled_whole(column.numbers.astype(np.int64))
    words = _words(column)
    found = np.full(len(column), b"", f"S{max(number.LONGEST, words.itemsize)}" if words.dtype.kind == "S" else object)
    for kind in np.unique(column.kinds).tolist():
        here = column.kinds == kind
        if kind == Kind.REAL:
            found[here] = number.spelled(column.numbers[here])
        elif kind == Kind.INTEGER:
            found[here] = number.spelled_whole(column.numbers[here].astype(np.int64))
        elif kind in _WORDS:
            found[here] = _WORDS[Kind(kind)]
        elif column.coded is not None:
            found[here] = (words if kind == Kind.TEXT else _values(column.coded))[column.coded.code[here]]
    return found


def _words(column: Column) -> Texts:
    """The texts that occur, as JSON, and behind them none; objects where they, or other JSON, are long."""
    if column.coded is None:
        return as_texts([b""])
    found = as_texts([*map(_json, column.coded.words), b""])
    return found if _values(column.coded).dtype.kind == "S" else found.astype(object)


def _values(coded: Coded) -> Texts:
    """JSON that is kept as it is, and behind it none."""
    return as_texts([*(word.encode() for word in coded.words), b""])
