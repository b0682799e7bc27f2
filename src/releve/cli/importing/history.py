"""Takes a file through: lines to readings, readings in batches to their target, verdicts to the report."""

from collections.abc import Callable, Iterator

import msgspec

from releve.cli.importing.file import Source
from releve.cli.importing.reading import Rules, reading_of
from releve.cli.importing.report import Report
from releve.cli.importing.sending import Target
from releve.protocol.problem import BadReading

BATCH_READINGS = 1_000
BATCH_BYTES = 1024 * 1024
Batch = list[tuple[int, dict[str, object]]]


def carry(source: Source, target: Target, *, rules: Rules, report: Report, progress: Callable[[int], None]) -> None:
    """Read the whole file; `progress` is told how much further it is after each batch.

    Raises:
        NotTaken: The target took no more; what was sent before is stored.
    """
    done = 0
    for batch in _batches(source, rules, report):
        verdicts = target.take([reading for _, reading in batch])
        for (line, _), verdict in zip(batch, verdicts, strict=True):
            report.ended(line, verdict["outcome"], verdict.get("field"), verdict.get("reason"))
        progress(source.position() - done)
        done = source.position()


def _batches(source: Source, rules: Rules, report: Report) -> Iterator[Batch]:
    batch: Batch = []
    size = 0
    for line in source.lines:
        try:
            if line.problem is not None:
                raise line.problem
            reading = reading_of(line.values, rules)
            length = len(msgspec.json.encode(reading))
        except BadReading as problem:
            report.ended(line.number, "refused", problem.field, problem.detail)
            continue
        except TypeError as error:  # a value of a table that JSON has no word for
            report.ended(line.number, "refused", None, str(error))
            continue
        if batch and (len(batch) == BATCH_READINGS or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((line.number, reading))
        size += length
    if batch:
        yield batch
