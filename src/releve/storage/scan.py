"""A device's readings as blocks of columns, in the order of time: the one way to read a stretch of history.

Where readings lie is this file's business alone: as fresh rows, in segments, or as rows of the table of earlier
releases until that is emptied. Each step sees all of them in one snapshot, so that what is being sealed meanwhile comes
once. No connection is held while a block is worked on, and whatever the span, no more than a page of rows and a few
segments are in memory.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from functools import partial
from typing import Final

import numpy as np

from releve.history import order, spelling
from releve.history.array import Integers, Mask, all_same
from releve.history.block import Block, Identities, Row
from releve.history.exclusion import Exclusion, counting, named_channels
from releve.history.identity import Rule
from releve.history.sent import Sent
from releve.storage import segments
from releve.storage.page import Page, Span, plan
from releve.storage.queries import query
from releve.storage.reader import Reader
from releve.storage.segments import Replaced, Sealed

__all__ = [
    "EVER",
    "WHOLE",
    "Span",
    "blocks",
    "blocks_backwards",
    "channels",
    "count",
    "count_counted",
    "counted",
    "extent",
    "newest",
    "owned",
]

WHOLE: Final = None
FIRST_PAGE = 1_024
LARGEST_PAGE = 16_384  # decoded in a few milliseconds
PAGE_BYTES = 2_000_000  # of JSON in a page of rows
AHEAD_BYTES = 4_000_000  # of segments that are loaded at once
AHEAD = 8  # segments
EVER = Span(-62_135_596_800_000_000, 253_402_300_800_000_000)  # the years that a timestamp can name


async def owned(reader: Reader, device_id: int, teams: Sequence[int | None], span: Span) -> list[Span]:
    """The stretches of a span in which one of the teams owned the device, in order: what its members may read."""
    values = {"device": device_id, "teams": list(teams), "from_us": span.from_us, "to_us": span.to_us}
    return [Span(*row) for row in await reader.ask(query("owned_stretches"), values)]


async def blocks(
    reader: Reader, device_id: int, channels: Sequence[str] | None, span: Span, *, likely: int = FIRST_PAGE
) -> AsyncIterator[Block]:
    """The readings of a span in the order of time; no block is empty, and no two have an instant in common.

    Args:
        reader: Answers statements.
        device_id: Whose readings.
        channels: Which columns; a reading that has none of them comes too. `WHOLE` for everything that a reading has.
        span: Which stretch.
        likely: After how many readings the caller will stop; more come if it does not.

    Raises:
        Damaged: A segment is not what was written.
    """
    history = _History(reader, device_id, channels)
    at, limit = span.from_us, _first_page(likely)
    while at < span.to_us:
        page = await history.page(Span(at, span.to_us), limit)
        window = _Window(Span(at, span.to_us if page.is_last else page.last_us))
        try:
            async for block in history.window(page, window):
                yield block
        except Replaced:  # merged with others meanwhile: those are planned for
            at = window.done_us
            continue
        at, limit = window.span.to_us, min(LARGEST_PAGE, 4 * limit)


async def blocks_backwards(
    reader: Reader, device_id: int, channels: Sequence[str] | None, span: Span, *, likely: int = FIRST_PAGE
) -> AsyncIterator[Block]:
    """The same from the newest block to the oldest; each block is in ascending order."""
    history = _History(reader, device_id, channels)
    until, limit = span.to_us, _first_page(likely)
    while until > span.from_us:
        page = await history.page(Span(span.from_us, until), limit, is_backwards=True)
        begin_us = span.from_us if page.is_last else page.first_us + 1
        starts = [each.first_us for each in page.sealed if begin_us < each.first_us < until]
        since = max(starts, default=begin_us)
        try:
            found = [block async for block in history.window(page, _Window(Span(since, until)))]
        except Replaced:
            continue
        for block in reversed(found):
            yield block
        until, limit = since, min(LARGEST_PAGE, 4 * limit)


async def counted(
    reader: Reader,
    device_id: int,
    channels: Sequence[str] | None,
    span: Span,
    *,
    part: str = "",
    exclusions: Sequence[Exclusion] = (),
) -> AsyncIterator[Block]:
    """The readings of a span that count; see `blocks`.

    Args:
        reader: Answers statements.
        device_id: Whose readings.
        channels: Which columns; blocks may have those that parts name as well.
        span: Which stretch.
        part: Whose readings count, such as `machine_id=7`; empty for all of the device's.
        exclusions: What was left out.
    """
    names = channels if channels is None else [*channels, *named_channels(part, exclusions)]
    for stretch, is_whole in stretches(span, exclusions):
        async for block in blocks(reader, device_id, WHOLE if is_whole else names, stretch):
            counts = counting(block, part=part, exclusions=exclusions, ids=partial(spelling.ids, block))
            found = block if counts is None or counts.all() else block.take(counts)
            if len(found):
                yield found if names is None or not is_whole else _only(found, names)


async def newest(
    reader: Reader, device_id: int, span: Span, limit: int, *, before: tuple[int, int] | None = None
) -> list[Row]:
    """The newest readings of a span, the very newest first.

    Args:
        reader: Answers statements.
        device_id: Whose readings.
        span: Which stretch.
        limit: Most of them.
        before: Only those before an instant and, at that instant, an identity.
    """
    found: list[Row] = []
    until = span if before is None else Span(span.from_us, min(span.to_us, before[0] + 1))
    async for block in blocks_backwards(reader, device_id, WHOLE, until, likely=limit):
        known = block if before is None else block.take(_is_before(block, before))
        rows = await reader.work(spelling.rows, known.take(slice(max(0, len(known) - limit + len(found)), None)))
        found += reversed(rows)
        if len(found) >= limit:
            break
    return found


async def extent(reader: Reader, device_id: int, span: Span) -> Span | None:
    """From the first reading of the span to just behind the last; None where there is none."""
    values = {"device": device_id, "from_us": span.from_us, "to_us": span.to_us}
    ends = [us for us in (await reader.ask(query("scan_ends"), values))[0] if us is not None]
    for each in await segments.of_span(reader, device_id, *span):
        if each.first_us >= span.from_us and each.last_us < span.to_us:
            ends += [each.first_us, each.last_us]
        else:
            within = await _within(reader, device_id, each, span)
            ends += within[[0, -1]].tolist() if len(within) else []
    return Span(min(ends), max(ends) + 1) if ends else None


async def count(reader: Reader, device_id: int, span: Span) -> int:
    """How many readings a span has; one that lies in two places during an upgrade may be counted twice."""
    values = {"device": device_id, "from_us": span.from_us, "to_us": span.to_us}
    n = int((await reader.ask(query("scan_count"), values))[0][0])
    for each in await segments.of_span(reader, device_id, *span):
        is_inside = each.first_us >= span.from_us and each.last_us < span.to_us
        n += each.n if is_inside else len(await _within(reader, device_id, each, span))
    return n


async def count_counted(
    reader: Reader, device_id: int, span: Span, *, part: str = "", exclusions: Sequence[Exclusion] = ()
) -> int:
    """How many readings of a span count; only where something was left out, or for a part, they are looked at."""
    looked_at = [span] if part else [stretch for stretch, is_left_out in _cut(span, exclusions) if is_left_out]
    n = 0
    for stretch in looked_at:
        found = counted(reader, device_id, (), stretch, part=part, exclusions=exclusions)
        n += sum([len(block) async for block in found])
    for stretch, is_left_out in () if part else _cut(span, exclusions):
        n += 0 if is_left_out else await count(reader, device_id, stretch)
    return n


async def channels(reader: Reader, device_id: int, span: Span) -> list[str]:
    """The names of channels that readings of a span have, sorted; a few more where a segment lies in it in part."""
    values = {"device": device_id, "from_us": span.from_us, "to_us": span.to_us}
    return sorted(name for (name,) in await reader.ask(query("scan_channels"), values))


async def _within(reader: Reader, device_id: int, sealed: Sealed, span: Span) -> Integers:
    """The instants of a segment that lie in a span."""
    try:
        segment = (await segments.load(reader, device_id, [sealed], ()))[sealed.id]
    except Replaced:
        return np.zeros(0, np.int64)
    return segments.decoded(segment, ()).within(*span).time_us


class _Window:
    """A stretch that is read in one snapshot, and how far that has come: everything before `done_us`, nothing after."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.done_us = span.from_us


