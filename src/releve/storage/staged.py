"""The careful way into the database: through a staging table, with receipts and anchors, in one transaction.

It tells stored from duplicate wherever the first one lies, keeps the identity of readings whose time is the server's,
places uptimes on their anchors, registers machines and keeps what is quarantined.
"""

from collections.abc import Collection, Sequence

import msgspec
from psycopg import AsyncConnection

from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.reading import Quarantined, Reading
from releve.storage import bulk, same_key
from releve.storage.beyond import beyond_history
from releve.storage.copy_format import encode
from releve.storage.late import sealed_with
from releve.storage.queries import query
from releve.storage.repeats import Repeats
from releve.storage.session import Horizon

Key = tuple[int, int, int]


def key(reading: Reading) -> Key:
    """What a reading is identified and sorted by: (device, time, id)."""
    return reading.device_id, reading.instant.time_us, reading.id


async def store(
    connection: AsyncConnection,
    entries: Sequence[Reading | Quarantined],
    *,
    machines: Collection[tuple[int, str]],
    horizon: Horizon,
) -> list[Receipt]:
    """Store a group in one transaction; one receipt per entry, in order.

    Args:
        connection: An idle connection in autocommit mode.
        entries: What to store and what to keep in quarantine.
        machines: Pairs of device and machine number to register.
        horizon: Which of them may be sealed already.
    """
    readings = [entry for entry in entries if isinstance(entry, Reading)]
    async with connection.transaction():
        for device_id, machine in sorted(machines):
            await connection.execute(query("register_machine"), {"device_id": device_id, "machine": machine})
        repeats = Repeats()
        await repeats.settle(connection, readings)
        settled = [repeats.aside.get(id(entry), entry) for entry in entries]
        new = [entry for entry in settled if isinstance(entry, Reading) and id(entry) not in repeats.instants]
        stored, beyond = await _store_new(connection, new, horizon)
        settled = [beyond.get(id(entry), entry) for entry in settled] if beyond else settled
        for entry in settled:
            if isinstance(entry, Quarantined):
                await connection.execute(query("keep_quarantined"), msgspec.structs.astuple(entry))
        await connection.execute(query("wait_for_commit"))
    return [_receipt(entry, repeats.instants, stored) for entry in settled]


def _receipt(entry: Reading | Quarantined, repeats: dict[int, int], stored: set[Key]) -> Receipt:
    if isinstance(entry, Quarantined):
        return Receipt(Outcome.QUARANTINED, field=entry.field, reason=entry.reason)
    repeated_us = repeats.get(id(entry))
    if repeated_us is not None:
        return Receipt(Outcome.DUPLICATE, repeated_us, entry.instant.rule)
    identity = key(entry)
    if identity not in stored:
        return Receipt(Outcome.DUPLICATE, entry.instant.time_us, entry.instant.rule)
    stored.discard(identity)  # the same reading twice in one group: the first was stored, the others repeat it
    return Receipt(Outcome.STORED, entry.instant.time_us, entry.instant.rule, notices=entry.notices)


async def _store_new(
    connection: AsyncConnection, readings: list[Reading], horizon: Horizon
) -> tuple[set[Key], dict[int, Quarantined]]:
    """Store those that are nowhere yet; of the late ones none is sealed by others until the transaction ends.

    Returns:
        What was stored, and what is kept aside: `id()` of the reading object to what is kept of it.
    """
    late = [reading for reading in readings if horizon.is_late(reading)]
    devices = bulk.devices_of(late, horizon)
    sealed = await sealed_with(connection, late, alone=devices)
    keyed = [reading for reading in late if same_key.names_one(reading)]
    if keyed:
        await same_key.look(connection, keyed, sealed=sealed)
    if sealed:
        known = {(device_id, *row[:2]) for (device_id, _), rows in sealed.items() for row in rows}
        readings = [reading for reading in readings if key(reading) not in known]
    beyond = await beyond_history(connection, [reading for reading in readings if horizon.is_late(reading)])
    if beyond:
        readings = [reading for reading in readings if id(reading) not in beyond]
    at_once = bulk.of(readings, devices, horizon)
    rows = [reading for reading in readings if reading.device_id not in at_once or not horizon.may_be_sealed(reading)]
    stored = await _insert(connection, rows)
    for each in at_once.values():
        stored |= await bulk.store(connection, each)
    return stored, beyond


async def _insert(connection: AsyncConnection, readings: list[Reading]) -> set[Key]:
    if not readings:
        return set()
    await connection.execute(query("create_staging"))
    async with connection.cursor().copy(query("copy_staging")) as copy:
        await copy.write(encode(readings))
    cursor = await connection.execute(query("store_staged"))
    return set(await cursor.fetchall())
