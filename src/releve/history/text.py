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
from releve.history.coded import Coded
from releve.history.column import Column, Kind
from releve.history.conversion import Conversion, converted
from releve.history.matrix import Piece, Texts, lines, only_where, texts
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
    pieces: list[Piece] = [found.time, b",", found.ids, b",", found.received]
    pieces += [b",", _sent_cells(found.known, found.sent)] if with_sent else []
    shown = converted(block, conversions).channels
    for name in channels:
        pieces.append(b",")
        if name in block.channels:
            spelled = spelling.cells(shown[name]) if name in conversions else found.cells[name]
            pieces.append(_csv_cells(shown[name], spelled))
    return lines([*pieces, b"\r\n"], len(block))


def ndjson_lines(block: Block) -> bytes:
    """A whole block as one JSON object a line, as `POST /api/v1/readings` and `releve import` read it."""
    if not len(block):
        return b""
    found = _Spelled.of(block)
    own: list[Piece] = [b'{"time":"', found.time, b'","id":"', found.ids, b'","received":"', found.received, b'",']
    sent = [*_sent_member(found), _where_sent(found, b",")]
    return lines([*own, *sent, b'"channels":', *found.members, b"}\n"], len(block))


def objects(block: Block, channels: Collection[str] | None = None) -> list[bytes]:
    """Each reading of a whole block as a JSON object, as a page of readings has it.

    Args:
        block: Readings.
        channels: Which of their channels are shown; None for all.
    """
    if not len(block):
        return []
    found = _Spelled.of(block)
    shown = found.members
    if channels is not None:
        columns = {name: each for name, each in block.channels.items() if name in channels}
        shown = spelling.members(Block(block.time_us, columns, is_whole=True), found.cells)
    own: list[Piece] = [b'{"time":"', found.time, b'","id":"', found.ids, b'","received":"', found.received, b'",']
    sent = [_where_sent(found, b","), *_sent_member(found)]
    return lines([*own, b'"channels":', *shown, *sent, b"}\n"], len(block)).split(b"\n")[:-1]


class _Spelled(NamedTuple):
    """Everything of a block as text."""

    time: Texts
    ids: Texts
    received: Texts
    known: Sent
    sent: Texts
    cells: dict[str, Texts]
    members: list[Piece]

    @classmethod
    def of(cls, block: Block) -> Self:
        if block.received_us is None or block.sent is None:
            raise ValueError("a block without times of receipt or timestamps as sent is no export")
        cells = {name: spelling.cells(each) for name, each in block.channels.items()}
        channels = spelling.texts(block, cells)
        return cls(
            time=instant.iso(block.time_us),
            ids=number.spelled_long(spelling.ids(block, channels)),
            received=instant.iso(block.received_us),
            known=block.sent,
            sent=block.sent.spelled(block.time_us),
            cells=cells,
            members=spelling.members(block, cells) if block.odd is None else [texts(channels)],
        )


def _where_sent(found: _Spelled, text: bytes) -> Piece:
    """A text in those lines that have a timestamp as sent."""
    only = the_same(found.known.kinds)
    if only is None:
        return only_where(text, found.known.kinds != SentKind.NONE)
    return b"" if only == SentKind.NONE else text


def _sent_member(found: _Spelled) -> list[Piece]:
    """The timestamp as sent as a member of a JSON object; those of a known style hold nothing to be escaped."""
    spelled = found.sent
    strange = np.flatnonzero(found.known.kinds == SentKind.TEXT).tolist()
    if strange:
        spelled = spelled.astype(object)
        for place in strange:
            spelled[place] = _json(spelled[place].decode())[1:-1]
    return [_where_sent(found, b'"sent":"'), spelled, _where_sent(found, b'"')]


def _sent_cells(known: Sent, spelled: Texts) -> Texts:
    """A timestamp has nothing that CSV would quote, unless it is one that we do not know, or negative."""
    is_other = (known.kinds == SentKind.TEXT) | ((known.kinds == SentKind.WHOLE) & (known.numbers < 0))
    if not is_other.any():
        return spelled
    cells = spelled.astype(object)
    for place in np.flatnonzero(is_other).tolist():
        cells[place] = _quoted(cell.write_text(cells[place].decode()))
    return cells


def _csv_cells(found: Column, spelled: Texts) -> Texts:
    """The cells of a channel: as JSON spells them, but for texts and for numbers that Python spells in another way."""
    size = np.abs(found.numbers)
    is_other = (found.kinds == Kind.REAL) & ((size >= _PLAIN_TO) | ((size < _PLAIN_FROM) & (size > 0)))
    is_word = found.kinds >= Kind.TEXT
    if not is_other.any() and not is_word.any():
        return spelled
    if found.coded is not None and the_same(found.kinds) == Kind.TEXT:
        return _cell_words(found.coded)[found.coded.code]
    cells = spelled.astype(object)
    cells[is_other] = [repr(value).encode() for value in found.numbers[is_other].tolist()]
    if found.coded is not None:
        cells[is_word] = _cell_words(found.coded)[found.coded.code[is_word]]
    return cells


def _cell_words(coded: Coded) -> Texts:
    """The cells of the texts that occur, and behind them an empty one."""
    return texts([*(_quoted(cell.write(word)) for word in coded.words), b""])


def _quoted(text: str) -> bytes:
    return text.encode() if text.isalnum() else _line([text])[:-2]


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()