class _History:
    """One scan's way to pages and segments; the segments that were loaded last stay at hand."""

    def __init__(self, reader: Reader, device_id: int, channels: Sequence[str] | None) -> None:
        self._reader = reader
        self._device_id = device_id
        self._names = None if channels is None else list(dict.fromkeys(channels))
        self._loaded: dict[tuple[int, bool], Block] = {}
        self._ahead = 1  # whoever wants a page only needs no more; whoever reads on gets more and more at once

    async def page(self, span: Span, limit: int, *, is_backwards: bool = False) -> Page:
        """Rows that do not all share their instant, unless they are all of the span: a page ends between instants."""
        size = PAGE_BYTES
        while True:
            page = await plan(self._reader, self._device_id, span, limit, size, is_backwards=is_backwards)
            if not page.is_one_instant:
                return page
            limit, size = 4 * limit, 4 * size

    async def window(self, page: Page, window: _Window) -> AsyncIterator[Block]:
        """The readings of a window, in order: what the next segment may precede waits for it.

        Raises:
            Replaced: A segment is not there any more.
        """
        begin_us, end_us = window.span
        sealed = [each for each in page.sealed if each.first_us < end_us and each.last_us >= begin_us]
        # A reading of the old table may lie in a segment too, which only its identity tells.
        names = None if page.has_old and sealed else self._names
        rows = await self._reader.work(page.block, window.span, names)
        held = [] if rows is None else [rows]
        for place, each in enumerate(sealed):
            for block in order.together(order.before(held, each.first_us)):
                yield self._asked(block)
            held = order.since(held, each.first_us)
            window.done_us = max(window.done_us, each.first_us)
            found = (await self._segment(sealed[place:], names)).within(begin_us, end_us)
            held += [found] if len(found) else []
        for block in order.together(held):
            yield self._asked(block)
        window.done_us = end_us

    async def _segment(self, sealed: Sequence[Sealed], names: Collection[str] | None) -> Block:
        """The first of some segments; the next ones are loaded with it."""
        is_whole = names is None
        wanted = sealed[0]
        if (wanted.id, is_whole) not in self._loaded:
            ahead = _ahead(sealed[: self._ahead])
            self._ahead = min(AHEAD, 2 * self._ahead)
            loaded = await segments.load(self._reader, self._device_id, ahead, names)
            self._loaded = {
                (number, is_whole): await self._reader.work(segments.decoded, segment, names)
                for number, segment in loaded.items()
            }
        return self._loaded[wanted.id, is_whole]

    def _asked(self, block: Block) -> Block:
        return block if self._names is None or not block.is_whole else _only(block, self._names)


