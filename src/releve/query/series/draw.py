"""Draws charts: reads the blocks that they need, one page in memory at a time, and computes beside the event loop."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from releve.query.instant import LATEST_US
from releve.query.series.asked import Asked
from releve.query.series.chart import Chart, Drawn, Places, channels_of
from releve.query.series.source import Source
from releve.storage.pool import Pool
from releve.storage.scan import Span, blocks, extent, owned

_NOTHING = Span(0, 1)


class Charts(NamedTuple):
    """All of an answer.

    Attributes:
        from_us: Where it begins; None where nothing was asked for and there is no reading.
        to_us: Where it ends.
        drawn: One for each source.
    """

    from_us: int | None
    to_us: int | None
    drawn: Sequence[Drawn]


async def draw(pool: Pool, asked: Asked, sources: Sequence[Source]) -> Charts:
    """The charts of several devices or of a run, over one grid.

    Raises:
        BadRequest: The answer would be too large, or there is nothing to draw along.
    """
    stretches = [await _stretches(pool, each) for each in sources]
    extents = [
        found
        for each, spans in zip(sources, stretches, strict=True)
        for span in spans
        if (found := await extent(pool, each.device_id, span)) is not None
    ]
    first_us = min((each.from_us for each in extents), default=None)
    last_us = max((each.to_us for each in extents), default=None)
    if first_us is not None and last_us is not None:
        asked.refuse_too_much(last_us - first_us)
    from_us = sources[0].from_us or first_us
    to_us = last_us if sources[0].to_us == LATEST_US else sources[0].to_us
    whole = _NOTHING if from_us is None or to_us is None else Span(from_us, to_us)
    drawn = [
        await _drawn(_Reader(pool, asked, source, spans), asked, source, whole)
        for source, spans in zip(sources, stretches, strict=True)
    ]
    return Charts(from_us, to_us, drawn)


async def _stretches(pool: Pool, source: Source) -> list[Span]:
    whole = Span(source.from_us, source.to_us)
    return [whole] if source.run_id is not None else await owned(pool, source.device_id, source.teams, whole)


class _Reader:
    """Reads what a chart needs of a source, as often as it is asked to."""

    def __init__(self, pool: Pool, asked: Asked, source: Source, stretches: Sequence[Span]) -> None:
        self._pool = pool
        self._device_id = source.device_id
        self._channels = channels_of(asked, source)
        self._stretches = stretches

    async def feed(self, into: Chart | Places) -> None:
        """Hand every block over, in order."""
        for stretch in self._stretches:
            async for block in blocks(self._pool, self._device_id, self._channels, stretch):
                await asyncio.to_thread(into.add, block)


async def _drawn(reader: _Reader, asked: Asked, source: Source, whole: Span) -> Drawn:
    places = None
    if asked.by:
        finding = Places(asked.by, source)
        await reader.feed(finding)
        places = finding.answer()
    chart = Chart(asked, source, from_us=whole.from_us, to_us=whole.to_us, places=places)
    await reader.feed(chart)
    return await asyncio.to_thread(chart.drawn)
