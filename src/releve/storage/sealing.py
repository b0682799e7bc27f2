"""Turns rows into segments and segments into rows, a bounded step at a time, each within its caller's transaction.

Rows are read, packed, and read back from what was packed without any lock. Then the device's lock is taken, and what
was planned is done if nothing has changed: the segments that are replaced are still there, and the rows that are
deleted are exactly as many as were sealed. Otherwise nothing is done at all. So the lock, which a late reading waits
for, is held for two statements; and whenever a process is killed, the readings are in one place or in the other.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import LiteralString, NamedTuple

import structlog

from releve.history import spelling
from releve.history.block import Block, Row
from releve.history.order import in_order
from releve.history.pivot import block_of
from releve.history.segment import READINGS, Damaged
from releve.storage import segments
from releve.storage.page import Span, respelled
from releve.storage.placing import Rewrite, joins, rewrites
from releve.storage.queries import query
from releve.storage.reader import Reader
from releve.storage.segments import Prepared, Replaced, Sealed, Unfaithful
from releve.storage.session import SEALABLE_US

OLDER_S = SEALABLE_US / 1e6  # a writer takes a reading of the last five minutes for new without looking into segments
MOST_ROWS = READINGS
MOST_ROW_BYTES = 32_000_000
MOST_REWRITTEN = 4 * READINGS  # readings in one step
_EVER = Span(-62_135_596_800_000_000, 253_402_300_800_000_000)
_NO_AGE_S = -3e9  # a row of any time is older
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = structlog.get_logger()


class Moved(Exception):
    """Rows or segments changed while a step was prepared; nothing was done, and the step can be tried again."""


class Step(NamedTuple):
    """What one step did.

    Attributes:
        readings: Rows that are columns now, or the other way round.
        segments: How many were made.
        written: Readings that are in them, those of earlier segments included.
        is_more: Whether there is more to do at once.
        damaged: Segments that could not be read, and stay as they are.
    """

    readings: int = 0
    segments: int = 0
    written: int = 0
    is_more: bool = False
    damaged: int = 0


class _Rows(NamedTuple):
    """Rows in order, and whether there are no more that may be sealed."""

    rows: list[Row]
    is_all: bool


class _Work(NamedTuple):
    """One prepared rewrite."""

    replaced: list[int]
    prepared: list[Prepared]
    n: int


async def seal(reader: Reader, device_id: int, *, older_s: float = OLDER_S) -> Step:
    """Seal what may be of a device's fresh rows, the first ones first.

    Args:
        reader: Answers, within a transaction that has done nothing yet.
        device_id: Whose.
        older_s: Rows stay that are younger, by their time or by when they were received.

    Raises:
        Moved: Something changed meanwhile; roll back.
        Unfaithful: The rows would not come back; roll back.
    """
    found = await _rows(reader, device_id, "fresh_reading", _EVER, older_s)
    return await _seal(reader, device_id, "fresh_reading", found, older_s)


async def take_over(reader: Reader, device_id: int, month: Span, *, older_s: float = OLDER_S) -> Step:
    """Seal what may be of a device's rows up to the end of a month in the table of earlier releases; see `seal`."""
    found = await _rows(reader, device_id, "reading", month, older_s)
    spelled = found._replace(rows=await reader.work(_respelled, found.rows))
    return await _seal(reader, device_id, "reading", spelled, older_s)


async def join(reader: Reader, device_id: int) -> Step:
    """Make one of small neighbouring segments; see `seal`."""
    groups = joins(await segments.of_span(reader, device_id, *_EVER))
    works: list[_Work] = []
    damaged = written = 0
    for group in groups:
        if works and written + sum(each.n for each in group) > MOST_REWRITTEN:
            break
        blocks, bad = await _readable(reader, device_id, group)
        damaged += bad
        if len(blocks) > 1:
            block = await reader.work(in_order, [block for _, block in blocks])
            written += len(block)
            works.append(_Work([each.id for each, _ in blocks], await reader.work(segments.prepare, block), len(block)))
    if works:
        await segments.lock(reader, [device_id])
        await _write(reader, device_id, works)
    made = sum(len(work.prepared) for work in works)
    return Step(0, made, written, bool(works) and len(works) < len(groups), damaged)


async def unseal(reader: Reader, device_id: int, sealed: Sealed, *, is_into_old: bool = False) -> Step:
    """Turn a segment back into rows.

    Args:
        reader: Answers, within a transaction that has done nothing yet.
        device_id: Whose.
        sealed: Which segment.
        is_into_old: Into the table of earlier releases, rather than the fresh rows.

    Raises:
        Damaged: It cannot be read; roll back.
        Moved: It is not there any more; roll back.
    """
    await segments.lock(reader, [device_id])
    try:
        segment = (await segments.load(reader, device_id, [sealed], None))[sealed.id]
    except Replaced as error:
        raise Moved from error
    rows = await reader.work(_rows_of, segments.decoded(segment, None))
    if await segments.replace(reader, device_id, [sealed.id]) != 1:
        raise Moved
    await put_back(reader, device_id, rows, is_into_old=is_into_old)
    return Step(len(rows))


async def move_back(reader: Reader, device_id: int) -> Step:
    """Move some of a device's fresh rows, whatever their age, into the table of earlier releases; see `unseal`."""
    await segments.lock(reader, [device_id])
    rows, is_all = await _rows(reader, device_id, "fresh_reading", _EVER, _NO_AGE_S)
    if rows:
        await put_back(reader, device_id, rows, is_into_old=True)
        last = {"last_us": rows[-1].time_us, "last_id": rows[-1].id}
        values = {"device": device_id, "older_s": _NO_AGE_S, **last}
        if (await reader.ask(query("delete_sealed_rows"), values))[0][0] != len(rows):
            raise Moved
    return Step(len(rows), is_more=not is_all)