def _ahead(sealed: Sequence[Sealed]) -> Sequence[Sealed]:
    """The first segment, and those behind it that may be loaded with it."""
    size = 0
    for place, each in enumerate(sealed):
        size += each.size
        if place and size > AHEAD_BYTES:
            return sealed[:place]
    return sealed


def _only(block: Block, names: Collection[str]) -> Block:
    """The same readings with these channels alone, and with their identities."""
    known = Identities(all_same(Rule.KEPT, len(block)), spelling.ids(block))
    columns = {name: block.column(name) for name in names}
    return Block(block.time_us, columns, identities=known, sent=Sent.none(len(block)))


def stretches(span: Span, exclusions: Sequence[Exclusion]) -> list[tuple[Span, bool]]:
    """A span cut where single readings are left out, and whether identities are needed there.

    >>> single = Exclusion(40, 41, reading=7)
    >>> [(*stretch, is_whole) for stretch, is_whole in stretches(Span(0, 100), [single])]
    [(0, 40, False), (40, 41, True), (41, 100, False)]
    """
    return _cut(span, [each for each in exclusions if each.reading is not None])


def _cut(span: Span, exclusions: Sequence[Exclusion]) -> list[tuple[Span, bool]]:
    """A span cut where readings are left out, and whether they are.

    >>> cut = _cut(Span(0, 100), [Exclusion(40, 60), Exclusion(50, 70), Exclusion(90, 200)])
    >>> [(*stretch, is_left_out) for stretch, is_left_out in cut]
    [(0, 40, False), (40, 60, True), (60, 70, True), (70, 90, False), (90, 100, True)]
    """
    found, at = [], span.from_us
    for from_us, to_us in sorted((each.from_us, each.to_us) for each in exclusions):
        since, until = max(at, from_us), min(span.to_us, to_us)
        if since < until:
            found += [(Span(at, since), False), (Span(since, until), True)]
            at = until
    return [each for each in [*found, (Span(at, span.to_us), False)] if each[0].from_us < each[0].to_us]


def _is_before(block: Block, place: tuple[int, int]) -> Mask:
    """Which readings of a whole block come before an instant and, at that instant, an identity."""
    found: Mask = block.time_us < place[0]
    first, last = np.searchsorted(block.time_us, [place[0], place[0] + 1]).tolist()
    if first < last:
        found[first:last] = spelling.ids(block.take(slice(first, last))) < place[1]
    return found


def _first_page(likely: int) -> int:
    """Rows of the first page: two at least, as a page ends between instants."""
    return max(min(FIRST_PAGE, likely), 2)
