"""Draws charts: reads what they need, one page in memory at a time, and computes beside the event loop.

Where a span has a great many readings and its buckets are wider than the rungs of its segments' ladders, the buckets
are made of rungs, and few readings are decoded.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from releve.history.grid import Even
from releve.query.instant import LATEST_US
from releve.query.series.asked import Asked
from releve.query.series.chart import Chart, Drawn, Places, channels_of, wanted_of
from releve.query.series.source import Source
from releve.storage import bygone, rungs
from releve.storage.bygone import Bygone
from releve.storage.pool import Pool
from releve.storage.rungs import Laid, Plan, Silent
from releve.storage.scan import WHOLE, Span, blocks, extent, owned, stretches

MANY = 500_000  # numbers: fewer are decoded in some 20 ms, and buckets that fit the span exactly are worth that
WIDER = 10  # times as wide as asked for buckets may become, so that ladders of deleted readings fit
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


async def draw(
    pool: Pool,
    asked: Asked,
    sources: Sequence[Source],
    *,
    spans: Sequence[Sequence[Span]] | None = None,
    silent: Silent | None = None,
) -> Charts:
    """The charts of several devices or of a run, over one grid.

    Args:
        pool: Where the readings are.
        asked: What was asked for.
        sources: Whose readings, one or more.
        spans: The stretches of each source that are read, where they are known (`spans_of`).
        silent: What is remembered of segments from one chart to the next.

    Raises:
        BadRequest: The answer would be too large, or there is nothing to draw along.
    """
    spans = await spans_of(pool, sources) if spans is None else spans
    extents = [
        found
        for each, of in zip(sources, spans, strict=True)
        for span in of
        if (found := await extent(pool, each.device_id, span)) is not None
    ]
    readers = [_Reader(pool, asked, *each) for each in zip(sources, spans, strict=True)]
    gone = [each.span for reader in readers for each in await reader.bygone()]
    is_all_gone = not extents
    extents += gone
    first_us = min((each.from_us for each in extents), default=None)
    last_us = max((each.to_us for each in extents), default=None)
    if first_us is not None and last_us is not None:
        asked.refuse_too_much(last_us - first_us)
    from_us = sources[0].from_us or first_us
    to_us = last_us if sources[0].to_us == LATEST_US else sources[0].to_us
    whole = _NOTHING if from_us is None or to_us is None else Span(from_us, to_us)
    step_us = await _step_us(readers, asked, whole)
    if gone:
        step_us = await _step_with_bygone_us(readers, asked, whole, step_us, is_all_gone=is_all_gone)
    memory = Silent() if silent is None else silent
    drawn = [await _drawn(reader, asked, whole, step_us, memory) for reader in readers]
    return Charts(from_us, to_us, drawn)


async def _step_us(readers: Sequence["_Reader"], asked: Asked, whole: Span) -> int | None:
    """Of how wide rungs the buckets of a long chart are made; None where the readings are better decoded."""
    if not asked.may_be_raw or asked.by:
        return None
    ladders = [laid for reader in readers for laid in await reader.ladders()]
    width_us = Even.of(whole.from_us, whole.to_us, asked.points).width_us
    step_us = rungs.step_us(ladders, width_us)
    if step_us is None:
        return None
    n = sum(each.sealed.n for each in ladders if each.width_us <= step_us)
    return step_us if n > asked.points and n * len(asked.channels) > MANY else None


async def spans_of(pool: Pool, sources: Sequence[Source]) -> list[list[Span]]:
    """The stretches of each source that those who ask may read."""
    return [await _spans(pool, source) for source in sources]


async def _step_with_bygone_us(
    readers: Sequence["_Reader"], asked: Asked, whole: Span, step_us: int | None, *, is_all_gone: bool
) -> int | None:
    """The same where ladders of deleted readings are a part: buckets are made wider for them.

    They become ten times as wide at most, or, where nothing else is, as wide as the rungs; wider rungs are left out.
    """
    found = [each for reader in readers for each in await reader.bygone()]
    width_us = Even.of(whole.from_us, whole.to_us, asked.points).width_us
    widest_us = max(each.width_us for each in found)
    fitting_us = bygone.step_us(found, widest_us if is_all_gone else WIDER * width_us)
    return max(filter(None, (step_us, fitting_us)), default=None)


async def _spans(pool: Pool, source: Source) -> list[Span]:
    whole = Span(source.from_us, source.to_us)
    return [whole] if source.run_id is not None else await owned(pool, source.device_id, source.teams, whole)


class _Reader:
    """Reads what a chart needs of a source, as often as it is asked to.

    Attributes:
        source: Whose readings.
    """

    def __init__(self, pool: Pool, asked: Asked, source: Source, spans: Sequence[Span]) -> None:
        self.source = source
        self._pool = pool
        self._asked = asked
        self._channels = channels_of(asked, source)
        self._exclusions = wanted_of(source).exclusions
        self._spans = spans
        self._plans: list[Plan] = []
        self._bygone: list[Bygone] | None = None

    async def ladders(self) -> list[Laid]:
        """The segments whose ladders may stand in for them."""
        if not self.source.part:
            self._plans = [
                await rungs.plan(self._pool, self.source.device_id, self._asked.channels, span) for span in self._spans
            ]
        return [laid for planned in self._plans for laid in planned.whole(self._exclusions)]

    async def bygone(self) -> list[Bygone]:
        """The ladders of readings that were deleted; none where a chart is not made of ladders."""
        if self._bygone is None:
            self._bygone = []
            if self._asked.may_be_raw and not self._asked.by and not self.source.part:
                for span in self._spans:
                    self._bygone += await bygone.bygone(
                        self._pool, self.source.device_id, self._asked.channels, span, self._exclusions
                    )
        return self._bygone

    async def feed(self, into: Chart | Places) -> None:
        """Hand every block over, in order."""
        for span in self._spans:
            await self._feed_readings(into, span)

    async def feed_summed(self, into: Chart, step_us: int, silent: Silent) -> None:
        """Hand everything over, in order: what stands in for segments, and the blocks of what else there is."""
        for planned in self._plans:
            found = rungs.pieces(
                self._pool,
                self.source.device_id,
                self._asked.channels,
                planned,
                step=step_us,
                exclusions=self._exclusions,
                silent=silent,
            )
            async for piece in found:
                if isinstance(piece, Span):
                    await self._feed_readings(into, piece)
                else:
                    await asyncio.to_thread(into.add_summed, piece)

    async def _feed_readings(self, into: Chart | Places, span: Span) -> None:
        for stretch, is_whole in stretches(span, self._exclusions):
            channels = WHOLE if is_whole else self._channels
            async for block in blocks(self._pool, self.source.device_id, channels, stretch):
                await asyncio.to_thread(into.add, block)


async def _drawn(reader: _Reader, asked: Asked, whole: Span, step_us: int | None, silent: Silent) -> Drawn:
    places = None
    if asked.by:
        finding = Places(asked.by, reader.source)
        await reader.feed(finding)
        places = finding.answer()
    chart = Chart(asked, reader.source, from_us=whole.from_us, to_us=whole.to_us, places=places, step_us=step_us)
    if step_us is None or reader.source.part:
        await reader.feed(chart)
    else:
        if found := await reader.bygone():
            chart.add_bygone(bygone.together(found, step_us))
        await reader.feed_summed(chart, step_us, silent)
    return await asyncio.to_thread(chart.drawn)
