"""What a device's readings say of one machine, wherever they lie; loads numpy, so only who reads imports it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from releve.history.block import Block
from releve.protocol.rhythm import JUDGED_BY
from releve.storage.pool import Pool
from releve.storage.scan import EVER, WHOLE, Span, blocks_backwards, owned

DEPTH = 5_000  # the device's newest readings that are looked through first
BATTERIES = ("battery", "battery_level", "batterie", "battery_percent")
MACHINE = "machine_id"


class Battery(NamedTuple):
    """The last level that a reading named, microseconds since 1970 and as it was sent."""

    time_us: int
    level: Any


class OfMachine(NamedTuple):
    """What is known of a machine.

    Attributes:
        times_us: Of its newest readings, the newest first.
        received_us: When these were received.
        battery: What the newest readings say; an older one tells nothing of the battery now.
    """

    times_us: Sequence[int]
    received_us: Sequence[int]
    battery: Battery | None


async def of_machine(pool: Pool, device_id: int, teams: Sequence[int | None], machine: int) -> OfMachine:
    """The machine's newest readings among the device's newest, or the only newest one where those have none."""
    times_us: list[int] = []
    battery: Battery | None = None
    left = DEPTH
    stretches = await owned(pool, device_id, teams, EVER)
    for stretch in reversed(stretches):
        async for block in blocks_backwards(pool, device_id, (MACHINE, *BATTERIES), stretch, likely=5 * JUDGED_BY):
            edge = max(0, len(block) - left)
            newest, older = (_of(block.take(part), machine) for part in (slice(edge, None), slice(0, edge)))
            left = max(0, left - len(block))
            times_us += newest.time_us[::-1][: JUDGED_BY - len(times_us)].tolist()
            times_us += [] if times_us else older.time_us[::-1][:1].tolist()
            battery = battery or _battery(newest)
            if times_us and (not left or (battery and len(times_us) == JUDGED_BY)):
                return await _received(pool, device_id, machine, times_us, battery)
    return await _received(pool, device_id, machine, times_us, battery)


async def _received(
    pool: Pool, device_id: int, machine: int, times_us: list[int], battery: Battery | None
) -> OfMachine:
    received_us: list[int] = []
    if times_us:
        span = Span(times_us[-1], times_us[0] + 1)
        async for block in blocks_backwards(pool, device_id, WHOLE, span, likely=5 * JUDGED_BY):
            received = _of(block, machine).received_us
            received_us += [] if received is None else received[::-1].tolist()
    return OfMachine(times_us, received_us[: len(times_us)], battery)


def _of(block: Block, machine: int) -> Block:
    return block.take(block.column(MACHINE).numbers == machine)


def _battery(block: Block) -> Battery | None:
    """The level in the last reading that has one."""
    has_one = np.any([block.column(name).present for name in BATTERIES], axis=0)
    places = np.flatnonzero(has_one)
    if not len(places):
        return None
    last = block.take(slice(int(places[-1]), int(places[-1]) + 1))
    name = next(each for each in BATTERIES if last.column(each).present.any())
    return Battery(int(last.time_us[0]), last.column(name).values()[0])
