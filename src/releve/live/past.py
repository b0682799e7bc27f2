"""What a live stream begins with: last values, or what arrived while its viewer was away; loads numpy when used."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from releve.live.choice import Choice, Device
from releve.live.told import Told
from releve.storage.pool import Pool
from releve.storage.queries import query

if TYPE_CHECKING:
    from releve.history.block import Block
    from releve.storage.scan import Span

MOST_READINGS = 10_000  # that a stream comes back to; one that would need more goes on from now
MOST_LOOKED_AT = 200_000  # and this many are looked at for them
MOST_AWAY_S = 3_600.0
OVERLAP_US = 15_000_000  # a reading is committed within seconds of its receipt, and events are counted by delivery
LOOKED_BACK = 5_000  # readings among which a device's last value is looked for
PIECE = 64


class TooMuch(Exception):
    """More arrived meanwhile than a stream comes back to."""


async def last_values(pool: Pool, choice: Choice) -> list[Told]:
    """The newest reading of each device that is shown, the oldest of them first."""
    await asyncio.to_thread(_load)
    found = [await _last_of(pool, choice, device) for device in choice.devices]
    return sorted((told for told in found if told is not None), key=lambda told: told.time_us)


async def arrived_since(pool: Pool, choice: Choice, since_us: int, *, overlap_us: int = OVERLAP_US) -> list[Told]:
    """What arrived since an event was delivered, in the order of time of each device; some of it was delivered before.

    Args:
        pool: Lends connections.
        choice: What is wanted.
        since_us: When the event was delivered, microseconds since 1970.
        overlap_us: How much earlier what was not committed by then may have been received.

    Raises:
        TooMuch: It is more than a stream comes back to.
    """
    await asyncio.to_thread(_load)
    found: list[Told] = []
    looked_at = 0
    received_us = since_us - overlap_us
    for device in choice.devices:
        async for block in _arrived(pool, device, received_us):
            looked_at += len(block)
            found += await pool.work(_told_since, block, device, choice, received_us)
            if len(found) > MOST_READINGS or looked_at > MOST_LOOKED_AT:
                raise TooMuch
    return found


def _load() -> None:
    """Import what reads; the first time takes long, and is not waited for on the event loop."""
    import releve.storage.scan  # noqa: F401, PLC0415 - with numpy, which only those need who read


async def _last_of(pool: Pool, choice: Choice, device: Device) -> Told | None:
    from releve.storage import scan  # noqa: PLC0415 - as above

    looked_at = 0
    for stretch in reversed(await scan.owned(pool, device.id, [device.team_id], _span(choice, device))):
        async for block in scan.blocks_backwards(pool, device.id, scan.WHOLE, stretch, likely=1):
            found = await pool.work(_last_told, block, device, choice)
            looked_at += len(block)
            if found is not None or looked_at > LOOKED_BACK:
                return found
    return None


async def _arrived(pool: Pool, device: Device, received_us: int) -> "AsyncIterator[Block]":
    """Blocks that hold what was received since, and more."""
    from releve.storage import scan  # noqa: PLC0415 - as above

    ((first_us, last_us),) = await pool.ask(query("arrived_extent"), {"device": device.id, "since_us": received_us})
    if first_us is None:
        return
    for stretch in await scan.owned(pool, device.id, [device.team_id], scan.Span(first_us, last_us + 1)):
        async for block in scan.blocks(pool, device.id, scan.WHOLE, stretch):
            yield block


def _span(choice: Choice, device: Device) -> "Span":
    from releve.storage.scan import EVER, Span  # noqa: PLC0415 - as above

    stretches = (choice.stretches or {}).get(device.id)
    if stretches is None:
        return EVER
    return Span(
        max(EVER.from_us, min(each.from_us for each in stretches)),
        min(EVER.to_us, max(each.to_us for each in stretches)),
    )


def _last_told(block: "Block", device: Device, choice: Choice) -> Told | None:
    for end in range(len(block), 0, -PIECE):
        for told in reversed(_told(block.take(slice(max(0, end - PIECE), end)), device)):
            if _is_shown(told, choice):
                return told
    return None


def _told_since(block: "Block", device: Device, choice: Choice, received_us: int) -> list[Told]:
    if block.received_us is None:
        raise ValueError("a block without times of receipt")
    return [told for told in _told(block.take(block.received_us >= received_us), device) if _is_shown(told, choice)]


def _is_shown(told: Told, choice: Choice) -> bool:
    return choice.has(told) and (not choice.channels or any(name in told.fields for name in choice.channels))


def _told(block: "Block", device: Device) -> Sequence[Told]:
    from releve.history import spelling  # noqa: PLC0415 - as above

    pairs = zip(block.time_us.tolist(), spelling.texts(block), strict=True) if len(block) else ()
    return [
        Told(device_id=device.id, device=device.name, team_id=device.team_id, time_us=time_us, channels=channels)
        for time_us, channels in pairs
    ]
