"""`GET /status/{machine_id}` of contract A: answered from what was really received."""

import time
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from releve.http.answer import answer
from releve.http.request import Send
from releve.protocol.instant import iso
from releve.protocol.problem import NotFound
from releve.protocol.rhythm import JUDGED_BY, is_heard
from releve.protocol.sender import Sender
from releve.storage.queries import query

DEPTH = 5_000  # the device's newest readings that are looked through first
EVERYTHING = 2**62
BATTERIES = ("battery", "battery_level", "batterie", "battery_percent")
_LARGEST_MACHINE = 2**53

Row = dict[str, Any]


async def answer_status(connection: AsyncConnection[Any], send: Send, *, sender: Sender, number: str) -> None:
    """Answer the machine's battery, connection and last reading.

    Raises:
        NotFound: No reading of the caller's teams ever named this machine.
    """
    machine = _number(number)
    devices = await _devices(connection, sender, machine)
    teams = _teams(sender)
    newest: list[Row] = []
    for device in devices:
        newest += await _recent(connection, device, machine, teams)
    if not newest:
        raise NotFound("no reading of this machine was ever received")
    newest.sort(key=lambda row: row["time_us"], reverse=True)
    battery = await _battery(connection, devices, machine, teams)
    received_us = [row["received_us"] for row in newest[:JUDGED_BY]]
    heard = is_heard(received_us, last_us=max(received_us), now_us=time.time_ns() // 1000)
    document = {
        "machine_id": machine,
        "battery": None if battery is None else f"{battery:g}%",
        "connection": "OK" if heard else "LOST",
        "last_update": iso(newest[0]["time_us"]),
    }
    await answer(send, 200, document)


def _teams(sender: Sender) -> list[int | None]:
    return [sender.team_id] if sender.is_device else list(sender.roles)


async def _devices(connection: AsyncConnection[Any], sender: Sender, machine: int) -> list[int]:
    cursor = await connection.execute(query("find_machine"), {"machine": str(machine), "teams": _teams(sender)})
    row = await cursor.fetchone()
    return [] if row is None else row[1]


async def _recent(connection: AsyncConnection[Any], device: int, machine: int, teams: list[int | None]) -> list[Row]:
    values = {"device": device, "machine": machine, "teams": teams, "limit": JUDGED_BY, "depth": DEPTH}
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("recent_of_machine"), values)
        rows = await cursor.fetchall()
        if not rows:
            await cursor.execute(query("recent_of_machine"), values | {"limit": 1, "depth": EVERYTHING})
            rows = await cursor.fetchall()
    return rows


async def _battery(
    connection: AsyncConnection[Any], devices: list[int], machine: int, teams: list[int | None]
) -> float | None:
    """The last battery level among the newest readings; an older one tells nothing of the battery now."""
    found: list[tuple[int, Row]] = []
    for device in devices:
        values = {"device": device, "machine": machine, "teams": teams, "depth": DEPTH, "names": list(BATTERIES)}
        cursor = await connection.execute(query("last_battery_of_machine"), values)
        row = await cursor.fetchone()
        if row is not None:
            found.append(row)
    if not found:
        return None
    channels = max(found, key=lambda row: row[0])[1]
    level = next(channels[name] for name in BATTERIES if name in channels)
    return level if isinstance(level, int | float) else None


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or abs(int(text[:20])) > _LARGEST_MACHINE:
        raise NotFound("a machine is named by its number")
    return int(text)
