"""A device's readings as blocks of columns, in the order of time and id: the one way to read a stretch of history.

Where readings lie is this file's business alone. Today all of them are rows, read a page at a time: PostgreSQL answers
a column of each channel that is asked for, so that the others are neither sent nor decoded. No connection is held
while a block is worked on.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, LiteralString, NamedTuple

import msgspec
import numpy as np
from psycopg import AsyncConnection, postgres
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.rows import tuple_row

from releve.history.array import Integers, Mask, all_same
from releve.history.block import Block, Identities
from releve.history.column import ABSENT_VALUE, Column
from releve.history.identity import Rule
from releve.history.sent import Sent
from releve.protocol.reading import INTEGER_LIMIT
from releve.storage.pool import Pool
from releve.storage.queries import query

FIRST_PAGE = 1_024
LARGEST_PAGE = 16_384  # decoded in a few milliseconds
PAGE_BYTES = 2_000_000  # of text; a page that exceeds it is followed by shorter ones
_GREATEST_ID = 2**63 - 1
_EPOCH_2000_US = 946_684_800_000_000  # PostgreSQL counts from 2000
_HEADER = 20  # of an array of one dimension: dimensions, flag, type, length, lower bound
_json = msgspec.json.Decoder(list[Any])


class Span(NamedTuple):
    """The readings of [from, to), microseconds since 1970."""

    from_us: int
    to_us: int


async def owned(pool: Pool, device_id: int, teams: Sequence[int], span: Span) -> list[Span]:
    """The stretches of a span in which one of the teams owned the device, in order: what its members may read."""
    values = {"device": device_id, "teams": list(teams), "from_us": span.from_us, "to_us": span.to_us}
    async with pool.connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query("owned_stretches"), values)
        return [Span(*row) for row in await cursor.fetchall()]


async def extent(pool: Pool, device_id: int, span: Span) -> Span | None:
    """From the first reading of the span to just behind the last; None where there is none."""
    values = {"device": device_id, "from_us": span.from_us, "to_us": span.to_us}
    async with pool.connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query("reading_extent"), values)
        first_us, last_us = await cursor.fetchone() or (None, None)
    return None if first_us is None else Span(first_us, last_us + 1)


async def blocks(pool: Pool, device_id: int, channels: Sequence[str], span: Span) -> AsyncIterator[Block]:
    """The readings of a span, with these channels alone; no block is empty.

    A block is a page long, whatever the span. It knows the identities of its readings.

    Args:
        pool: Lends a connection for each page.
        device_id: Whose readings.
        channels: Which columns; a reading that has none of them comes too.
        span: Which stretch.
    """
    names = list(dict.fromkeys(channels))
    text = _statement(len(names))
    values: dict[str, Any] = {f"channel_{place}": name for place, name in enumerate(names)}
    values |= {"device": device_id, "after_us": span.from_us - 1, "after_id": _GREATEST_ID, "to_us": span.to_us}
    limit = FIRST_PAGE
    while True:
        async with pool.connection() as connection:
            page = await _page(connection, text, {**values, "limit": limit})
        if page.time is None:
            return
        block = await asyncio.to_thread(page.block, names)
        yield block
        if len(block) < limit:
            return
        values |= {"after_us": int(block.time_us[-1]), "after_id": int(page.ids[-1])}
        room = PAGE_BYTES / max(1, page.size)
        limit = max(1, min(LARGEST_PAGE, 4 * limit, int(len(block) * room)))


class _Page(NamedTuple):
    """What the database answers: for each channel the values that are there as JSON, and where there is one."""

    time: Integers
    ids: Integers
    texts: Sequence[str | None]
    present: Sequence[Mask]

    @property
    def size(self) -> int:
        return sum(len(text) for text in self.texts if text is not None)

    def block(self, names: Sequence[str]) -> Block:
        n = len(self.ids)
        columns = {
            name: _column(text, present) for name, text, present in zip(names, self.texts, self.present, strict=True)
        }
        known = Identities(all_same(Rule.KEPT, n), self.ids)
        return Block(self.time + _EPOCH_2000_US, columns, identities=known, sent=Sent.none(n))


async def _page(connection: AsyncConnection[Any], text: LiteralString, values: dict[str, Any]) -> _Page:
    async with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        for name, loader in _LOADERS.items():
            cursor.adapters.register_loader(postgres.types[name].array_oid, loader)
        await cursor.execute(text, values)
        time, ids, *columns = await cursor.fetchone() or (None, None)
    return _Page(time, ids, columns[0::2], columns[1::2])


def _statement(n: int) -> LiteralString:
    """The statement of a page with so many channels; absent values are left out of their text, and told beside it."""
    text = query("scan_page")
    columns: LiteralString = ""
    values: LiteralString = ""
    for place in range(n):
        number = _digits(place)
        columns += ", string_agg(value_" + number + "::text, ','), array_agg(value_" + number + " IS NOT NULL)"
        values += ", channels -> %(channel_" + number + ")s::text AS value_" + number
    return text.replace("/*columns*/", columns).replace("/*values*/", values)


def _digits(number: int) -> LiteralString:
    """A whole number in digits, of which a type checker knows that nobody sent them."""
    digits: tuple[LiteralString, ...] = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    last = digits[number % 10]
    return last if number < len(digits) else _digits(number // 10) + last


def _column(text: str | None, present: Mask) -> Column:
    found = [_within_doubles(value) for value in _json.decode(f"[{text or ''}]")]
    if len(found) == len(present):
        return Column.of(found)
    values = iter(found)
    return Column.of([next(values) if is_present else ABSENT_VALUE for is_present in present.tolist()])


def _within_doubles(value: Any) -> Any:
    """A number that was sent as 1e22 is kept by PostgreSQL as 23 digits: beyond 2⁵³ there is no whole number."""
    return float(value) if type(value) is int and abs(value) > INTEGER_LIMIT else value


class _Numbers(Loader):
    """An array of whole numbers or times, none of them NULL, straight from its bytes."""

    format = Format.BINARY
    _each = np.dtype([("length", ">i4"), ("value", ">i8")])

    def load(self, data: Buffer) -> Integers:
        return np.frombuffer(data, self._each, offset=_HEADER)["value"].astype(np.int64)


class _Truths(Loader):
    """An array of truth values, none of them NULL."""

    format = Format.BINARY
    _each = np.dtype([("length", ">i4"), ("value", "?")])

    def load(self, data: Buffer) -> Mask:
        return np.frombuffer(data, self._each, offset=_HEADER)["value"].copy()


_LOADERS: dict[str, type[_Numbers] | type[_Truths]] = {"int8": _Numbers, "timestamptz": _Numbers, "bool": _Truths}
