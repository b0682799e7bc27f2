"""A chart of a long span is made of ladders, and says what the readings themselves say."""

import asyncio
import json
from itertools import pairwise
from statistics import mean, median

import numpy as np
import psycopg
import pytest
from bench import picture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.homes import FRESH, row

from releve.history.array import all_same
from releve.history.block import Block, Identities
from releve.history.column import Column
from releve.history.identity import Rule
from releve.history.pivot import block_of
from releve.history.sent import Sent
from releve.protocol.described import Description
from releve.query.instant import LATEST_US
from releve.query.series import draw
from releve.query.series.asked import Asked
from releve.query.series.chart import Chart
from releve.query.series.document import body
from releve.query.series.source import Left, Source
from releve.storage import rungs, segments
from releve.storage.pool import Pool
from releve.storage.reader import ConnectionReader, now

START_US = 1_780_315_200_000_000
SECOND_US = 1_000_000
READINGS = 9_000
POINTS = 15
DEVICE = 7
EMPTY = "TRUNCATE fresh_reading, segment, segment_column, ladder"
ASKED = Asked(channels=["v", "w", "none"], points=POINTS)


@pytest.fixture
async def pool(migrated_url):
    pool = Pool(migrated_url, application="ladders")
    yield pool
    await pool.close()


@pytest.fixture
def summed(monkeypatch):
    """How many readings ladders stood in for, segment by segment; however few there are."""
    found = []
    add = Chart.add_summed

    def counted(self, pieces):
        found.extend(each.n for each in pieces)
        add(self, pieces)

    monkeypatch.setattr(Chart, "add_summed", counted)
    monkeypatch.setattr(draw, "MANY", 0)
    monkeypatch.setattr(rungs, "FEW", 0)
    return found


def readings(seed, n=READINGS):
    """A device that is silent now and then, whose channels come and go, with spikes of one reading."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(1, 2_000_000, n) + (rng.random(n) < 0.002) * rng.integers(0, 900 * SECOND_US, n)
    found = []
    for place, time_us in enumerate((START_US + np.cumsum(steps)).tolist()):
        values = {"state": "on"} if rng.random() < 0.1 else {"v": round(float(rng.normal(0, 9)), 2), "w": place}
        if rng.random() < 0.001:
            values["v"] = 1_000.0 + place
        found.append(row(time_us, values))
    return found


def lay(url, parts, fresh=(), device_id=DEVICE):
    """Store each part as a segment, in turn, and the others as rows."""
    with psycopg.connect(url) as connection:
        reader = ConnectionReader(connection)
        for part in filter(None, parts):
            now(segments.lock(reader, [device_id]))
            now(segments.add(reader, device_id, block_of(sorted(part))))
        values = [(each.time_us, each.id, each.received_us, each.channels.decode(), each.sent) for each in fresh]
        with psycopg.Cursor(connection) as cursor:
            cursor.executemany(FRESH, [(device_id, *each) for each in values])


def cut(rows, *places):
    return [rows[first:last] for first, last in pairwise([0, *places, len(rows)])]


def source(**more):
    """A run's readings, of which those that lie in the span and were not left out count."""
    return Source(device_id=DEVICE, contract="generic", **{"from_us": 0, "to_us": LATEST_US, "run_id": 1, **more})


async def drawn(pool, asked, whose, silent=None):
    return json.loads(body(asked, [whose], await draw.draw(pool, asked, [whose], silent=silent)))


def by_hand(found, rows, conversion=lambda number: number):
    """What buckets of the same width hold, told by loops over the readings that count; and the gaps."""
    width = found["width_us"]
    origin = next(line["time"][0] for line in found["series"] if line["time"]) % width
    lines = []
    for line in found["series"]:
        buckets = {}
        for each in rows:
            number = json.loads(each.channels).get(line["channel"])
            if isinstance(number, int | float):
                start_us = (each.time_us - origin) // width * width + origin
                buckets.setdefault(start_us, []).append(conversion(number))
        told = list(buckets.values())
        lines.append({
            "time": list(buckets), "n": list(map(len, told)), "first": [each[0] for each in told],
            "low": list(map(min, told)), "high": list(map(max, told)), "last": [each[-1] for each in told],
            "mean": pytest.approx(list(map(mean, told)), rel=1e-9, abs=1e-9),
        })  # fmt: skip
    times = [each.time_us for each in rows]
    rhythm = median(later - earlier for earlier, later in pairwise(times[:1_001]))
    gaps = [pair for pair in pairwise(times) if pair[1] - pair[0] > 3 * rhythm]
    return lines, sorted(sorted(gaps, key=lambda pair: (pair[0] - pair[1], pair))[:100])


