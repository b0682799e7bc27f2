"""The JSON of vehicles in a race: laps, the delta at the same place, energy per lap, laps left; each team its own."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.control.conftest import PASSWORD

from releve.control.fleet import channels
from releve.control.fleet.models import Asset, Mount
from releve.control.fleet.services import register_device
from releve.control.runs.edit import correction, services
from releve.control.runs.models import Kind, Run

WRITES = ("INSERT", "UPDATE", "DELETE")
LAP_M = 40.0


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def car(team):
    return register_device(team=team, name="esp32bis", contract="racing")[0]


@pytest.fixture
def vehicle(team, car):
    asset = Asset.objects.create(team=team, kind="vehicle", name="Swift")
    Mount.objects.create(asset=asset, device=car)
    return asset


@pytest.fixture
def race(team, car, vehicle, now):
    started = now - timedelta(seconds=25)
    return services.open_run(team=team, device=car, asset=vehicle, kind=Kind.RACE, name="Friday", started_at=started)


@pytest.fixture
def drive(car):
    """Store what the car sent, as (instant, lap, distance, battery)."""

    def put(*readings):
        with connection.cursor() as cursor:
            for time, track, distance, battery in readings:
                cursor.execute("SELECT releve_ensure_partition(%s)", [time])
                sent = {"track": track, "distance": distance, "battery": battery, "speed": 4.0}
                cursor.execute(
                    "INSERT INTO reading (device_id, time, id, received, channels) VALUES (%s, %s, 1, now(), %s)",
                    [car.pk, time, json.dumps(sent)],
                )
                cursor.execute(
                    "INSERT INTO channel_name SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING",
                    [car.pk, list(sent)],
                )
            latest = max(time for time, *_ in readings)
            cursor.execute("INSERT INTO device_seen VALUES (%s, %s, %s)", [car.pk, latest, latest])

    return put


@pytest.fixture
def driven(drive, race):
    """Two whole laps of 40 m, in 10 s and in 8 s, and 20 m of a third in 5 s; 3, 2 and 1 of the battery."""
    start = race.started_at
    drive(
        *((start + timedelta(seconds=second), 1, 4.0 * second, 100 - 0.3 * second) for second in range(10)),
        *((start + timedelta(seconds=10 + second), 2, 40 + 5.0 * second, 97 - 0.25 * second) for second in range(8)),
        *((start + timedelta(seconds=18 + second), 3, 80 + 4.0 * second, 95 - 0.2 * second) for second in range(6)),
    )
    return race


def look(api, vehicle):
    answer = api.get(f"/api/v1/vehicles/{vehicle.pk}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_race_tells_its_laps_and_the_delta_at_the_same_place(vehicle, driven, signed_in, bob):
    found = look(signed_in(bob), vehicle)["race"]

    assert [(lap["lap"], lap["time_s"]) for lap in found["laps"]] == [(1, 10.0), (2, 8.0)]
    assert (found["last_lap"]["lap"], found["best_lap"]["lap"]) == (2, 2)
    assert found["best_lap"]["distance"] == pytest.approx(LAP_M)
    assert (found["lap"], found["reference_lap"]) == (3, 2)
    # 20 m into the lap after 5 s; the best lap was there after 4 s.
    assert found["delta_s"] == pytest.approx(1.0)
    assert found["lap_time_s"] == pytest.approx(7, abs=3)


def test_laps_left_are_told_once_somebody_has_said_that_the_battery_is_in_percent(vehicle, car, driven, signed_in, bob):
    before = look(signed_in(bob), vehicle)["race"]
    assert (before["battery"], before["laps_left"]) == ({"value": 94.0, "unit": ""}, None)
    assert before["energy_per_lap"] == pytest.approx(2.5)

    channels.change(car, {"battery": {"unit": "%"}})

    after = look(signed_in(bob), vehicle)["race"]
    assert after["battery"] == {"value": 94.0, "unit": "%"}
    assert after["laps_left"] == pytest.approx(94 / 2.5)


def test_units_that_a_team_declared_are_converted_everywhere(vehicle, car, driven, signed_in, bob):
    channels.change(
        car, {"speed": {"unit": "km/h", "scale": 3.6}, "battery": {"unit": "Wh", "scale": 10, "offset": -5}}
    )

    found = look(signed_in(bob), vehicle)["race"]

    assert found["speed"] == {"value": pytest.approx(14.4), "unit": "km/h"}
    assert found["battery"]["value"] == pytest.approx(935)
    assert found["energy_per_lap"] == pytest.approx(25)  # an offset falls out of a difference
    assert found["laps_left"] == pytest.approx(935 / 25)


def test_a_lap_that_is_left_out_is_the_best_no_more(vehicle, driven, signed_in, alice):
    start = driven.started_at
    since, until = start + timedelta(seconds=9.5), start + timedelta(seconds=17.5)
    correction.exclude(driven, since=since, until=until, reason="a short cut", by=alice)

    found = look(signed_in(alice), vehicle)["race"]

    assert [lap["lap"] for lap in found["laps"]] == [1]
    assert found["reference_lap"] == 1
    assert found["delta_s"] == pytest.approx(0, abs=1e-6)  # the first lap was at 20 m after 5 s, too


def test_a_race_that_has_ended_has_no_lap_under_way(vehicle, driven, signed_in, bob):
    services.close_run(driven, ended_at=driven.started_at + timedelta(seconds=24))

    found = look(signed_in(bob), vehicle)

    assert (found["is_racing"], found["race"]["is_open"]) == (False, False)
    assert (found["race"]["lap"], found["race"]["lap_time_s"], found["race"]["delta_s"]) == (None, None, None)
    assert found["race"]["best_lap"]["lap"] == 2


def test_a_car_that_is_silent_is_timed_no_further(vehicle, driven, signed_in, bob, car):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reading SET time = time - interval '1 hour' WHERE device_id = %s", [car.pk])
        cursor.execute(
            "UPDATE device_seen SET last_time = last_time - interval '1 hour' WHERE device_id = %s", [car.pk]
        )
    Run.objects.filter(pk=driven.pk).update(started_at=driven.started_at - timedelta(hours=1))

    found = look(signed_in(bob), vehicle)["race"]

    assert (found["is_heard"], found["lap_time_s"]) == (False, None)


def test_a_vehicle_without_a_race_says_so(vehicle, signed_in, bob):
    found = look(signed_in(bob), vehicle)

    assert (found["race"], found["is_racing"], found["since"]) == (None, False, None)


def test_the_race_under_way_is_shown_before_a_later_one_that_has_ended(vehicle, team, driven, now, signed_in, bob):
    ended = {"started_at": now - timedelta(seconds=20), "ended_at": now - timedelta(seconds=10)}
    services.open_run(team=team, device=None, asset=vehicle, kind=Kind.RACE, name="Corrected", **ended)

    assert look(signed_in(bob), vehicle)["race"]["name"] == "Friday"


def test_another_teams_vehicle_does_not_exist(vehicle, driven, signed_in, charlie):
    api = signed_in(charlie)

    assert api.get(f"/api/v1/vehicles/{vehicle.pk}").status_code == 404
    assert api.get("/api/v1/vehicles").json()["data"] == []


@pytest.mark.parametrize("path", ["/racing/", "/racing/{}/", "/api/v1/vehicles", "/api/v1/vehicles/{}"])
def test_a_look_at_a_race_writes_nothing(vehicle, driven, bob, looks_only, path):
    browser = Client()
    browser.post("/account/login/", {"login": bob.email, "password": PASSWORD})
    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(path.format(vehicle.pk))

    assert answer.status_code == 200
    statements = [query["sql"].lstrip() for query in captured.captured_queries]
    assert [sql for sql in statements if sql.startswith(WRITES) and ("runs_" in sql or "fleet_" in sql)] == []
