"""The readings of one page, wherever they lie, and how they are written; loads numpy, so only who reads imports it."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import numpy as np

from releve.history import spelling, text
from releve.history.array import Integers, Mask
from releve.history.block import Block, joined
from releve.protocol.problem import BadRequest
from releve.query.device import readings
from releve.query.device.readings import Format, Page
from releve.storage.pool import Pool
from releve.storage.scan import WHOLE, Span, blocks, blocks_backwards, owned

ROW_BYTES = 64  # what stands around the channels of a line of a table


class Written(NamedTuple):
    """A page.

    Attributes:
        body: Its readings: a table, or JSON objects with commas or line feeds between them.
        next: The instant and the identity of the last of them, where there are more.
    """

    body: bytes
    next: tuple[int, int] | None


class _Part(NamedTuple):
    """Some readings in the order of the page.

    Attributes:
        block: Everything of them.
        lines: Each as JSON; of a table nothing.
        sizes: Bytes of each.
    """

    block: Block
    lines: list[bytes]
    sizes: Integers

    def until(self, place: int) -> "_Part":
        """Those before a place."""
        return _Part(self.block.take(slice(0, place)), self.lines[:place], self.sizes[:place])


async def found(pool: Pool, device_id: int, teams: Sequence[int], page: Page) -> Written:
    """One page of what these teams own.

    Raises:
        BadRequest: A table would have too many cells.
    """
    parts: list[_Part] = []
    left, left_bytes = page.limit, readings.PAGE_BYTES
    has_more = False
    async for block in _blocks(pool, device_id, teams, page):
        part = await pool.work(_part, block, page, left + 1)
        fits = min(int(np.searchsorted(np.cumsum(part.sizes), left_bytes, side="right")), left)
        fits = fits if parts else max(fits, min(1, len(part.sizes)))
        has_more = fits < len(part.sizes)
        parts += [part.until(fits)] if fits else []
        left, left_bytes = left - fits, left_bytes - int(part.sizes[:fits].sum())
        if has_more:
            break
    body = await pool.work(_body, parts, page)
    return Written(body, await pool.work(_place, parts[-1].block) if has_more else None)


async def _blocks(pool: Pool, device_id: int, teams: Sequence[int], page: Page) -> AsyncIterator[Block]:
    """Blocks in the order of the page, which have the readings of the page and more; each is in ascending order."""
    span = Span(page.from_us, page.to_us)
    if page.after is not None:
        after_us = page.after[0]
        span = Span(span.from_us, min(span.to_us, after_us + 1)) if page.is_descending else Span(after_us, span.to_us)
    scan = blocks_backwards if page.is_descending else blocks
    stretches = await owned(pool, device_id, teams, span)
    for stretch in reversed(stretches) if page.is_descending else stretches:
        async for block in scan(pool, device_id, page.channels, stretch, likely=page.limit + 1):
            if page.channels is None:
                yield block
                continue
            for piece in _pieces(block.time_us[_has_any(block, page.channels)], page):
                async for whole in scan(pool, device_id, WHOLE, piece, likely=page.limit + 1):
                    yield whole


def _pieces(times_us: Integers, page: Page) -> list[Span]:
    """Spans that hold these instants, a page of them each, in the order of the page.

    Where few readings have the channels that are asked for, everything is read of those only.
    """
    step = page.limit + 1
    pieces = [times_us[start : start + step] for start in range(0, len(times_us), step)]
    if page.is_descending:
        pieces = [times_us[max(0, end - step) : end] for end in range(len(times_us), 0, -step)]
    spans: list[Span] = []
    for piece in pieces:
        from_us, to_us = int(piece[0]), int(piece[-1]) + 1
        if spans:  # an instant that several readings share comes once
            from_us, to_us = (from_us, min(to_us, spans[-1].from_us)) if page.is_descending else (
                max(from_us, spans[-1].to_us), to_us)  # fmt: skip
        spans += [Span(from_us, to_us)] if from_us < to_us else []
    return spans


def _part(block: Block, page: Page, most: int) -> _Part:
    """The first readings of a block, in the order of the page, that are behind the page before and have a channel."""
    is_wanted = np.ones(len(block), bool) if page.channels is None else _has_any(block, page.channels)
    if page.after is not None:
        after_us, after_id = page.after
        first, last = np.searchsorted(block.time_us, [after_us, after_us + 1]).tolist()
        if first < last:
            ids = spelling.ids(block.take(slice(first, last)))
            is_wanted[first:last] &= ids < after_id if page.is_descending else ids > after_id
    places = np.flatnonzero(is_wanted)
    chosen = block.take((places[::-1] if page.is_descending else places)[:most])
    if page.format is Format.CSV:
        return _Part(chosen, [], _sizes(spelling.texts(chosen)) + ROW_BYTES)
    lines = text.objects(chosen, page.channels)
    return _Part(chosen, lines, _sizes(lines))


def _has_any(block: Block, channels: Sequence[str]) -> Mask:
    found: Mask = np.any([block.column(name).present for name in channels], axis=0)
    return found


def _sizes(lines: Sequence[bytes]) -> Integers:
    return np.fromiter(map(len, lines), np.int64, len(lines))


def _place(block: Block) -> tuple[int, int]:
    """The instant and the identity of the last reading."""
    last = block.take(slice(len(block) - 1, None))
    return int(last.time_us[0]), int(spelling.ids(last)[0])


def _body(parts: Sequence[_Part], page: Page) -> bytes:
    if page.format is Format.CSV:
        return _table([part.block for part in parts], page.channels)
    lines = [line for part in parts for line in part.lines]
    return b",".join(lines) if page.format is Format.JSON else b"".join([line + b"\n" for line in lines])


def _table(found: Sequence[Block], channels: Sequence[str] | None) -> bytes:
    """As a run's export has it; `sent` stands there where the time of a reading is not what its sender wrote."""
    names = channels or sorted({name for block in found for name, each in block.channels.items() if each.present.any()})
    if len(names) * sum(map(len, found)) > readings.LARGEST_TABLE:
        raise BadRequest(
            f"a table of {len(names)} channels and more is too large; name some `channels`, lower `limit`,"
            " or ask for application/x-ndjson",
            field="channels",
        )
    if not found:
        return text.csv_head(names, with_sent=False)
    block = joined(found)
    with_sent = block.sent is not None and bool(block.sent.kinds.any())
    return text.csv_head(names, with_sent=with_sent) + text.csv_lines(block, names, with_sent=with_sent)
