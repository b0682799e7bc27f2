"""A chart has the units that a team says, and its numbers in them; another team's words are not told."""

import json

import psycopg
import pytest

from releve.query.series.asked import Asked
from releve.query.series.document import body
from releve.query.series.draw import draw
from releve.query.series.source import of_device, with_descriptions
from releve.storage.pool import Pool

START_US = 1_780_315_200_000_000
READ = (
    "INSERT INTO fresh_reading (device_id, time, id, received, channels)"
    " VALUES (%s, to_timestamp(0) + %s * interval '1 microsecond', %s, now(), %s)"
)
SAY = (
    'INSERT INTO fleet_channeldescription (team_id, device_id, channel, unit, scale, "offset")'
    " VALUES (%s, %s, 'temperature', %s, %s, %s)"
)


@pytest.fixture
async def pool(migrated_url):
    pool = Pool(migrated_url, application="described")
    yield pool
    await pool.close()


async def chart(pool, sender, teams):
    asked = Asked(channels=["temperature"])
    sources = await with_descriptions(pool, [of_device(sender.device_id, "profilometre", teams, asked)])
    return json.loads(body(asked, sources, await draw(pool, asked, sources)))["series"][0]


async def test_a_chart_shows_the_teams_unit_and_numbers_in_it(migrated_url, pool, device):
    sender = device()
    stranger = device("other")
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        for place, celsius in enumerate([20, 21.5]):
            text = json.dumps({"temperature": celsius})
            connection.execute(READ, [sender.device_id, START_US + place * 1_000_000, place, text])
        assert (await chart(pool, sender, [sender.team_id]))["unit"] == "°C"
        connection.execute(SAY, [sender.team_id, sender.device_id, "°F", 1.8, 32])
        connection.execute(SAY, [stranger.team_id, sender.device_id, "K", 1, 273.15])

    found = await chart(pool, sender, [sender.team_id])

    assert found["unit"] == "°F"
    assert found["value"] == pytest.approx([68.0, 70.7])
