"""Deletes what was kept long enough, a bounded step at a time, each within its caller's transaction.

What goes is decided without a lock and done under the device's, if nothing has moved meanwhile, as sealing does it. A
segment goes as a whole. One that holds readings on both sides of a bound waits, for a tenth of the rule's days at most,
and is cut there. Ladders stay where their readings went, in segments that are marked as expired.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import structlog

from releve.history.block import Block
from releve.history.fidelity import is_same
from releve.history.segment import Damaged, Segment, decode, encode
from releve.history.without import without
from releve.protocol.keeping import DAY_US, Days, Keeping, Rule, Stretch, slack_us
from releve.storage import segments
from releve.storage.page import Span
from releve.storage.queries import query
from releve.storage.reader import Reader
from releve.storage.scan import EVER
from releve.storage.sealing import Moved
from releve.storage.segments import Replaced, Sealed, Unfaithful

MOST_GONE = 64  # segments in a step that deletes them
MOST_ARCHIVED = 8  # in one that reads them and writes them to a file first
_log = structlog.get_logger()
Archive = Callable[[int, Sequence[Block]], int]  # of a device, in order; the bytes that were written, and are safe


class Candidate(NamedTuple):
    """A segment that a rule may concern.

    Attributes:
        sealed: Which.
        channels: Those that it has.
    """

    sealed: Sealed
    channels: frozenset[str]


class Due(NamedTuple):
    """What is to be done for one device.

    Attributes:
        cuts: Segments that are to be cut first, each with the instants that become the first of a piece.
        thinned: Segments that lose channels.
        gone: Segments whose readings are all deleted, with the instant since which their rule counts.
    """

    cuts: list[tuple[Candidate, list[int]]]
    thinned: list[tuple[Candidate, frozenset[str]]]
    gone: list[tuple[Candidate, int]]


class Step(NamedTuple):
    """What one step did.

    Attributes:
        readings: How many were deleted.
        thinned: How many lost a channel.
        segments: How many were deleted, thinned or cut.
        ladders: How many ladders of channels were deleted.
        archived_bytes: What was written to files before.
        is_more: Whether there is more to do at once.
    """

    readings: int = 0
    thinned: int = 0
    segments: int = 0
    ladders: int = 0
    archived_bytes: int = 0
    is_more: bool = False


async def stretches(reader: Reader, device_id: int | None = None) -> dict[int, list[Stretch]]:
    """What counts, for each device that a rule is about, or for one; in the order of time."""
    found: defaultdict[int, defaultdict[tuple[int, int], list[Rule]]] = defaultdict(lambda: defaultdict(list))
    for device, since_us, until_us, is_own, channel, raw, ladder, is_archived in await reader.ask(
        query("keeping_rules"), {"device": device_id}
    ):
        span = (EVER.from_us if since_us is None else since_us, EVER.to_us if until_us is None else until_us)
        found[device][span].append(Rule(is_own, channel, Days(raw, ladder), is_archived))
    return {
        device: [Stretch(*span, Keeping.of(rules)) for span, rules in sorted(of_device.items())]
        for device, of_device in found.items()
    }


def due(candidates: Iterable[Candidate], kept: Sequence[Stretch], now_us: int) -> Due:
    """What the rules ask for now, of segments in the order of their first instants."""
    found = Due([], [], [])
    for each in candidates:
        cuts = sorted({cut for stretch in kept for cut in _cuts(each, stretch, now_us)})
        if cuts:
            found.cuts.append((each, cuts))
            continue
        for stretch in kept:
            if stretch.from_us <= each.sealed.first_us and each.sealed.last_us < stretch.to_us:
                _judge(each, stretch, now_us, found)
    return found


async def present_us(reader: Reader) -> int:
    """What the database's clock says, microseconds since 1970."""
    return int((await reader.ask("SELECT (extract(epoch FROM now()) * 1000000)::bigint", {}))[0][0])


async def has_old_rows(reader: Reader, device_id: int, kept: Sequence[Stretch], now_us: int) -> bool:
    """Whether a device has rows that are to be sealed first, because some of their readings are too old."""
    before_us = _shortest_bound_us(kept, now_us)
    if before_us is None:
        return False
    values = {"device": device_id, "before_us": before_us}
    return bool((await reader.ask(query("has_rows_before"), values))[0][0])


async def look(reader: Reader, device_id: int, kept: Sequence[Stretch], now_us: int) -> Due:
    """What is to be done for a device."""
    before_us = _shortest_bound_us(kept, now_us)
    if before_us is None:
        return Due([], [], [])
    values = {"device": device_id, "before_us": before_us}
    rows = await reader.ask(query("keeping_segments"), values)
    return due([Candidate(Sealed(*row[:5]), frozenset(row[5])) for row in rows], kept, now_us)


