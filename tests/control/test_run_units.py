"""A run is told in the units of its team: figures, channels, buckets and contract B's statistics; rows stay as sent."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from releve.control.contracts.racing import queries as racing
from releve.control.fleet import channels
from releve.control.fleet.models import ChannelDescription
from releve.control.fleet.services import register_device
from releve.control.runs import queries
from releve.control.runs.edit.services import open_run
from releve.control.teams.models import Team

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
KMH = {"unit": "km/h", "scale": 3.6, "decimals": 1, "name_en": "Pace"}


def sent(device, *readings):
    with connection.cursor() as cursor:
        for second, values in enumerate(readings):
            cursor.execute(
                "INSERT INTO fresh_reading (device_id, time, id, received, channels) VALUES (%s, %s, %s, %s, %s)",
                [device.pk, START + timedelta(seconds=second), second, timezone.now(), json.dumps(values)],
            )
            for name in values:
                cursor.execute(
                    "INSERT INTO channel_name (device_id, channel) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    [device.pk, name],
                )


@pytest.fixture
def car(team):
    car = register_device(team=team, name="esp32", contract="racing")[0]
    sent(car, *({"speed": speed, "battery": 3000, "race": 7} for speed in (10, 20, 30)))
    return car


@pytest.fixture
def race(team, car):
    end = START + timedelta(minutes=1)
    return open_run(team=team, device=car, asset=None, kind="race", started_at=START, ended_at=end)


def shown(signed_in, account, run, what=""):
    return signed_in(account).get(f"/api/v1/runs/{run.pk}{what}").json()


def test_a_run_is_told_in_its_teams_units_and_its_readings_stay_as_sent(bob, signed_in, car, race):
    channels.change(car, {"speed": KMH, "battery": {"unit": "V", "scale": 0.001, "offset": 1.0}})

    found = shown(signed_in, bob, race)["summary"]

    assert found["channels"]["speed"] == pytest.approx(
        {"n": 3, "low": 36, "high": 108, "mean": 72, "deviation": 29.3938769, "first": 36, "last": 108, "unit": "km/h"}
    )
    assert found["statistics"]["speed_max"] == pytest.approx(108)
    assert found["statistics"]["battery_min"] == pytest.approx(4)
    assert found["units"] == {
        "time": "s", "speed_max": "km/h", "speed_average": "km/h",
        "battery_max": "V", "battery_min": "V", "battery_used": "V",
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT channels::jsonb ->> 'speed' FROM fresh_reading ORDER BY time")
        assert [speed for (speed,) in cursor.fetchall()] == ["10", "20", "30"]


def test_buckets_are_in_the_same_units(bob, signed_in, car, race):
    channels.change(car, {"speed": KMH})

    found = shown(signed_in, bob, race, "/buckets?bucket=1s&fn=mean")

    assert [each["channels"]["speed"]["mean"] for each in found["data"]] == pytest.approx([36, 72, 108])
    assert found["units"] == {"speed": "km/h"}


def test_contract_b_has_the_same_numbers_and_no_other_member(car, race):
    before = [dict(each) for each in racing_rows(race)]
    channels.change(car, {"speed": KMH})

    after = [dict(each) for each in racing_rows(race)]

    assert [set(each) for each in after] == [set(each) for each in before]
    assert after[0]["speed"] == pytest.approx(72)
    assert queries.race_statistics(race)["speed_max"] == pytest.approx(108)


def racing_rows(race):
    return racing.five_seconds([race])


def test_a_run_without_described_channels_is_answered_as_before(bob, signed_in, race):
    found = shown(signed_in, bob, race)["summary"]

    assert "unit" not in found["channels"]["speed"]
    assert "units" not in found
    assert set(shown(signed_in, bob, race, "/buckets")) == {"data", "next"}


def test_what_another_team_said_of_the_device_is_not_told(bob, signed_in, car, race):
    ChannelDescription.objects.create(team=Team.objects.create(name="Before"), device=car, channel="speed", scale=100)

    assert shown(signed_in, bob, race)["summary"]["channels"]["speed"]["high"] == 30


def test_the_page_of_a_run_calls_channels_by_their_names_and_leaves_out_hidden_ones(browse_run, car, race):
    channels.change(car, {"speed": KMH, "battery": {"is_hidden": True}})

    page = browse_run(race)

    assert '<h3 title="speed">Pace</h3>' in page
    assert '<span class="unit">km/h</span>' in page
    assert "<dd>29.4</dd>" in page  # the deviation, with one decimal
    assert 'title="battery"' not in page
    assert 'title="race"' not in page  # which the contract hides


@pytest.fixture
def browse_run(bob, client):
    client.force_login(bob)
    return lambda run: client.get(f"/runs/{run.pk}/", headers={"accept": "text/html"}).content.decode()


@pytest.mark.parametrize(
    ("watch", "described"),
    [
        ((0.0, 20.0), {}),
        ((0, 20_000), {"unit": "s", "scale": 0.001}),
        ((0.0, 20.0), {"unit": "min", "scale": 1 / 60}),
    ],
)
def test_a_series_takes_as_long_as_its_watch_says_whatever_its_unit(bob, signed_in, team, watch, described):
    machine = register_device(team=team, name="press", contract="gym")[0]
    sent(machine, *({"repetitions": count, "series_time": s} for count, s in zip((1, 10), watch, strict=True)))
    end = START + timedelta(minutes=1)
    run = open_run(team=team, device=machine, asset=None, kind="series", started_at=START, ended_at=end)
    channels.change(machine, {"series_time": described})

    found = shown(signed_in, bob, run)["summary"]

    assert found["statistics"]["series_time_s"] == pytest.approx(20)
    assert found["statistics"]["tempo_s"] == pytest.approx(2)
    assert found["units"]["tempo_s"] == "s"
