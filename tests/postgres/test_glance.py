"""A glance at many devices says what all of their readings say, wherever these lie."""

import json
from itertools import product

import numpy as np
import psycopg
import pytest
from tests.homes import HOMES, row, spread

from releve.history.pivot import block_of
from releve.storage import glance, segments
from releve.storage.glance import Glance, Looked, glances
from releve.storage.pool import Pool
from releve.storage.reader import ConnectionReader, now

DAY_US = 86_400_000_000
MIDNIGHT_US = 1_780_315_200_000_000 // DAY_US * DAY_US
SPANS = {
    "the day": Looked(MIDNIGHT_US, MIDNIGHT_US + DAY_US),
    "the day of a zone": Looked(MIDNIGHT_US - 7_200_000_000, MIDNIGHT_US + 79_200_000_000),
    "any span": Looked(MIDNIGHT_US + 12_345_678, MIDNIGHT_US + 45_678_901_234),
    "a day with nothing in it": Looked(MIDNIGHT_US + 30 * DAY_US, MIDNIGHT_US + 31 * DAY_US),
}


@pytest.fixture
async def pool(migrated_url):
    pool = Pool(migrated_url, application="glance")
    yield pool
    await pool.close()


def readings(seed, n=600):
    """Two days of a device, at distinct instants, with a channel in every reading and one in some."""
    chance = np.random.default_rng(seed)
    times = MIDNIGHT_US - DAY_US // 2 + np.sort(chance.choice(2 * DAY_US, n, replace=False))
    found = []
    for time_us in times.tolist():
        values = {"v": round(float(chance.normal(0, 9)), 2)}
        if chance.random() < 0.5:
            values["w"] = int(chance.integers(-9, 9))
        found.append(row(time_us, values | ({"state": "on"} if chance.random() < 0.1 else {})))
    return found


def by_hand(rows, span, name):
    pairs = [(each.time_us, json.loads(each.channels).get(name)) for each in rows if each.time_us < span.to_us]
    inside = [number for time_us, number in pairs if time_us >= span.from_us and number is not None]
    known = [number for _, number in pairs if number is not None]
    return Glance(known[-1], min(inside, default=None), max(inside, default=None)) if known else None


@pytest.mark.parametrize("span", SPANS.values(), ids=SPANS)
async def test_the_latest_the_least_and_the_greatest_are_those_of_all_readings(migrated_url, pool, monkeypatch, span):
    monkeypatch.setattr(glance, "AT_ONCE", 3)
    sent = {device: readings(device) for device in range(1, 9)}
    with psycopg.connect(migrated_url) as connection:
        for device, where in zip(sent, HOMES * 2, strict=True):
            spread(connection, device, sent[device], where, seed=device)

    found = await glances(pool, dict.fromkeys([*sent, 99], span), ["v", "w", "state", "none"])

    assert found.pop(99) == {}
    for device, name in product(sent, ("v", "w")):
        told, expected = found[device].get(name, Glance(None, None, None)), by_hand(sent[device], span, name)
        if name == "w" and expected.low is None:  # before the span it is only looked at the newest
            told = told._replace(last=expected.last)
        assert told == expected
    assert {name for each in found.values() for name in each} <= {"v", "w"}


async def test_a_day_is_told_by_ladders_alone_where_it_begins_with_a_rung(migrated_url, pool, monkeypatch):
    sent = {device: readings(device, 3_000) for device in (1, 2)}
    with psycopg.connect(migrated_url) as connection:
        for device, rows in sent.items():
            reader = ConnectionReader(connection)
            now(segments.lock(reader, [device]))
            now(segments.add(reader, device, block_of(rows)))

    async def refuse(*_):
        raise AssertionError("columns are decoded")

    monkeypatch.setattr(glance, "_decode", refuse)

    found = await glances(pool, dict.fromkeys(sent, SPANS["the day"]._replace(to_us=4 * 10**15)), ["v"])

    assert found == {
        device: {"v": by_hand(rows, SPANS["the day"]._replace(to_us=4 * 10**15), "v")} for device, rows in sent.items()
    }


async def test_a_late_row_older_than_what_is_sealed_is_not_the_latest(migrated_url, pool):
    rows = readings(5)
    with psycopg.connect(migrated_url) as connection:
        spread(connection, 1, rows[:-2] + rows[-1:], "sealed")
        spread(connection, 1, rows[-2:-1], "fresh")

    found = await glances(pool, {1: Looked(MIDNIGHT_US, 4 * 10**15)}, ["v"])

    assert found[1]["v"] == by_hand(rows, Looked(MIDNIGHT_US, 4 * 10**15), "v")


@pytest.mark.parametrize("where", HOMES)
async def test_nothing_of_before_a_team_owned_the_device_is_seen(migrated_url, pool, where):
    rows = readings(6)
    owned = rows[-3:]
    with psycopg.connect(migrated_url) as connection:
        spread(connection, 1, rows, where)
        spread(connection, 2, rows[:-3], where)
    look = Looked(MIDNIGHT_US - DAY_US, 4 * 10**15, since_us=owned[0].time_us)

    found = await glances(pool, {1: look, 2: look}, ["v"])

    assert found[1]["v"] == by_hand(owned, look, "v")
    assert found[2] == {}
