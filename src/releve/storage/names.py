"""How many names the channels of a device have between them: one that invents names fills the quarantine, not tables.

The names are kept in the database, so that every worker counts the same ones; what was admitted stays admitted.
"""

from collections import defaultdict
from collections.abc import Iterable

from psycopg import AsyncConnection

from releve.protocol.channel import Layout
from releve.protocol.problem import BadReading
from releve.storage.queries import query

Of = tuple[int, Layout]  # a device and what it sent


async def admit(connection: AsyncConnection, layouts: Iterable[Of], *, most: int) -> dict[Of, BadReading]:
    """Learn the names of channels, as long as their devices have fewer than `most`.

    Args:
        connection: An idle connection in autocommit mode.
        layouts: In the order they came; the first names are admitted.
        most: Names that a device may have; those it has beyond, from before the number was lowered, it keeps.

    Returns:
        Those of the layouts that hold a name too many, each with what is wrong.
    """
    layouts = list(layouts)
    devices = sorted({device for device, _ in layouts})
    fresh, beyond = _judge(layouts, await _known(connection, devices), most)
    if not fresh:  # names are never forgotten, so what is beyond now stays beyond
        return beyond
    async with connection.transaction():
        await connection.execute(query("lock_devices"), [devices])  # another writer may be adding to the same device's
        fresh, beyond = _judge(layouts, await _known(connection, devices), most)
        if fresh:
            of_device, names = zip(*sorted(fresh), strict=True)
            await connection.execute(query("learn_channel_names"), [list(of_device), list(names)])
    return beyond


async def _known(connection: AsyncConnection, devices: list[int]) -> defaultdict[int, set[str]]:
    known: defaultdict[int, set[str]] = defaultdict(set)
    cursor = await connection.execute(query("find_channel_names"), [devices])
    for device, channel in await cursor.fetchall():
        known[device].add(channel)
    return known


def _judge(
    layouts: Iterable[Of], known: defaultdict[int, set[str]], most: int
) -> tuple[set[tuple[int, str]], dict[Of, BadReading]]:
    """The names to add, and the layouts with one too many."""
    fresh: set[tuple[int, str]] = set()
    beyond: dict[Of, BadReading] = {}
    names = {device: set(known[device]) for device, _ in layouts}
    for device, layout in layouts:
        new = [name for name in layout.names if name not in names[device]]
        if new and len(names[device]) + len(new) > most:
            beyond[device, layout] = BadReading(_reason(most), field=min(new))
        else:
            names[device].update(new)
            fresh.update((device, name) for name in new)
    return fresh, beyond


def _reason(most: int) -> str:
    return f"is a name too many: the channels of one device have at most {most} (RELEVE_DEVICE_CHANNELS)"