async def keep(
    reader: Reader, device_id: int, kept: Sequence[Stretch], now_us: int, archive: Archive | None = None
) -> Step:
    """Do the next of what the rules ask for.

    Args:
        reader: Answers, within a transaction that has done nothing yet.
        device_id: Whose.
        kept: What counts for the device.
        now_us: The present.
        archive: Writes readings to a file before they are deleted, where a rule asks for that.

    Raises:
        Moved: Something changed meanwhile; roll back.
        Unfaithful: A segment without a channel would not give its readings back; roll back.
    """
    todo = await look(reader, device_id, kept, now_us)
    for candidate, cuts in todo.cuts:
        with _noting_damage(device_id, candidate.sealed):
            return await _cut(reader, device_id, candidate, cuts)
    for candidate, channels in todo.thinned:
        with _noting_damage(device_id, candidate.sealed):
            return await _thin(reader, device_id, candidate, channels)
    if todo.gone and (step := await _delete(reader, device_id, todo.gone, kept, archive)).segments:
        return step
    return await _drop_ladders(reader, device_id, kept, now_us)


async def expired(reader: Reader, device_id: int, span: Span) -> list[tuple[str, Span]]:
    """Where readings of a span were deleted: the channel, empty for whole readings, and the stretch."""
    values = {"device": device_id, "from_us": span.from_us, "to_us": span.to_us}
    return [(channel, Span(*stretch)) for channel, *stretch in await reader.ask(query("expired_spans"), values)]


def _cuts(each: Candidate, stretch: Stretch, now_us: int) -> list[int]:
    """Where a segment is to be cut, because readings of a part of it have been too old for long."""
    first_us, last_us = each.sealed.first_us, each.sealed.last_us
    begin_us = max(first_us, stretch.from_us)
    found = []
    for days in _bounds(each, stretch.keeping):
        end_us = min(stretch.to_us, now_us - days * DAY_US)
        is_all = begin_us == first_us and last_us < end_us
        if begin_us <= last_us and not is_all and now_us - days * DAY_US - begin_us >= slack_us(days):
            found += [begin_us] if begin_us > first_us else []
            found += [end_us] if begin_us < end_us <= last_us else []
    return found


def _bounds(each: Candidate, keeping: Keeping) -> set[int]:
    """After how many days something of a segment is deleted."""
    whole = keeping.whole_days(each.channels)
    if keeping.is_archived:  # then nothing goes by itself but channels with a shorter rule of their own
        own = {keeping.channels[name].raw for name in _shorter(each, keeping)}
    else:
        own = {keeping.raw_days(name) for name in each.channels}
    return {days for days in (whole, *own) if days is not None}


def _shorter(each: Candidate, keeping: Keeping) -> frozenset[str]:
    """The channels of a segment that have a rule of their own which is shorter than that of its readings."""
    whole = keeping.whole_days(each.channels)
    own = {name: keeping.channels[name].raw for name in each.channels & keeping.channels.keys()}
    return frozenset(name for name, raw in own.items() if raw is not None and (whole is None or raw < whole))


def _judge(each: Candidate, stretch: Stretch, now_us: int, found: Due) -> None:
    keeping = stretch.keeping
    age_us = now_us - each.sealed.last_us
    whole = keeping.whole_days(each.channels)
    if whole is not None and age_us > whole * DAY_US:
        found.gone.append((each, stretch.from_us))
        return
    may_go = _shorter(each, keeping) if keeping.is_archived else each.channels
    raw = {name: keeping.raw_days(name) for name in may_go}
    goes = frozenset(name for name, days in raw.items() if days is not None and age_us > days * DAY_US)
    if goes:
        found.thinned.append((each, goes))


async def _cut(reader: Reader, device_id: int, each: Candidate, cuts: Sequence[int]) -> Step:
    block = await _whole(reader, device_id, each.sealed)
    places = [0, *np.searchsorted(block.time_us, list(cuts)).tolist(), len(block)]
    pieces = [block.take(slice(first, last)) for first, last in pairwise(places) if first < last]
    if len(pieces) < 2:  # noqa: PLR2004 - all on one side after all
        raise Moved("a segment has no readings on both sides of its bound")
    prepared = [each for piece in pieces for each in await reader.work(segments.prepare, piece)]
    await segments.lock(reader, [device_id])
    if await segments.replace(reader, device_id, [each.sealed.id]) != 1:
        raise Moved("a segment was replaced meanwhile")
    await segments.insert(reader, device_id, prepared)
    return Step(segments=1, is_more=True)


async def _thin(reader: Reader, device_id: int, each: Candidate, channels: frozenset[str]) -> Step:
    sealed = each.sealed
    segment = await _load(reader, device_id, sealed)
    thin = await reader.work(_thinned, segment, channels)
    own = {holds: content for holds, content in thin.own.items() if segment.own.get(holds) != content}
    values = {
        "device": device_id,
        "segment": sealed.id,
        "size": sealed.size,
        "bytes": sum(map(len, thin.own.values())) + sum(len(segment.channels[name]) for name in thin.channels),
        "value_count": await reader.work(_value_count, segment, channels),
        "channels": sorted(channels),
        "gone": [holds.value.decode() for holds in segment.own.keys() - thin.own.keys()],
        "holds": [holds.value.decode() for holds in own],
        "contents": list(own.values()),
    }
    await segments.lock(reader, [device_id])
    if (await reader.ask(query("thin_segment"), values))[0][0] != 1:
        raise Moved("a segment was replaced meanwhile")
    await _note(reader, device_id, sorted(channels), sealed.first_us, sealed.last_us + 1)
    return Step(thinned=sealed.n, segments=1, is_more=True)