async def put_back(reader: Reader, device_id: int, rows: Sequence[Row], *, is_into_old: bool) -> None:
    """Store rows as they are, but for those that are there; the caller holds the device's lock."""
    if is_into_old:
        for time_us in sorted({_month(row.time_us): row.time_us for row in rows}.values()):
            await reader.ask(_ENSURE_PARTITION, {"time_us": time_us})
    values = {
        "device": device_id,
        "time_us": [row.time_us for row in rows],
        "ids": [row.id for row in rows],
        "received_us": [row.received_us for row in rows],
        "channels": [row.channels.decode() for row in rows],
        "sent": [row.sent for row in rows],
    }
    await reader.ask(query("keep_old" if is_into_old else "keep_fresh"), values)


_ENSURE_PARTITION: LiteralString = (
    "SELECT releve_ensure_partition(to_timestamp(0) + %(time_us)s::bigint * interval '1 microsecond')"
)


def _month(time_us: int) -> tuple[int, int]:
    instant = _EPOCH + timedelta(microseconds=time_us)
    return instant.year, instant.month


async def _seal(reader: Reader, device_id: int, table: LiteralString, found: _Rows, older_s: float) -> Step:
    rows = found.rows
    if not rows:
        return Step()
    block = await reader.work(_block, rows)
    sealed = await segments.of_span(reader, device_id, *_EVER)
    planned = rewrites(sealed, block.time_us)
    works: list[_Work] = []
    damaged = written = 0
    for each in planned:
        if works and written + each.n > MOST_REWRITTEN:
            break
        work, bad = await _prepared(reader, device_id, each, block)
        works.append(work)
        damaged += bad
        written += work.n
    last = planned[len(works) - 1].last
    await segments.lock(reader, [device_id])
    await _write(reader, device_id, works)
    values = {"device": device_id, "older_s": older_s, "last_us": rows[last - 1].time_us, "last_id": rows[last - 1].id}
    deleted = await reader.ask(_of(query("delete_sealed_rows"), table), values)
    if deleted[0][0] != last:
        raise Moved(f"{deleted[0][0]} rows instead of the {last} that were sealed")
    made = sum(len(work.prepared) for work in works)
    return Step(last, made, written, last < len(rows) or not found.is_all, damaged)


async def _rows(reader: Reader, device_id: int, table: LiteralString, span: Span, older_s: float) -> _Rows:
    values = {"device": device_id, "older_s": older_s, "limit": MOST_ROWS, "bytes": MOST_ROW_BYTES, "to_us": span.to_us}
    found = await reader.ask(_of(query("seal_rows"), table), values)
    n, times, ids, received, sent, lines = found[0]
    if not n:
        return _Rows([], is_all=True)
    texts = lines.encode().split(b"\n")
    if len(texts) != n:
        raise Unfaithful("a row holds a line break, which canonical JSON has none of; it stays a row")
    is_all = n < MOST_ROWS and sum(map(len, texts)) < MOST_ROW_BYTES
    return _Rows(list(map(Row, times.tolist(), ids.tolist(), received.tolist(), texts, sent)), is_all)


def _of(statement: LiteralString, table: LiteralString) -> LiteralString:
    """The same statement about another table."""
    return statement.replace("fresh_reading", table)


def _respelled(rows: Sequence[Row]) -> list[Row]:
    """Rows of the old table in canonical spelling, with the identities that they are stored under."""
    return [row._replace(channels=respelled(row.channels)) for row in rows]


def _block(rows: Sequence[Row]) -> Block:
    block = block_of(rows)
    if spelling.rows(block) != rows:
        raise Unfaithful("the columns of rows do not give them back to the byte; they stay rows")
    return block


def _rows_of(block: Block) -> list[Row]:
    return spelling.rows(block)


async def _prepared(reader: Reader, device_id: int, planned: Rewrite, block: Block) -> tuple[_Work, int]:
    """New segments of some rows and of the segments that they join; one that is damaged is left as it is."""
    blocks, damaged = await _readable(reader, device_id, planned.segments)
    new = block.take(slice(planned.first, planned.last))
    whole = await reader.work(in_order, [*(each for _, each in blocks), new])
    prepared = await reader.work(segments.prepare, whole)
    return _Work([each.id for each, _ in blocks], prepared, len(whole)), damaged


async def _readable(reader: Reader, device_id: int, wanted: Sequence[Sealed]) -> tuple[list[tuple[Sealed, Block]], int]:
    """The blocks of segments, and how many of them are damaged.

    Raises:
        Moved: One is not there any more.
    """
    found, damaged = [], 0
    for each in wanted:
        try:
            segment = (await segments.load(reader, device_id, [each], None))[each.id]
            found.append((each, await reader.work(segments.decoded, segment, None)))
        except Replaced as error:
            raise Moved from error
        except Damaged as error:
            damaged += 1
            _log.error("a segment is damaged", device_id=device_id, segment=each.id, reason=str(error))
    return found, damaged


async def _write(reader: Reader, device_id: int, works: Sequence[_Work]) -> None:
    """Do what was prepared; the caller holds the lock.

    Raises:
        Moved: A segment that was to be replaced has been replaced by somebody else.
    """
    for work in works:
        if await segments.replace(reader, device_id, work.replaced) != len(work.replaced):
            raise Moved("a segment was replaced meanwhile")
        await segments.insert(reader, device_id, work.prepared)
