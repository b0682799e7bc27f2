"""Late readings: what history holds at their instants already, so that each is stored once (promise P2).

A reading of now lies among the fresh rows or nowhere, which their key tells. An earlier one may lie in a segment;
whoever stores it keeps the sealing of its device waiting until the commit, so that what is looked up here stays true.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from psycopg import AsyncConnection

from releve.protocol.reading import Reading
from releve.storage.queries import query

if TYPE_CHECKING:
    from types import ModuleType

    from releve.history.block import Row

Sealed = Mapping[tuple[int, int], Sequence["Row"]]  # by device and instant


async def sealed_with(
    connection: AsyncConnection[Any], readings: Sequence[Reading], *, alone: Collection[int]
) -> Sealed:
    """The sealed readings that share their instant with one of these; none is sealed until the transaction ends.

    Args:
        connection: In a transaction.
        readings: Late ones.
        alone: Devices of which nobody else is to store late readings meanwhile.
    """
    if not readings:
        return {}
    instants: defaultdict[int, set[int]] = defaultdict(set)
    for reading in readings:
        instants[reading.device_id].add(reading.instant.time_us)
    await connection.execute(query("lock_history_late"), {"devices": list(instants), "alone": list(alone)})
    return await sealed_at(connection, instants)


async def sealed_at(connection: AsyncConnection[Any], instants_us: Mapping[int, Collection[int]]) -> Sealed:
    """The sealed readings of some instants of some devices."""
    bounds = [(device, min(instants), max(instants)) for device, instants in sorted(instants_us.items())]
    devices, first_us, last_us = (list(each) for each in zip(*bounds, strict=True))
    cursor = await connection.execute(
        query("find_sealed"), {"devices": devices, "first_us": first_us, "last_us": last_us}
    )
    concerned = [device for (device,) in await cursor.fetchall()]
    found: defaultdict[tuple[int, int], list[Row]] = defaultdict(list)
    if concerned:
        reader, segments = await with_columns()
        for device in concerned:
            for row in await segments.at_instants(reader.AsyncReader(connection), device, instants_us[device]):
                found[device, row.time_us].append(row)
    return found


async def with_columns() -> "tuple[ModuleType, ModuleType]":
    """The modules `reader` and `segments`, which a process loads when it first needs them."""
    return await asyncio.to_thread(_with_columns)


def _with_columns() -> "tuple[ModuleType, ModuleType]":
    from releve.storage import reader, segments  # noqa: PLC0415 - with numpy, which takes its time when first loaded

    return reader, segments
