"""Segments in their tables: adding, replacing, and loading the columns that are asked for.

Whoever adds or replaces segments of a device holds its lock (`lock`), and whoever stores a reading that may be sealed
already holds it with others (`late.py`), so that no reading is in two places (promise P2).
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import structlog

from releve.history import spelling
from releve.history.array import Integers, Mask
from releve.history.block import Block, Row
from releve.history.column import Column
from releve.history.fidelity import is_same
from releve.history.ladder import Ladder, ladder_of
from releve.history.pivot import block_of, block_of_columns
from releve.history.segment import READINGS, Damaged, Holds, Segment, decode, decode_some, encode
from releve.protocol.stretch import Stretch
from releve.storage.queries import query
from releve.storage.reader import Reader

_log = structlog.get_logger()


class Sealed(NamedTuple):
    """What is known of a segment without its columns.

    Attributes:
        id: Its number, within its device.
        n: How many readings it holds.
        first_us: The earliest instant, microseconds since 1970.
        last_us: The latest.
        size: Bytes of all columns.
    """

    id: int
    n: int
    first_us: int
    last_us: int
    size: int


Prepared = Mapping[str, Any]


class Unfaithful(Exception):
    """Columns that were just made do not give back what they were made of."""


class Replaced(Exception):
    """The columns of a segment are gone, because its readings are in another one since a while."""


async def lock(reader: Reader, devices: Collection[int]) -> None:
    """Seal, merge or take back readings of devices alone, until the transaction ends."""
    await reader.ask(query("lock_history"), {"devices": sorted(devices)})


async def of_span(reader: Reader, device_id: int, from_us: int, to_us: int) -> list[Sealed]:
    """The segments that have an instant in [from, to) between their first and their last, by their first."""
    values = {"device": device_id, "from_us": from_us, "to_us": to_us}
    return [Sealed(*row) for row in await reader.ask(query("segment_spans"), values)]


async def add(reader: Reader, device_id: int, block: Block) -> list[int]:
    """Store a whole block as segments of no more than `READINGS` and a half; their numbers.

    Raises:
        Unfaithful: The columns would not give the block back.
    """
    return await insert(reader, device_id, await reader.work(prepare, block))


def prepare(block: Block) -> list[Prepared]:
    """Segments of a block, read back and compared before anybody relies on them.

    Raises:
        Unfaithful: The columns would not give the block back.
    """
    pieces = max(1, round(len(block) / READINGS))
    bounds = [len(block) * place // pieces for place in range(pieces + 1)]
    return [_prepared(block.take(slice(first, last))) for first, last in pairwise(bounds)]


async def insert(reader: Reader, device_id: int, prepared: Sequence[Prepared]) -> list[int]:
    """Store prepared segments; their numbers."""
    numbers = []
    for values in prepared:
        numbers += [row[0] for row in await reader.ask(query("add_segment"), {**values, "device": device_id})]
    return numbers


def block_of_arrays(stretch: Stretch) -> Block:
    """The readings of a stretch of a waveform as a block."""
    columns = {name: Column.of(values) for name, values in stretch.values().items()}
    return block_of_columns(np.array(stretch.times_us(), np.int64), columns, received_us=stretch.received_us)


async def known_of(reader: Reader, device_id: int, block: Block) -> Mask | None:
    """Which readings of a whole block, no two of one instant, are stored already; None where none is.

    Args:
        reader: Answers, within a transaction that holds the device's lock alone.
        device_id: Whose readings.
        block: None of them younger than what may be sealed.
    """
    bounds = {"device": device_id, "first_us": int(block.time_us[0]), "last_us": int(block.time_us[-1])}
    rows = await reader.ask(query("rows_of_span"), bounds)
    rows += [row[:2] for row in await at_instants(reader, device_id, block.time_us)]
    if not rows:
        return None
    held = np.array(sorted({int(time_us) for time_us, _ in rows}), np.int64)
    places = np.flatnonzero(np.isin(block.time_us, held))
    if not len(places):
        return None
    asked = block.take(places)
    ids = await reader.work(spelling.ids, asked)
    same = {(int(time_us), int(own_id)) for time_us, own_id in rows}
    known = np.zeros(len(block), bool)
    known[places] = [each in same for each in zip(asked.time_us.tolist(), ids.tolist(), strict=True)]
    return known if known.any() else None


async def add_rows(
    reader: Reader, device_id: int, rows: Sequence[tuple[int, int, int, bytes, str | None]]
) -> list[int]:
    """Store readings, which are `Row`s by their members and in order, as segments; their numbers."""
    return await add(reader, device_id, await reader.work(lambda: block_of([Row(*row) for row in rows])))


async def replace(reader: Reader, device_id: int, segments: Sequence[int]) -> int:
    """Note that the readings of segments are elsewhere now; how many had not been replaced already."""
    rows = await reader.ask(query("replace_segments"), {"device": device_id, "segments": list(segments)})
    return int(rows[0][0])


async def load(
    reader: Reader, device_id: int, wanted: Sequence[Sealed], names: Collection[str] | None
) -> dict[int, Segment]:
    """The columns of segments by their numbers.

    Args:
        reader: Answers.
        device_id: Whose.
        wanted: Which segments.
        names: Which channels; None for everything.

    Raises:
        Replaced: One is not there any more.
    """
    values = {
        "device": device_id,
        "segments": [each.id for each in wanted],
        "names": None if names is None else list(names),
    }
    own: dict[int, dict[Holds, bytes]] = {each.id: {} for each in wanted}
    channels: dict[int, dict[str, bytes]] = {each.id: {} for each in wanted}
    for number, holds, name, content in await reader.ask(query("segment_columns"), values):
        if holds == _CHANNEL:
            channels[number][name] = content
        else:
            own[number][Holds(holds.encode())] = content
    if not all(own.values()):
        raise Replaced
    return {each.id: Segment(each.n, each.first_us, each.last_us, own[each.id], channels[each.id]) for each in wanted}


def decoded(segment: Segment, names: Collection[str] | None) -> Block:
    """The block of a segment with some of its channels, or, for None, with everything.

    Raises:
        Damaged: A column is not what was written.
    """
    if Holds.TIME not in segment.own:
        raise Damaged("the column of the times is missing")
    return decode(segment) if names is None else decode_some(segment, names)


async def at_instants(reader: Reader, device_id: int, instants_us: Collection[int] | Integers) -> list[Row]:
    """The sealed readings of some instants: what a late reading may repeat.

    Most instants have none, which their segments' times alone tell. A damaged segment tells nothing: what is in it is
    taken for new, as it must keep nobody waiting, and sealing makes one of both should it be read again.
    """
    if not len(instants_us):
        return []
    asked = np.unique(
        instants_us if isinstance(instants_us, np.ndarray) else np.fromiter(instants_us, np.int64, len(instants_us))
    )
    found: list[Row] = []
    for each in await of_span(reader, device_id, int(asked[0]), int(asked[-1]) + 1):
        first, last = np.searchsorted(asked, [each.first_us, each.last_us + 1]).tolist()
        if first == last:
            continue
        try:
            times = (await load(reader, device_id, [each], ()))[each.id]
            if await reader.work(_any_at, times, asked):
                whole = (await load(reader, device_id, [each], None))[each.id]
                found += await reader.work(_rows_at, whole, asked)
        except Damaged as error:
            _log.error("a segment is damaged", device_id=device_id, segment=each.id, reason=str(error))
    return found


_CHANNEL = Holds.CHANNEL.value.decode()


def _any_at(times: Segment, asked: Integers) -> bool:
    return bool(np.isin(decoded(times, ()).time_us, asked).any())


def _rows_at(segment: Segment, asked: Integers) -> list[Row]:
    block = decode(segment)
    return spelling.rows(block.take(np.flatnonzero(np.isin(block.time_us, asked))))


def _prepared(block: Block) -> Prepared:
    """What the statement that adds a segment is told, but for the device."""
    segment, ladder = encode(block), ladder_of(block)
    if not is_same(decode(segment), block):
        raise Unfaithful("the columns of a new segment do not give its readings back; nothing was stored")
    own = [(holds.value.decode(), "", content) for holds, content in segment.own.items()]
    columns = [*own, *((_CHANNEL, name, content) for name, content in segment.channels.items())]
    return {
        "n": segment.n,
        "first_us": segment.first_us,
        "last_us": segment.last_us,
        "bytes": segment.size,
        "value_count": sum(int(np.count_nonzero(column.present)) for column in block.channels.values()) + 2 * segment.n,
        "holds": [holds for holds, _, _ in columns],
        "names": [name for _, name, _ in columns],
        "contents": [content for _, _, content in columns],
        **_rungs(ladder),
    }


def _rungs(ladder: Ladder) -> Mapping[str, Any]:
    """A ladder as arrays of all channels one after the other, and where each begins and ends, counted from one."""
    lengths = [len(each.n) for each in ladder.channels.values()]
    ends = np.cumsum(lengths).tolist()
    arrays = {"start_us": "start_us", "rung_n": "n", "first": "first", "low": "low", "high": "high"}
    arrays |= {"last": "last", "total": "total"}
    return {
        "width_us": ladder.width_us,
        "channels": list(ladder.channels),
        "since": [end - length + 1 for end, length in zip(ends, lengths, strict=True)],
        "until": ends,
        **{
            told: [number for each in ladder.channels.values() for number in getattr(each, name).tolist()]
            for told, name in arrays.items()
        },
    }
