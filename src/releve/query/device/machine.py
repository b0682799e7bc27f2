"""`GET /status/{machine_id}` of contract A: answered from what was really received."""

import asyncio
import time
from typing import TYPE_CHECKING

from releve.http.answer import answer
from releve.http.request import Send
from releve.protocol.instant import iso
from releve.protocol.problem import NotFound
from releve.protocol.rhythm import JUDGED_BY, is_heard
from releve.protocol.sender import Sender
from releve.storage.pool import Pool
from releve.storage.queries import query

if TYPE_CHECKING:
    from releve.query.device.of_machine import OfMachine

_LARGEST_MACHINE = 2**53


async def answer_status(pool: Pool, send: Send, *, sender: Sender, number: str) -> None:
    """Answer the machine's battery, connection and last reading.

    Raises:
        NotFound: No reading of the caller's teams ever named this machine.
    """
    machine = _number(number)
    teams = [sender.team_id] if sender.is_device else list(sender.roles)
    await asyncio.to_thread(_load)
    from releve.query.device.of_machine import of_machine  # noqa: PLC0415 - with numpy, which only those need who read

    asked = await pool.ask(query("find_machine"), {"machine": str(machine), "teams": teams})
    devices = asked[0][1] if asked else []
    found = [await of_machine(pool, device, teams, machine) for device in devices]
    newest = sorted(
        (pair for each in found for pair in zip(each.times_us, each.received_us, strict=True)), reverse=True
    )
    if not newest:
        raise NotFound("no reading of this machine was ever received")
    received_us = [received for _, received in newest[:JUDGED_BY]]
    heard = is_heard(received_us, last_us=max(received_us), now_us=time.time_ns() // 1000)
    level = _level(found)
    document = {
        "machine_id": machine,
        "battery": None if level is None else f"{level:g}%",
        "connection": "OK" if heard else "LOST",
        "last_update": iso(newest[0][0]),
    }
    await answer(send, 200, document)


def _level(found: "list[OfMachine]") -> float | None:
    """The battery's, as the last device says that says it."""
    batteries = [each.battery for each in found if each.battery is not None]
    level = max(batteries, key=lambda each: each.time_us).level if batteries else None
    return level if isinstance(level, int | float) else None


def _load() -> None:
    """Import what reads; the first time takes long, and is not waited for on the event loop."""
    import releve.query.device.of_machine  # noqa: F401, PLC0415 - see above


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or abs(int(text[:20])) > _LARGEST_MACHINE:
        raise NotFound("a machine is named by its number")
    return int(text)
