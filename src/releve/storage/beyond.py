"""Readings from where readings were deleted: nobody can tell them from repeats, so they are kept aside (promise P2)."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from releve.protocol.reading import Quarantined, Reading
from releve.storage.queries import query

REASON = "readings of that time were deleted, as their team asked: this may be one of them again"


async def beyond_history(connection: AsyncConnection[Any], readings: Sequence[Reading]) -> dict[int, Quarantined]:
    """Those that may repeat a deleted one: `id()` of the reading object to what is kept of it.

    Args:
        connection: In a transaction that keeps their devices' history as it is.
        readings: Late ones that are in no segment.
    """
    if not readings:
        return {}
    values = {
        "places": list(range(len(readings))),
        "devices": [reading.device_id for reading in readings],
        "times_us": [reading.instant.time_us for reading in readings],
        "ids": [reading.id for reading in readings],
    }
    cursor = await connection.execute(query("find_expired"), values)
    return {id(readings[place]): readings[place].aside(REASON) for (place,) in await cursor.fetchall()}
