"""A chart of a stretch whose readings were deleted is drawn from their ladders, where the bucket allows."""

import json

import numpy as np
import psycopg
import pytest
from tests.homes import row

from releve.history.pivot import block_of
from releve.protocol.keeping import DAY_US, Days, Keeping, Stretch
from releve.query.instant import LATEST_US
from releve.query.series import draw
from releve.query.series.asked import Asked
from releve.query.series.document import body
from releve.query.series.source import Left, Source
from releve.query.series.version import version
from releve.storage import retention, segments
from releve.storage.pool import Pool
from releve.storage.queries import query
from releve.storage.reader import ConnectionReader, now
from releve.storage.scan import EVER

NOW_US = 1_780_315_200_000_000
MINUTE_US = 60_000_000
DEVICE = 9


@pytest.fixture
async def pool(migrated_url):
    pool = Pool(migrated_url, application="deleted")
    yield pool
    await pool.close()


@pytest.fixture
def rows(migrated_url):
    """A reading a minute of twelve days, a segment a day; the owner is a team of its own."""
    found = [
        row(NOW_US - minute * MINUTE_US, {"v": float(minute % 1_000), "w": minute})
        for minute in range(12 * 1440, 0, -1)
    ]
    with psycopg.connect(migrated_url) as connection:
        connection.execute("INSERT INTO teams_team (id, name) VALUES (1, 'Ours')")
        connection.execute("INSERT INTO device_ownership (device_id, team_id) VALUES (%s, 1)", [DEVICE])
        for day in range(12):
            now(segments.add(ConnectionReader(connection), DEVICE, block_of(found[day * 1440 : (day + 1) * 1440])))
    return found


def keep(url, keeping):
    with psycopg.connect(url, autocommit=True) as connection:
        reader = ConnectionReader(connection)
        is_more = True
        while is_more:
            with connection.transaction():
                is_more = now(retention.keep(reader, DEVICE, [Stretch(*EVER, keeping)], NOW_US)).is_more
        connection.execute(query("drop_replaced"), {"older_s": 0})


async def drawn(pool, *, points=100, from_us=0, to_us=LATEST_US, left_out=()):
    span = {"from_us": from_us or None, "to_us": None if to_us == LATEST_US else to_us}
    asked = Asked(channels=["v", "w"], points=points, **span)
    source = Source(
        device_id=DEVICE, contract="generic", from_us=from_us, to_us=to_us, teams=[1], left_out=list(left_out)
    )
    found = json.loads(body(asked, [source], await draw.draw(pool, asked, [source])))
    return found | {"lines": {line["channel"]: line for line in found["series"]}}


async def test_the_deleted_part_is_drawn_from_ladders_and_the_rest_from_readings(pool, rows, migrated_url):
    keep(migrated_url, Keeping(Days(5), {}))

    found = await drawn(pool)

    assert not found["raw"]
    for name in ("v", "w"):
        values = np.array([json.loads(each.channels)[name] for each in rows])
        line = found["lines"][name]
        assert sum(line["n"]) == len(rows)
        assert (min(line["low"]), max(line["high"])) == (values.min(), values.max())
        assert (line["first"][0], line["last"][-1]) == (values[0], values[-1])
        assert line["time"] == sorted(set(line["time"]))
    times = np.array([each.time_us for each in rows])
    for start_us, n, low in zip(*(found["lines"]["w"][name] for name in ("time", "n", "low")), strict=True):
        inside = (times >= start_us) & (times < start_us + found["width_us"])
        assert (n, low) == (
            inside.sum(),
            min(json.loads(rows[place].channels)["w"] for place in np.flatnonzero(inside)),
        )


async def test_a_stretch_of_which_everything_is_deleted_has_buckets_as_wide_as_its_rungs(pool, rows, migrated_url):
    keep(migrated_url, Keeping(Days(1), {}))
    from_us, to_us = NOW_US - 6 * DAY_US, NOW_US - 4 * DAY_US

    found = await drawn(pool, points=10_000, from_us=from_us, to_us=to_us)

    assert found["width_us"] > (to_us - from_us) / 10_000
    n = sum(found["lines"]["w"]["n"])
    assert 0.9 * 2 * 1440 <= n <= 2 * 1440  # rungs that reach beyond the span are not drawn
    assert min(found["lines"]["w"]["time"]) >= from_us


async def test_buckets_that_are_narrower_than_the_rungs_show_the_readings_that_are_there(pool, rows, migrated_url):
    keep(migrated_url, Keeping(Days(5), {}))

    found = await drawn(pool, points=10_000, from_us=NOW_US - 6 * DAY_US, to_us=NOW_US)

    assert len(found["series"]) == 2
    assert sum(found["lines"]["w"].get("n", [1] * len(found["lines"]["w"]["time"]))) >= 5 * 1440


async def test_a_channel_that_was_dropped_is_drawn_from_its_ladder_beside_the_others(pool, rows, migrated_url):
    keep(migrated_url, Keeping(Days(), {"v": Days(5)}))

    found = await drawn(pool)

    assert sum(found["lines"]["v"]["n"]) == sum(found["lines"]["w"]["n"]) == len(rows)


async def test_where_something_was_left_out_its_ladder_is_not_drawn(pool, rows, migrated_url):
    keep(migrated_url, Keeping(Days(5), {}))
    left = Left(NOW_US - 8 * DAY_US, NOW_US - 8 * DAY_US + MINUTE_US, None, "")

    found = await drawn(pool, left_out=[left])

    assert sum(found["lines"]["w"]["n"]) == len(rows) - 1440


async def test_a_chart_that_somebody_has_is_drawn_anew_after_something_of_it_was_deleted(pool, rows, migrated_url):
    source = Source(device_id=DEVICE, contract="generic", from_us=0, to_us=LATEST_US, teams=[1])
    asked = Asked(channels=["v", "w"], points=100)
    versions = []
    for keeping in (
        Keeping(Days(), {}),
        Keeping(Days(), {"v": Days(5)}),
        Keeping(Days(3), {}),
        Keeping(Days(3, 4), {}),
    ):
        keep(migrated_url, keeping)
        spans = await draw.spans_of(pool, [source])
        versions.append(await version(pool, asked, [source], spans, coding="gzip"))

    assert len(set(versions)) == len(versions)


async def test_when_the_ladders_are_gone_too_there_is_nothing_and_no_error(pool, rows, migrated_url):
    keep(migrated_url, Keeping(Days(1, 1), {}))
    keep(migrated_url, Keeping(Days(1, 1), {}))

    found = await drawn(pool, from_us=NOW_US - 6 * DAY_US, to_us=NOW_US - 4 * DAY_US)

    assert [line["time"] for line in found["series"]] == [[], []]