def says(found):
    names = ("time", "n", "first", "low", "high", "last", "mean")
    lines = [{name: line[name] for name in names} for line in found["series"]]
    return lines, list(map(tuple, found["gaps"]))


async def test_a_long_chart_is_what_all_readings_say_and_few_of_them_are_decoded(migrated_url, pool, summed):
    rows = readings(1)
    lay(migrated_url, cut(rows, 1_500, 3_000, 4_500, 6_000, 7_500, 8_900)[:-1], fresh=rows[8_900:])

    found = await drawn(pool, ASKED, source())

    assert says(found) == by_hand(found, rows)
    assert summed == [1_500, 1_500, 1_500, 1_500, 1_400]
    assert found["raw"] is False
    assert POINTS / 2 < len(found["series"][0]["time"]) <= POINTS


async def test_what_is_remembered_of_segments_changes_no_answer(migrated_url, pool, summed):
    rows = readings(2)
    lay(migrated_url, cut(rows, 1_500, 3_000, 6_000))
    silent = rungs.Silent()

    first, second = [await drawn(pool, ASKED, source(), silent) for _ in range(2)]

    assert first == second
    assert says(second) == by_hand(second, rows)
    assert summed == [1_500, 3_000, 3_000] * 2


async def test_a_segment_that_something_else_lies_in_is_read(migrated_url, pool, summed):
    rows = readings(3)
    late, between = [rows[3_700]], [rows[5_000]]
    first, second, third, fourth, fifth = cut(rows, 1_500, 3_000, 5_000, 7_000)
    overlapping = [third[:100] + third[120:700] + third[701:], third[100:120], fourth[1:], fifth]
    lay(migrated_url, [first, second, *overlapping], fresh=[*late, *between])

    found = await drawn(pool, ASKED, source())

    assert says(found) == by_hand(found, rows)
    assert summed == [1_500, 2_000]  # the second and the fifth: the fourth has a row just before it


async def test_what_was_left_out_is_in_no_chart_made_of_ladders(migrated_url, pool, summed):
    rows = readings(4)
    lay(migrated_url, cut(rows, 1_500, 3_000, 4_500, 6_000))
    left_out = [
        Left(rows[3_100].time_us, rows[3_300].time_us, None, ""),
        Left(rows[5_000].time_us, rows[5_000].time_us + 1, rows[5_000].id, ""),
    ]

    found = await drawn(pool, ASKED, source(left_out=left_out))

    assert says(found) == by_hand(found, [*rows[:3_100], *rows[3_300:5_000], *rows[5_001:]])
    assert summed == [1_500, 3_000]


async def test_of_a_part_every_reading_is_looked_at(migrated_url, pool, summed):
    rows = readings(5)
    lay(migrated_url, cut(rows, 1_500, 3_000))

    found = await drawn(pool, Asked(channels=["v"], points=POINTS), source(part="w=4000"))

    assert found["raw"] is True
    assert len(found["series"][0]["value"]) == 1
    assert summed == []


async def test_numbers_in_the_teams_units_come_from_ladders_too_turned_round_where_the_scale_is_negative(
    migrated_url, pool, summed
):
    rows = readings(6)
    lay(migrated_url, cut(rows, 1_500, 3_000, 6_000))
    said = {name: Description(unit="x", scale=-0.3, offset=7.0) for name in ASKED.channels}

    found = await drawn(pool, ASKED, source(descriptions=said))

    assert says(found) == by_hand(found, rows, lambda number: number * -0.3 + 7.0)
    assert summed == [1_500, 3_000, 3_000]


async def test_a_segment_that_is_merged_while_a_chart_is_drawn_is_neither_missed_nor_told_twice(
    migrated_url, pool, summed, monkeypatch
):
    rows = readings(8)
    lay(migrated_url, cut(rows, 1_500, 3_000, 4_500, 6_000))
    asked = rungs._summed

    async def meanwhile(reader, device_id, *more):
        with psycopg.connect(migrated_url) as connection:
            own = ConnectionReader(connection)
            now(segments.lock(own, [device_id]))
            sealed = now(segments.of_span(own, device_id, rows[3_000].time_us, rows[5_999].time_us))
            now(segments.replace(own, device_id, [each.id for each in sealed]))
            now(segments.add(own, device_id, block_of(rows[3_000:6_000])))
        return await asked(reader, device_id, *more)

    monkeypatch.setattr(rungs, "_summed", meanwhile)

    found = await drawn(pool, ASKED, source())

    assert says(found) == by_hand(found, rows)
    assert summed == [1_500, 3_000]


