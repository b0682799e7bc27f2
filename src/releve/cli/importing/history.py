"""Takes a file through: lines to readings, readings in batches to their target, verdicts to the report."""

from collections.abc import Callable, Iterator

import msgspec

from releve.cli.importing.line import Line, Source
from releve.cli.importing.reading import Rules, reading_of
from releve.cli.importing.report import Report
from releve.cli.importing.sending import Target
from releve.protocol.problem import BadReading

BATCH_READINGS = 1_000
BATCH_BYTES = 1024 * 1024
Batch = list[tuple[int, dict[str, object] | BadReading | None]]


def carry(
    source: Source, target: Target, *, rules: Rules, report: Report, progress: Callable[[int, int], None]
) -> None:
    """Read the whole file; `progress` is told after each batch how far it is read and how many lines that were.

    Raises:
        NotTaken: The target took no more; what was sent before is stored.
    """
    for batch in _batches(source, rules):
        sent = {line: reading for line, reading in batch if isinstance(reading, dict)}
        verdicts = dict(zip(sent, target.take(list(sent.values())) if sent else [], strict=True))
        for line, reading in batch:
            if reading is None:
                report.ended(line, "empty")
            elif isinstance(reading, BadReading):
                report.ended(line, "refused", reading.field, reading.detail)
            else:
                verdict = verdicts[line]
                report.ended(line, verdict["outcome"], verdict.get("field"), verdict.get("reason"))
                report.read(line, reading, verdict)
        progress(source.position(), len(batch))


def _batches(source: Source, rules: Rules) -> Iterator[Batch]:
    """The lines in their order, those that are no reading among the others, so that the report has the order too."""
    batch: Batch = []
    size = 0
    for line in source.lines:
        reading, length = _read(line, rules)
        if batch and (len(batch) == BATCH_READINGS or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((line.number, reading))
        size += length
    if batch:
        yield batch


def _read(line: Line, rules: Rules) -> tuple[dict[str, object] | BadReading | None, int]:
    """What the line holds, and how long that is on the wire."""
    try:
        if line.problem is not None:
            raise line.problem
        reading = reading_of(line.values, rules)
        return reading, len(msgspec.json.encode(reading))
    except BadReading as problem:
        return problem, 0
    except TypeError as error:  # a value of a table that JSON has no word for
        return BadReading(str(error)), 0
