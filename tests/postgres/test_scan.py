"""The scan answers what is stored: every reading once, in order, whatever its page and its types."""

import random

import psycopg
import pytest
from psycopg.types.json import Jsonb

from releve.history import spelling
from releve.history.column import ABSENT_VALUE
from releve.storage import scan
from releve.storage.pool import Pool
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


async def test_a_page_of_long_texts_makes_the_next_one_shorter(migrated_url, pool, monkeypatch):
    readings = [(7, START_US + place, place, {"a": "x" * 1_000}) for place in range(60)]
    store(migrated_url, readings)
    monkeypatch.setattr(scan, "FIRST_PAGE", 20)
    monkeypatch.setattr(scan, "PAGE_BYTES", 5_000)

    lengths = [len(block) async for block in scan.blocks(pool, 7, ["a"], EVER)]

    assert lengths[0] == 20
    assert max(lengths[1:]) <= 5
    assert sum(lengths) == 60


async def test_a_number_sent_with_an_exponent_is_a_number_and_not_a_long_integer(migrated_url, pool):
    store(migrated_url, [(7, START_US, 1, {"a": 1e22}), (7, START_US + 1, 2, {"a": 1})])

    assert typed(await read(pool, ["a"])) == typed([(START_US, 1, 1e22), (START_US + 1, 2, 1)])