async def test_a_chart_of_few_readings_has_buckets_that_fit_its_span(migrated_url, pool, summed, monkeypatch):
    monkeypatch.setattr(draw, "MANY", READINGS * len(ASKED.channels))
    rows = readings(9)
    lay(migrated_url, cut(rows, 1_500, 3_000))

    found = await drawn(pool, ASKED, source())

    assert found["width_us"] == -((rows[0].time_us - rows[-1].time_us - 1) // POINTS)
    assert found["series"][0]["time"][0] == rows[0].time_us or rows[0].channels == b'{"state":"on"}'
    assert summed == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_however_readings_lie_a_long_chart_is_what_a_loop_over_them_tells(migrated_url, summed, data):
    n = 3_000
    rows = readings(data.draw(st.integers(0, 99), label="seed"), n)
    places = sorted(data.draw(st.sets(st.integers(1, n - 1), max_size=8), label="cuts"))
    strays = data.draw(st.sets(st.integers(0, n - 1), max_size=3), label="rows among segments")
    parts = [
        [rows[place] for place in range(first, last) if place not in strays]
        for first, last in pairwise([0, *places, n])
    ]
    if data.draw(st.booleans(), label="overlap") and len(parts) > 2:
        parts[1:3] = [[*parts[1], *parts[2][::2]], parts[2][1::2]]
    first, last = sorted(data.draw(st.integers(0, n - 1), label=name) for name in ("from", "to"))
    asked = Asked(channels=["v", "w"], points=data.draw(st.sampled_from([5, 10, 60, 500]), label="points"))
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        connection.execute(EMPTY)
    lay(migrated_url, parts, fresh=[rows[place] for place in sorted(strays)])

    found = asyncio.run(once(migrated_url, asked, source(from_us=rows[first].time_us, to_us=rows[last].time_us + 1)))

    if not found["raw"]:
        assert says(found) == by_hand(found, rows[first : last + 1])


async def once(url, asked, whose):
    pool = Pool(url, application="ladders")
    try:
        return await drawn(pool, asked, whose)
    finally:
        await pool.close()


@pytest.mark.slow
async def test_in_any_zoom_the_line_through_the_buckets_has_the_pixels_of_the_line_through_all_readings(
    migrated_url, pool, monkeypatch
):
    monkeypatch.setattr(draw, "MANY", 100_000)  # so that the closer zooms are decoded
    times, values = device_with_spikes(migrated_url, 400_000)
    chance = np.random.default_rng(12)
    silent, different, widths = rungs.Silent(), 0, set()

    for _ in range(200):
        length_us = int((times[-1] - times[0]) * chance.uniform(0.01, 1) ** 2)
        from_us = int(chance.integers(times[0], times[-1] - length_us))
        asked = Asked(channels=["v"], points=picture.WIDTH)
        found = await drawn(pool, asked, source(from_us=from_us, to_us=from_us + length_us), silent)
        first, last = np.searchsorted(times, [from_us, from_us + length_us])
        if found["raw"]:
            continue
        view = picture.view_of(found, low=values.min(), high=values.max())
        seen = picture.of_readings(times[first:last], values[first:last], view)
        different += int(np.count_nonzero(seen != picture.of_buckets(found["series"][0], view)))
        widths.add(found["width_us"] in (-(-length_us // picture.WIDTH), 1))

    assert different == 0
    assert widths == {True, False}  # some fit the span, some are made of rungs


def device_with_spikes(url, n):
    """The instants and values of a device that sends every second or so, stored as segments with rungs of a minute."""
    chance = np.random.default_rng(11)
    times = START_US + np.cumsum(chance.exponential(0.8 * SECOND_US, n).astype(np.int64) + 1)
    values = np.round(np.cumsum(chance.normal(0, 1, n)) + (chance.random(n) < 0.0005) * 200, 2)
    known = Identities(all_same(Rule.CONTENT, n), np.zeros(n, np.int64))
    whole = Block(
        times, {"v": Column.of_numbers(values)}, received_us=times, identities=known, sent=Sent.none(n), is_whole=True
    )
    with psycopg.connect(url) as connection:
        reader = ConnectionReader(connection)
        now(segments.lock(reader, [DEVICE]))
        for first in range(0, n, 4_000):
            now(segments.add(reader, DEVICE, whole.take(slice(first, first + 4_000))))
    return times, values
