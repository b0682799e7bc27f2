"""The readings of a run that count, as columns; loads numpy, so only who reads imports it."""

from collections.abc import AsyncIterator, Sequence

from releve.history.block import Block
from releve.history.exclusion import Exclusion
from releve.query.run.run import Run
from releve.storage import scan
from releve.storage.pool import Pool
from releve.storage.scan import Span


def blocks(pool: Pool, run: Run, channels: Sequence[str] | None, *, from_us: int | None = None) -> AsyncIterator[Block]:
    """The readings that count, in the order of time.

    Args:
        pool: Where they are.
        run: Whose.
        channels: Which columns; `scan.WHOLE` for everything.
        from_us: From when on, where not from the start of the run.
    """
    span = Span(run.from_us if from_us is None else from_us, run.to_us)
    return scan.counted(pool, run.device_id, channels, span, part=run.part, exclusions=_exclusions(run))


async def count(pool: Pool, run: Run) -> int:
    """How many they are."""
    span = Span(run.from_us, run.to_us)
    return await scan.count_counted(pool, run.device_id, span, part=run.part, exclusions=_exclusions(run))


async def channels(pool: Pool, run: Run) -> list[str]:
    """The channels that they have, sorted.

    What the span's segments have is known without reading them. Whether a reading that counts has it is mostly told by
    the first ones; for the channels that these lack more is read, of those channels only.
    """
    missing = await scan.channels(pool, run.device_id, Span(run.from_us, run.to_us))
    found: list[str] = []
    from_us: int | None = run.from_us
    while missing and from_us is not None:
        looked_for, from_us = missing, await _until_one_is_found(pool, run, missing, found, from_us)
        missing = [name for name in looked_for if name not in found]
    return sorted(found)


async def _until_one_is_found(
    pool: Pool, run: Run, missing: Sequence[str], found: list[str], from_us: int
) -> int | None:
    """Add the channels of the first readings that have one of those; from where to read on, None at the end."""
    async for block in blocks(pool, run, missing, from_us=from_us):
        here = [name for name in missing if block.column(name).present.any()]
        if here:
            found += here
            return int(block.time_us[-1]) + 1
    return None


def _exclusions(run: Run) -> list[Exclusion]:
    return [Exclusion(*each) for each in run.left_out]
