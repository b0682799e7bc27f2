"""The scan answers what is stored: every reading once, in order, whatever its page and its types."""

import json
import random

import psycopg
import pytest
from psycopg.types.json import Jsonb

from releve.history import spelling
from releve.history.block import Row
from releve.history.column import ABSENT_VALUE
from releve.history.exclusion import Exclusion
from releve.history.pivot import block_of
from releve.protocol.identity import canonical, of_content
from releve.storage import scan, segments
from releve.storage.pool import Pool
from releve.storage.reader import AsyncReader, ConnectionReader, each, now
from releve.storage.scan import Span

START_US = 1_780_315_200_000_000  # 2026-06-01T12:00:00Z
EVER = Span(0, 4_000_000_000_000_000)
INSERT = (
    "INSERT INTO reading (device_id, time, id, received, channels)"
    " VALUES (%s, to_timestamp(0) + %s * interval '1 microsecond', %s, now(), %s)"
)
VALUES = [12, 12.0, -0.5, "12", 'a "quoted", text', "naïve ☃", True, False, 2**53, 0.1, 5e-324, ""]


@pytest.fixture
async def pool(migrated_url):
    pool = Pool(migrated_url, application="scan")
    yield pool
    await pool.close()


def store(url, readings):
    with psycopg.connect(url, autocommit=True) as connection:
        for month_us in {time_us // 2_000_000_000_000 * 2_000_000_000_000 for _, time_us, _, _ in readings}:
            for instant_us in (month_us, month_us + 2_000_000_000_000):
                connection.execute("SELECT releve_ensure_partition(to_timestamp(%s))", [instant_us / 1e6])
        connection.cursor().executemany(
            INSERT, [(device, time_us, id_, Jsonb(values)) for device, time_us, id_, values in readings]
        )


def some(n, *, device=7, seed=1):
    chance = random.Random(seed)  # noqa: S311 - made-up readings
    readings = []
    for place in range(n):
        channels = {name: chance.choice(VALUES) for name in ("a", "b", "c'd") if chance.random() < 0.8}
        time_us = START_US + place // 2 * 1_000_000  # two of each instant
        readings.append((device, time_us, chance.randrange(-(2**63), 2**63), channels))
    return readings


async def read(pool, channels, span=EVER, device=7):
    found = []
    async for block in scan.blocks(pool, device, channels, span):
        columns = [block.channels[name].values() for name in channels]
        ids = spelling.ids(block).tolist()
        found += zip(block.time_us.tolist(), ids, *columns, strict=True)
    return found


def model(readings, channels, span=EVER, device=7):
    found = sorted((time_us, id_, values) for of, time_us, id_, values in readings if of == device)
    return [
        (time_us, id_, *(values.get(name, ABSENT_VALUE) for name in channels))
        for time_us, id_, values in found
        if span.from_us <= time_us < span.to_us
    ]


def typed(rows):
    return [tuple((type(value), value) for value in row) for row in rows]


async def test_every_reading_comes_once_in_order_with_its_very_values_on_pages_of_any_length(
    migrated_url, pool, monkeypatch
):
    readings = [*some(300), *some(20, device=8, seed=2)]
    store(migrated_url, readings)

    for first, largest in ((1, 1), (7, 50), (1_024, 16_384)):
        monkeypatch.setattr(scan, "FIRST_PAGE", first)
        monkeypatch.setattr(scan, "LARGEST_PAGE", largest)

        assert typed(await read(pool, ["b", "a", "c'd", "none"])) == typed(model(readings, ["b", "a", "c'd", "none"]))


async def test_a_span_has_its_first_instant_and_not_its_last_across_months(migrated_url, pool):
    readings = [(7, START_US + day * 86_400_000_000, day, {"a": day}) for day in range(70)]
    store(migrated_url, readings)
    span = Span(readings[3][1], readings[60][1])

    assert typed(await read(pool, ["a"], span)) == typed(model(readings, ["a"], span))
    assert await scan.extent(pool, 7, span) == Span(readings[3][1], readings[59][1] + 1)
    assert await scan.extent(pool, 7, Span(0, readings[0][1])) is None
    assert await read(pool, ["a"], Span(0, readings[0][1])) == []


async def test_a_page_of_long_texts_has_fewer_readings(migrated_url, pool, monkeypatch):
    readings = [(7, START_US + place, place, {"a": "x" * 1_000}) for place in range(60)]
    store(migrated_url, readings)
    monkeypatch.setattr(scan, "FIRST_PAGE", 20)
    monkeypatch.setattr(scan, "PAGE_BYTES", 5_000)

    lengths = [len(block) async for block in scan.blocks(pool, 7, ["a"], EVER)]

    assert max(lengths) <= 5
    assert sum(lengths) == 60


async def test_a_number_sent_with_an_exponent_is_a_number_and_not_a_long_integer(migrated_url, pool):
    store(migrated_url, [(7, START_US, 1, {"a": 1e22}), (7, START_US + 1, 2, {"a": 1})])

    assert typed(await read(pool, ["a"])) == typed([(START_US, 1, 1e22), (START_US + 1, 2, 1)])


FRESH = (
    "INSERT INTO fresh_reading (device_id, time, id, received, channels, sent)"
    " SELECT %s, to_timestamp(0) + %s * interval '1 microsecond', %s,"
    " to_timestamp(0) + %s * interval '1 microsecond', %s, %s"
)


def row(time_us, values, *, received_us=START_US, sent=None):
    text = canonical(values)
    return Row(time_us, of_content(text), received_us, text, sent)


def everywhere(n, seed):
    """Readings of one device, two of some instants, each in one of the homes."""
    chance = random.Random(seed)  # noqa: S311 - made-up readings
    rows = {}
    for place in range(n):
        values = {name: chance.choice(VALUES) for name in ("a", "b", "c'd") if chance.random() < 0.8} or {"a": place}
        found = row(START_US + place // 2 * 1_000_000, values, sent=chance.choice([None, "12", "2026-06-01 14:00:00"]))
        rows[found.time_us, found.id] = found
    readings = [rows[place] for place in sorted(rows)]
    homes = [[], [], [], [], []]
    for reading in readings:
        homes[chance.choice([0, 1, 2, 2, 3, 3, 4])].append(reading)
    return readings, homes


async def spread(url, pool, homes, device=7):
    """Old rows, fresh rows, and the rest as segments that overlap."""
    old, fresh, *sealed = homes
    store(url, [(device, each.time_us, each.id, json.loads(each.channels)) for each in old])
    with psycopg.connect(url, autocommit=True) as connection:
        rows = [(device, each.time_us, each.id, each.received_us, each.channels.decode(), each.sent) for each in fresh]
        connection.cursor().executemany(FRESH, rows)
    async with pool.connection() as connection, connection.transaction():
        reader = AsyncReader(connection)
        await segments.lock(reader, [device])
        for rows in sealed:
            await segments.add(reader, device, block_of(rows))


@pytest.mark.parametrize("seed", [1, 2])
async def test_readings_come_once_in_order_wherever_each_of_them_lies(migrated_url, pool, monkeypatch, seed):
    readings, homes = everywhere(400, seed)
    await spread(migrated_url, pool, homes)
    rows = [(7, each.time_us, each.id, json.loads(each.channels)) for each in readings]
    channels = ["b", "a", "c'd", "none"]

    for first in (3, 50, 1_024):
        monkeypatch.setattr(scan, "FIRST_PAGE", first)
        monkeypatch.setattr(scan, "LARGEST_PAGE", 100)
        for span in (EVER, Span(readings[50].time_us, readings[333].time_us)):
            found = [block async for block in scan.blocks(pool, 7, channels, span)]
            backwards = [block async for block in scan.blocks_backwards(pool, 7, channels, span)]
            whole = [block async for block in scan.blocks(pool, 7, scan.WHOLE, span)]

            expected = [(t, *v) for t, _, *v in model(rows, channels, span)]
            assert as_a_set(values(found, channels)) == as_a_set(expected)  # at one instant in any order
            assert as_a_set(values(reversed(backwards), channels)) == as_a_set(expected)
            assert [t for t, *_ in values(found, channels)] == [t for t, *_ in expected]
            assert [t for t, *_ in values(reversed(backwards), channels)] == [t for t, *_ in expected]
            inside = [each for each in readings if span.from_us <= each.time_us < span.to_us]
            assert [(each.time_us, each.id, each.channels) for block in whole for each in spelling.rows(block)] == [
                (each.time_us, each.id, each.channels) for each in inside
            ]
            assert await scan.extent(pool, 7, span) == Span(inside[0].time_us, inside[-1].time_us + 1)
            assert await scan.count(pool, 7, span) == len(inside)
            newest = await scan.newest(pool, 7, span, 17)
            assert [(each.time_us, each.id) for each in newest] == [(e.time_us, e.id) for e in inside[:-18:-1]]
    assert await scan.channels(pool, 7, EVER) == ["a", "b", "c'd"]


def as_a_set(rows):
    return sorted(repr(each) for each in typed(rows))


def values(found, channels):
    return [
        each
        for block in found
        for each in zip(block.time_us.tolist(), *(block.column(name).values() for name in channels), strict=True)
    ]


async def test_a_synchronous_connection_reads_the_same(migrated_url, pool):
    _, homes = everywhere(60, 3)
    await spread(migrated_url, pool, homes)
    expected = values([block async for block in scan.blocks(pool, 7, ["a"], EVER)], ["a"])

    with psycopg.connect(migrated_url) as connection:
        reader = ConnectionReader(connection)

        assert values(each(scan.blocks(reader, 7, ["a"], EVER)), ["a"]) == expected
        assert now(scan.count(reader, 7, EVER)) == len(expected)


async def test_what_is_left_out_does_not_count_be_it_a_stretch_a_part_or_a_single_reading(migrated_url, pool):
    readings, homes = everywhere(200, 4)
    await spread(migrated_url, pool, homes)
    single = readings[99]
    exclusions = [
        Exclusion(single.time_us, single.time_us + 1, single.id),
        Exclusion(readings[20].time_us, readings[30].time_us),
        Exclusion(0, EVER.to_us, None, "b=12"),
    ]

    found = values([block async for block in scan.counted(pool, 7, ["a"], EVER, exclusions=exclusions)], ["a"])

    def counts(each):
        b = json.loads(each.channels).get("b")
        is_out = (each.time_us, each.id) == (single.time_us, single.id) or b == "12" or (b == 12 and b is not True)
        return not is_out and not readings[20].time_us <= each.time_us < readings[30].time_us

    assert len(found) == sum(map(counts, readings))


async def test_segments_that_are_merged_under_a_scan_are_planned_for_again(migrated_url, pool, monkeypatch):
    rows = [row(START_US + place, {"a": place}) for place in range(40)]
    await spread(migrated_url, pool, [[], [], rows[:10], rows[10:20], rows[20:30], rows[30:]])
    monkeypatch.setattr(scan, "AHEAD", 1)
    found = []
    async for block in scan.blocks(pool, 7, ["a"], EVER):
        found += block.column("a").values()
        if len(found) == 10:
            async with pool.connection() as connection, connection.transaction():
                reader = AsyncReader(connection)
                await segments.replace(reader, 7, [2, 3, 4])
                await segments.add(reader, 7, block_of(rows[10:]))
                await connection.execute("DELETE FROM segment_column WHERE segment_id IN (2, 3, 4)")

    assert found == list(range(40))
