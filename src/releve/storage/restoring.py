"""Brings archived readings back as segments, the very same to the byte, within the caller's transaction."""

from collections.abc import Iterable, Sequence

from releve.history.block import Row
from releve.history.pivot import block_of
from releve.storage import segments
from releve.storage.page import Span
from releve.storage.queries import query
from releve.storage.reader import Reader


async def restore(
    reader: Reader, device_id: int, groups: Iterable[Sequence[Row]], span: Span, *, kept_until_us: int
) -> int:
    """Store readings as segments, but for those that are there; how many came back.

    Args:
        reader: Answers, within a transaction that has done nothing yet.
        device_id: Whose readings.
        groups: As many at a time as make a segment.
        span: All of their instants lie in it.
        kept_until_us: Until when no rule deletes them again, microseconds since 1970.
    """
    await segments.lock(reader, [device_id])
    restored = 0
    for rows in groups:
        known = await _known(reader, device_id, rows)
        new = [row for row in rows if row[:2] not in known]
        if new:
            await segments.add(reader, device_id, await reader.work(block_of, new))
            restored += len(new)
    values = {"device": device_id, "from_us": span.from_us, "to_us": span.to_us, "kept_until_us": kept_until_us}
    await reader.ask(query("restore_span"), values)
    return restored


async def _known(reader: Reader, device_id: int, rows: Sequence[Row]) -> set[tuple[int, int]]:
    """Which of these readings are there already, as rows or in a segment."""
    sealed = await segments.at_instants(reader, device_id, {row.time_us for row in rows})
    values = {
        "device": device_id,
        "time_us": [row.time_us for row in rows],
        "ids": [row.id for row in rows],
        "first_us": rows[0].time_us,
        "last_us": rows[-1].time_us,
    }
    fresh = await reader.ask(query("find_fresh"), values)
    return {row[:2] for row in sealed} | {(time_us, number) for time_us, number in fresh}
