"""Takes a file through: lines to readings, readings in batches to their target, verdicts to the report."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import msgspec

from releve.cli.importing.line import Line, Source
from releve.cli.importing.reading import Rules, reading_of
from releve.cli.importing.report import Report
from releve.cli.importing.sending import Target, Verdict
from releve.protocol.problem import BadReading
from releve.protocol.twice import Passes

BATCH_READINGS = 1_000
BATCH_BYTES = 1024 * 1024
_encode = msgspec.json.Encoder().encode


class Piece(NamedTuple):
    """One line on its way.

    Attributes:
        line: Its number.
        reading: The reading that it is, None where it says that nothing was measured, or why it is none.
        payload: The reading as JSON; empty where it is none.
    """

    line: int
    reading: dict[str, object] | BadReading | None
    payload: bytes


class Batch(NamedTuple):
    """Lines in their order, those that are no reading among the others, and how far the file is read behind them."""

    pieces: list[Piece]
    position: int


def carry(
    source: Source,
    target: Target,
    *,
    rules: Rules,
    passes: Passes,
    report: Report,
    progress: Callable[[int, int], None],
) -> None:
    """Read the whole file; `progress` is told after each batch how far it is read and how many lines that were.

    The order of the lines tells which pass of the hour that clocks repeat a time is of, also where batches part.

    While one batch is with the target the next is read; never more, so that the batches keep their order.

    Raises:
        NotTaken: The target took no more; what was sent before is stored.
    """

    def settle(batch: Batch, taken: Future[list[Verdict]]) -> None:
        _report(batch, taken.result(), report)
        progress(batch.position, len(batch.pieces))

    with ThreadPoolExecutor(max_workers=1) as sender:
        under_way: tuple[Batch, Future[list[Verdict]]] | None = None
        try:
            for batch in _batches(source, rules, passes):
                payloads = [piece.payload for piece in batch.pieces if piece.payload]
                if under_way is not None:
                    settle(*under_way)
                under_way = batch, sender.submit(target.take, payloads)
            if under_way is not None:
                settle(*under_way)
        finally:
            target.stop()


def _report(batch: Batch, verdicts: list[Verdict], report: Report) -> None:
    following = iter(verdicts)
    for line, reading, _ in batch.pieces:
        if reading is None:
            report.ended(line, "empty")
        elif isinstance(reading, BadReading):
            report.ended(line, "refused", reading.field, reading.detail)
        else:
            verdict = next(following)
            report.ended(line, verdict["outcome"], verdict.get("field"), verdict.get("reason"))
            report.read(line, reading, verdict)


def _batches(source: Source, rules: Rules, passes: Passes) -> Iterator[Batch]:
    pieces: list[Piece] = []
    size = 0
    for line in source.lines:
        piece = _read(line, rules, passes)
        if pieces and (len(pieces) == BATCH_READINGS or size + len(piece.payload) > BATCH_BYTES):
            yield Batch(pieces, source.position())
            pieces, size = [], 0
        pieces.append(piece)
        size += len(piece.payload)
    if pieces:
        yield Batch(pieces, source.position())


def _read(line: Line, rules: Rules, passes: Passes) -> Piece:
    try:
        if line.problem is not None:
            return Piece(line.number, line.problem, b"")
        reading = reading_of(line.values, rules)
        if reading is not None and isinstance(time := reading["time"], str):
            reading["time"] = passes.settled(time)
        return Piece(line.number, reading, b"" if reading is None else _encode(reading))
    except BadReading as problem:
        return Piece(line.number, problem, b"")
    except TypeError as error:  # a value of a table that JSON has no word for
        return Piece(line.number, BadReading(str(error)), b"")
