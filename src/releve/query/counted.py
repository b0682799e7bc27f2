"""The readings that are meant and count, as columns; loads numpy, so only who reads imports it."""

from collections.abc import AsyncIterator, Sequence

from releve.history.block import Block
from releve.history.exclusion import Exclusion
from releve.query.which import Which
from releve.storage import scan
from releve.storage.pool import Pool
from releve.storage.scan import Span


async def blocks(
    pool: Pool, which: Which, channels: Sequence[str] | None, *, from_us: int | None = None
) -> AsyncIterator[Block]:
    """The readings that count, in the order of time.

    Args:
        pool: Where they are.
        which: Which are meant.
        channels: Which columns; `scan.WHOLE` for everything.
        from_us: From when on, where not from the start.
    """
    exclusions = _exclusions(which)
    for span in _spans(which, from_us):
        found = scan.counted(pool, which.device_id, channels, span, part=which.part, exclusions=exclusions)
        async for block in found:
            yield block


async def count(pool: Pool, which: Which) -> int:
    """How many they are."""
    exclusions = _exclusions(which)
    counts = [
        await scan.count_counted(pool, which.device_id, span, part=which.part, exclusions=exclusions)
        for span in _spans(which)
    ]
    return sum(counts)


async def channels(pool: Pool, which: Which) -> list[str]:
    """The channels that they have, sorted.

    What the spans' segments have is known without reading them. Whether a reading that counts has it is mostly told by
    the first ones; for the channels that these lack more is read, of those channels only.
    """
    missing = await named(pool, which)
    found: list[str] = []
    from_us: int | None = which.spans[0][0] if which.spans else None
    while missing and from_us is not None:
        from_us = await _until_one_is_found(pool, which, missing, found, from_us)
        missing = [name for name in missing if name not in found]
    return sorted(found)


async def named(pool: Pool, which: Which) -> list[str]:
    """The channels that they may have, sorted: theirs, and a few more that only readings beside them have."""
    names = [await scan.channels(pool, which.device_id, span) for span in _spans(which)]
    return sorted({name for each in names for name in each})


async def _until_one_is_found(
    pool: Pool, which: Which, missing: Sequence[str], found: list[str], from_us: int
) -> int | None:
    """Add the channels of the first readings that have one of those; from where to read on, None at the end."""
    async for block in blocks(pool, which, missing, from_us=from_us):
        here = [name for name in missing if block.column(name).present.any()]
        if here:
            found += here
            return int(block.time_us[-1]) + 1
    return None


def _spans(which: Which, from_us: int | None = None) -> list[Span]:
    """The spans, without what lies before an instant."""
    spans = [Span(since if from_us is None else max(since, from_us), until) for since, until in which.spans]
    return [span for span in spans if span.from_us < span.to_us]


def _exclusions(which: Which) -> list[Exclusion]:
    return [Exclusion(*each) for each in which.left_out]