def _thinned(segment: Segment, channels: Collection[str]) -> Segment:
    """A segment without some channels; those that stay are not written again, as they are the same bytes.

    Raises:
        Unfaithful: It would not give the readings back.
    """
    block = without(decode(segment), channels)
    own = encode(block).own
    thin = segment._replace(
        own=own, channels={name: content for name, content in segment.channels.items() if name not in channels}
    )
    if not is_same(decode(thin), block):
        raise Unfaithful("a segment without a channel would not give its readings back; nothing was deleted")
    return thin


def _value_count(segment: Segment, without_channels: Collection[str]) -> int:
    columns = decode(segment).channels
    counts = [int(np.count_nonzero(column.present)) for name, column in columns.items() if name not in without_channels]
    return sum(counts) + 2 * segment.n


async def _delete(
    reader: Reader,
    device_id: int,
    gone: Sequence[tuple[Candidate, int]],
    kept: Sequence[Stretch],
    archive: Archive | None,
) -> Step:
    since_us = gone[0][1]
    keeping = next(stretch.keeping for stretch in kept if stretch.from_us == since_us)
    now_gone = [each.sealed for each, since in gone if since == since_us][:MOST_GONE]
    written = 0
    if keeping.is_archived:
        now_gone, blocks = await _readable(reader, device_id, now_gone)
        if archive is None or not now_gone:
            return Step()
        written = await reader.work(archive, device_id, blocks)
    await segments.lock(reader, [device_id])
    values = {"device": device_id, "segments": [sealed.id for sealed in now_gone]}
    if (await reader.ask(query("expire_segments"), values))[0][0] != len(now_gone):
        raise Moved("a segment was replaced meanwhile")
    await _note(reader, device_id, [""], since_us, max(sealed.last_us for sealed in now_gone) + 1)
    return Step(sum(each.n for each in now_gone), segments=len(now_gone), archived_bytes=written, is_more=True)


async def _readable(reader: Reader, device_id: int, wanted: Sequence[Sealed]) -> tuple[list[Sealed], list[Block]]:
    """The first few that can be read; one that is damaged is not deleted where an archive was asked for."""
    found: list[Sealed] = []
    blocks: list[Block] = []
    for sealed in wanted:
        with _noting_damage(device_id, sealed):
            blocks.append(await _whole(reader, device_id, sealed))
            found.append(sealed)
        if len(found) == MOST_ARCHIVED:
            break
    return found, blocks


@contextmanager
def _noting_damage(device_id: int, sealed: Sealed) -> Iterator[None]:
    """What is damaged is passed over, and said."""
    try:
        yield
    except Damaged as error:
        _log.error("a segment is damaged", device_id=device_id, segment=sealed.id, reason=str(error))


async def _note(reader: Reader, device_id: int, channels: Sequence[str], from_us: int, to_us: int) -> None:
    values = {"device": device_id, "channels": list(channels), "from_us": from_us, "to_us": to_us}
    await reader.ask(query("note_expired"), values)


async def _drop_ladders(reader: Reader, device_id: int, kept: Sequence[Stretch], now_us: int) -> Step:
    dropped = 0
    for stretch in kept:
        own = {name: days.ladder for name, days in stretch.keeping.channels.items()}
        values: dict[str, Any] = {
            "device": device_id,
            "from_us": stretch.from_us,
            "to_us": stretch.to_us,
            "names": list(own),
            "bounds_us": [_bound_us(days, now_us) for days in own.values()],
            "bound_us": _bound_us(stretch.keeping.days.ladder, now_us),
        }
        if any(bound is not None for bound in (values["bound_us"], *values["bounds_us"])):
            dropped += (await reader.ask(query("drop_ladders"), values))[0][0]
    if dropped:
        await reader.ask(query("drop_empty_places"), {"device": device_id})
    return Step(ladders=dropped)


def _shortest_bound_us(kept: Sequence[Stretch], now_us: int) -> int | None:
    """Before when something may be too old; None where all is kept for ever."""
    days = [stretch.keeping.shortest_days for stretch in kept]
    return max((now_us - each * DAY_US for each in days if each is not None), default=None)


def _bound_us(days: int | None, now_us: int) -> int | None:
    return None if days is None else now_us - days * DAY_US


async def _whole(reader: Reader, device_id: int, sealed: Sealed) -> Block:
    return await reader.work(segments.decoded, await _load(reader, device_id, sealed), None)


async def _load(reader: Reader, device_id: int, sealed: Sealed) -> Segment:
    try:
        return (await segments.load(reader, device_id, [sealed], None))[sealed.id]
    except Replaced as error:
        raise Moved("a segment was replaced meanwhile") from error
