"""The canonical JSON of readings from their columns, to the byte what `protocol.identity.canonical` makes of one."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from releve.history import number
from releve.history.array import Integers, the_same
from releve.history.block import Block, Row
from releve.history.column import Column, Kind
from releve.history.identity import Rule, identify

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


def texts(block: Block, spelled: Mapping[str, list[bytes]] | None = None) -> list[bytes]:
    """The channels of each reading as canonical JSON.

    Args:
        block: Readings, with all of their channels.
        spelled: The `cells` of each channel, where they are known.

    Raises:
        ValueError: Not every channel is there.
    """
    if not block.is_whole:
        raise ValueError("a block with some of the channels only has no JSON")
    names = sorted(block.channels)
    values = [cells(block.channels[name]) for name in names] if spelled is None else [spelled[name] for name in names]
    if names and all(block.channels[name].present.all() for name in names):
        found = _alike(names, values)
    else:
        found = _unlike(names, values, len(block))
    if block.odd is not None:
        for place in np.flatnonzero(block.odd.code >= 0).tolist():
            found[place] = block.odd.words[block.odd.code[place]].encode()
    return found


def cells(column: Column) -> list[bytes]:
    """Each value as JSON, nothing where there is none.

    >>> cells(Column.of([12, 12.0, "12", True]))
    [b'12', b'12.0', b'"12"', b'true']
    """
    only = the_same(column.kinds)
    if only == Kind.REAL:
        return number.spelled(column.numbers)
    if only == Kind.INTEGER:
        return number.spelled_whole(column.numbers.astype(np.int64))
    found = np.full(len(column), b"", object)
    for kind in np.unique(column.kinds).tolist():
        here = column.kinds == kind
        if kind == Kind.REAL:
            found[here] = number.spelled(column.numbers[here])
        elif kind == Kind.INTEGER:
            found[here] = number.spelled_whole(column.numbers[here].astype(np.int64))
        elif kind in _WORDS:
            found[here] = _WORDS[Kind(kind)]
        elif column.coded is not None:
            spelled = [_json(word) if kind == Kind.TEXT else word.encode() for word in column.coded.words]
            found[here] = np.array([*spelled, b""], object)[column.coded.code[here]]
    texts: list[bytes] = found.tolist()
    return texts


def _alike(names: Sequence[str], values: Sequence[list[bytes]]) -> list[bytes]:
    members = (_json(name).replace(b"%", b"%%") + b":%b" for name in names)
    template = b"{%b}" % b",".join(members)
    return [template % each for each in zip(*values, strict=True)]


def _unlike(names: Sequence[str], values: Sequence[list[bytes]], n: int) -> list[bytes]:
    if not names:
        return [b"{}"] * n
    members = []
    for name, spelled in zip(names, values, strict=True):
        prefix = b"," + _json(name) + b":"
        members.append([prefix + cell if cell else b"" for cell in spelled])
    return [b"{%b}" % b"".join(each)[1:] for each in zip(*members, strict=True)]
