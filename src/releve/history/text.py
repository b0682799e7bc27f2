"""Blocks as CSV and NDJSON, to the byte what an export of them one by one would be, many readings at a time."""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Self

import msgspec
import numpy as np

from releve.history import instant, number, spelling
from releve.history.array import the_same
from releve.history.block import Block
from releve.history.column import Column, Kind
from releve.history.conversion import Conversion, converted
from releve.history.sent import Kind as SentKind
from releve.history.sent import Sent
from releve.protocol import cell
from releve.protocol.column import OWN_COLUMNS
from releve.protocol.described import Description
from releve.protocol.heading import Heading

_PLAIN_FROM, _PLAIN_TO = 1e-4, 1e16  # between them Python and JSON spell a double alike
_json = msgspec.json.Encoder().encode
_AS_SENT: Mapping[str, Conversion] = {}
_NOT_DESCRIBED: Mapping[str, Description] = {}


def csv_head(
    channels: Iterable[str], described: Mapping[str, Description] = _NOT_DESCRIBED, *, with_sent: bool = True
) -> bytes:
    """The line with the names of the columns, and the units of those that are described."""
    own = OWN_COLUMNS if with_sent else OWN_COLUMNS[:-1]
    heads = (Heading.of(name, described[name]) if name in described else Heading(name) for name in channels)
    return _line([*own, *(cell.write_text(head.written()) for head in heads)])


def csv_lines(
    block: Block,
    channels: Sequence[str],
    conversions: Mapping[str, Conversion] = _AS_SENT,
    *,
    with_sent: bool = True,
) -> bytes:
    """The lines of a whole block, by RFC 4180; a cell reads back as the value that it was, or was converted to.

    Args:
        block: Readings; their identities are those of what was sent.
        channels: Of which each gets a column.
        conversions: What becomes of numbers.
        with_sent: Whether there is a column of the timestamps as sent.
    """
    if not len(block):
        return b""
    found = _Spelled.of(block)
    columns = [found.time, found.ids, found.received]
    columns += [_sent_cells(found.known, found.sent)] if with_sent else []
    shown = converted(block, conversions).channels
    for name in channels:
        if name not in block.channels:
            columns.append([b""] * len(block))
            continue
        spelled = spelling.cells(shown[name]) if name in conversions else found.cells[name]
        columns.append(_csv_cells(shown[name], spelled))
    return b"\r\n".join(map(b",".join, zip(*columns, strict=True))) + b"\r\n"


def ndjson_lines(block: Block) -> bytes:
    """A whole block as one JSON object a line, as `POST /api/v1/readings` and `releve import` read it."""
    if not len(block):
        return b""
    found = _Spelled.of(block)
    common = found.time, found.ids, found.received
    if the_same(found.known.kinds) == SentKind.NONE:
        plain = b'{"time":"%b","id":"%b","received":"%b","channels":%b}\n'
        return b"".join([plain % each for each in zip(*common, found.channels, strict=True)])
    has_sent = (found.known.kinds != SentKind.NONE).tolist()
    pairs = zip(found.sent, has_sent, strict=True)
    sent = [b'"sent":%b,' % _json(text.decode()) if has else b"" for text, has in pairs]
    line = b'{"time":"%b","id":"%b","received":"%b",%b"channels":%b}\n'
    return b"".join([line % each for each in zip(*common, sent, found.channels, strict=True)])


def objects(block: Block, channels: Collection[str] | None = None) -> list[bytes]:
    """Each reading of a whole block as a JSON object, as a page of readings has it.

    Args:
        block: Readings.
        channels: Which of their channels are shown; None for all.
    """
    if not len(block):
        return []
    found = _Spelled.of(block)
    shown = found.channels
    if channels is not None:
        columns = {name: each for name, each in block.channels.items() if name in channels}
        shown = spelling.texts(Block(block.time_us, columns, is_whole=True), found.cells)
    plain = b'{"time":"%b","id":"%b","received":"%b","channels":%b'
    lines = [plain % each for each in zip(found.time, found.ids, found.received, shown, strict=True)]
    has_sent = (found.known.kinds != SentKind.NONE).tolist()
    return [
        b'%b,"sent":%b}' % (line, _json(text.decode())) if has else line + b"}"
        for line, text, has in zip(lines, found.sent, has_sent, strict=True)
    ]


class _Spelled(NamedTuple):
    """Everything of a block as text."""

    time: list[bytes]
    ids: list[bytes]
    received: list[bytes]
    known: Sent
    sent: list[bytes]
    cells: dict[str, list[bytes]]
    channels: list[bytes]

    @classmethod
    def of(cls, block: Block) -> Self:
        if block.received_us is None or block.sent is None:
            raise ValueError("a block without times of receipt or timestamps as sent is no export")
        cells = {name: spelling.cells(each) for name, each in block.channels.items()}
        channels = spelling.texts(block, cells)
        return cls(
            time=instant.iso(block.time_us),
            ids=number.spelled_whole(spelling.ids(block, channels)),
            received=instant.iso(block.received_us),
            known=block.sent,
            sent=block.sent.spelled(block.time_us),
            cells=cells,
            channels=channels,
        )


def _sent_cells(known: Sent, spelled: list[bytes]) -> list[bytes]:
    """A timestamp has nothing that CSV would quote, unless it is one that we do not know, or negative."""
    is_other = (known.kinds == SentKind.TEXT) | ((known.kinds == SentKind.WHOLE) & (known.numbers < 0))
    for place in np.flatnonzero(is_other).tolist():
        spelled[place] = _quoted(cell.write_text(spelled[place].decode()))
    return spelled


def _csv_cells(found: Column, spelled: list[bytes]) -> list[bytes]:
    """The cells of a channel: as JSON spells them, but for texts and for numbers that Python spells in another way."""
    size = np.abs(found.numbers)
    is_other = (found.kinds == Kind.REAL) & ((size >= _PLAIN_TO) | ((size < _PLAIN_FROM) & (size > 0)))
    is_word = found.kinds >= Kind.TEXT
    if not is_other.any() and not is_word.any():
        return spelled
    cells = np.array(spelled, object)
    cells[is_other] = [repr(value).encode() for value in found.numbers[is_other].tolist()]
    if found.coded is not None:
        for kind in (Kind.TEXT, Kind.JSON):
            here = found.kinds == kind
            table = np.array([*(_quoted(cell.write(word)) for word in found.coded.words), b""], object)
            cells[here] = table[found.coded.code[here]]
    texts: list[bytes] = cells.tolist()
    return texts


def _quoted(text: str) -> bytes:
    return text.encode() if text.isalnum() else _line([text])[:-2]


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()
