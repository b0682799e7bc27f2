"""Many readings of one device's past, such as an import, go into a segment at once instead of into rows first.

They are acknowledged after the same commit as all others. Their device's history is locked for that long, so that what
is looked up for them stays true.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from psycopg import AsyncConnection

from releve.protocol.reading import Reading
from releve.storage import late
from releve.storage.queries import query
from releve.storage.session import Horizon

LEAST = 1_000  # readings of one device in a group, below which a segment of their own does not pay


def devices_of(readings: Sequence[Reading], horizon: Horizon) -> set[int]:
    """The devices of which a group holds so many readings that are old enough to be sealed."""
    counts = Counter(reading.device_id for reading in readings if horizon.may_be_sealed(reading))
    return {device_id for device_id, count in counts.items() if count >= LEAST}


def of(readings: Sequence[Reading], devices: Collection[int], horizon: Horizon) -> dict[int, list[Reading]]:
    """Of readings that are in no segment those of the past, by device, where there are still as many."""
    found: dict[int, list[Reading]] = {device_id: [] for device_id in sorted(devices)}
    for reading in readings:
        if reading.device_id in found and horizon.may_be_sealed(reading):
            found[reading.device_id].append(reading)
    return {device_id: each for device_id, each in found.items() if len(each) >= LEAST}


async def store(connection: AsyncConnection[Any], readings: Sequence[Reading]) -> set[tuple[int, int, int]]:
    """Store readings of one device; (device, time, id) of each that was not there as a row.

    Args:
        connection: In a transaction that holds the device's lock alone.
        readings: At least one; none of them is in a segment.
    """
    device_id = readings[0].device_id
    new = {(reading.instant.time_us, reading.id): reading for reading in readings}
    times_us, ids = (list(each) for each in zip(*new, strict=True))
    values = {"device": device_id, "time_us": times_us, "ids": ids, "first_us": min(times_us), "last_us": max(times_us)}
    cursor = await connection.execute(query("find_fresh"), values)
    for known in await cursor.fetchall():
        del new[known]
    if new:
        reader, segments = await late.with_columns()
        rows = [(*key, each.received_us, each.channels, each.sent) for key, each in sorted(new.items())]
        await segments.add_rows(reader.AsyncReader(connection), device_id, rows)
    return {(device_id, *key) for key in new}
