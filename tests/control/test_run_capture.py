"""The JSON of profilometres: a capture in figures and in stretches, by time and by distance; each team its own."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.control.conftest import PASSWORD

from releve.control.fleet import channels
from releve.control.fleet.services import register_device
from releve.control.runs.cut import keep
from releve.control.runs.edit.correction import exclude
from releve.control.runs.models import Run

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
WRITES = ("INSERT", "UPDATE", "DELETE")
PROFILE = [3.0, -4.0, 1.0, -1.0, 2.0, 0.0]


@pytest.fixture
def profilo(team):
    return register_device(team=team, name="profilo-4", contract="profilometre")[0]


@pytest.fixture
def push(profilo):
    """Store a capture: a reading a second, with what else is given."""

    def put(start=START, **columns):
        with connection.cursor() as cursor:
            for second, height in enumerate(PROFILE):
                time = start + timedelta(seconds=second)
                cursor.execute("SELECT releve_ensure_partition(%s)", [time])
                sent = {"accelerometre": height, "temperature": 20.0 + second, "humidite": 50.0}
                sent |= {name: values[second] for name, values in columns.items()}
                cursor.execute(
                    "INSERT INTO reading (device_id, time, id, received, channels) VALUES (%s, %s, 1, now(), %s)",
                    [profilo.pk, time, json.dumps(sent)],
                )
                cursor.execute(
                    "INSERT INTO channel_name SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING",
                    [profilo.pk, list(sent)],
                )
            cursor.execute(
                "INSERT INTO device_seen VALUES (%s, %s, %s) ON CONFLICT (device_id) DO UPDATE SET last_seen = now()",
                [profilo.pk, start, start],
            )
        keep.cut()
        return Run.objects.get(started_at=start)

    return put


def test_a_capture_tells_its_figures_with_the_units_that_are_known(profilo, push, signed_in, bob):
    run = push()

    found = signed_in(bob).get(f"/api/v1/profilometres/{profilo.pk}").json()["capture"]

    assert (found["run"], found["n"], found["time_s"], found["length"]) == (run.pk, 6, 5.0, None)
    assert found["latest"] == {"profile": 0.0, "temperature": 25.0, "humidity": 50.0, "distance": None}
    assert found["units"] == {"profile": "", "temperature": "°C", "humidity": "%", "distance": ""}
    assert found["statistics"]["profile_peak"] == 4.0
    assert found["statistics"]["profile_rms"] == pytest.approx((31 / 6) ** 0.5)
    assert (found["statistics"]["temperature_low"], found["statistics"]["temperature_high"]) == (20.0, 25.0)


def test_stretches_by_time_tell_rms_and_peak_of_each(push, signed_in, bob):
    run = push()

    found = signed_in(bob).get(f"/api/v1/runs/{run.pk}/stretches?width=2").json()

    assert [each["begin"] for each in found["data"]] == [0, 2, 4]
    assert [each["peak"] for each in found["data"]] == [4, 1, 2]
    assert [each["rms"] for each in found["data"]] == pytest.approx([12.5**0.5, 1, 2**0.5])
    assert [each["temperature"] for each in found["data"]] == [20.5, 22.5, 24.5]
    assert found["data"][1]["time"] == "2026-03-01T12:00:02Z"


def test_stretches_by_distance_are_of_even_length_on_the_road(push, signed_in, bob):
    run = push(distance=[10.0, 10.5, 13.0, 14.0, 14.5, 19.0])

    found = signed_in(bob).get(f"/api/v1/runs/{run.pk}/stretches?by=distance&width=3").json()

    assert [(each["begin"], each["n"]) for each in found["data"]] == [(0, 2), (3, 3), (9, 1)]


def test_the_width_is_a_round_one_where_none_is_asked_for(push, signed_in, bob):
    run = push(distance=[0.0, 30.0, 60.0, 90.0, 120.0, 150.0])
    api = signed_in(bob)

    assert api.get(f"/api/v1/runs/{run.pk}/stretches").json()["width"] == 1
    assert api.get(f"/api/v1/runs/{run.pk}/stretches?by=distance").json()["width"] == 2  # 150 m in at most 120


def test_a_unit_that_the_team_declared_is_converted_in_figures_and_stretches(profilo, push, signed_in, bob):
    run = push(distance=[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    channels.change(profilo, {"accelerometre": {"unit": "mm", "scale": 10}, "distance": {"unit": "cm", "scale": 100}})
    api = signed_in(bob)

    figures = api.get(f"/api/v1/profilometres/{profilo.pk}").json()["capture"]
    strip = api.get(f"/api/v1/runs/{run.pk}/stretches?by=distance&width=200").json()

    assert (figures["statistics"]["profile_peak"], figures["units"]["profile"], figures["length"]) == (40, "mm", 500)
    assert [each["peak"] for each in strip["data"]] == [40, 10, 20]
    assert strip["units"]["distance"] == "cm"


def test_what_is_left_out_counts_on_no_stretch(push, signed_in, alice):
    run = push()
    until = START + timedelta(seconds=2)
    exclude(run, since=START + timedelta(seconds=1), until=until, reason="a stone", by=alice)

    found = signed_in(alice).get(f"/api/v1/runs/{run.pk}/stretches?width=2").json()

    assert [each["peak"] for each in found["data"]] == [3, 1, 2]


def test_an_earlier_capture_is_found_by_its_number(profilo, push, signed_in, bob):
    earlier, later = push(), push(start=START + timedelta(hours=1))
    api = signed_in(bob)

    newest = api.get(f"/api/v1/profilometres/{profilo.pk}").json()
    chosen = api.get(f"/api/v1/profilometres/{profilo.pk}?run={earlier.pk}").json()

    assert (newest["capture"]["run"], chosen["capture"]["run"]) == (later.pk, earlier.pk)
    assert [each["run"] for each in newest["captures"]] == [later.pk, earlier.pk]
    assert api.get(f"/api/v1/profilometres/{profilo.pk}?run=999999").status_code == 404


def test_a_profilometre_without_a_capture_says_so(profilo, signed_in, bob):
    api = signed_in(bob)

    assert api.get(f"/api/v1/profilometres/{profilo.pk}").json()["capture"] is None
    assert api.get("/api/v1/profilometres").json()["data"][0]["latest"] is None


def test_another_teams_captures_do_not_exist(profilo, push, signed_in, charlie):
    run = push()
    api = signed_in(charlie)

    assert api.get("/api/v1/profilometres").json()["data"] == []
    assert api.get(f"/api/v1/profilometres/{profilo.pk}").status_code == 404
    assert api.get(f"/api/v1/runs/{run.pk}/stretches").status_code == 404


def test_what_a_query_gets_wrong_is_named(push, signed_in, bob):
    run, api = push(), signed_in(bob)
    for query, field in (("by=map", "by"), ("width=0", "width"), ("width=nan", "width"), ("width=wide", "width")):
        answer = api.get(f"/api/v1/runs/{run.pk}/stretches?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field), query


@pytest.mark.parametrize(
    "path", ["/profilometres/", "/profilometres/{}/", "/api/v1/profilometres", "/api/v1/profilometres/{}"]
)
def test_a_look_at_a_capture_writes_nothing(profilo, push, bob, looks_only, path):
    push()
    browser = Client()
    browser.post("/account/login/", {"login": bob.email, "password": PASSWORD})
    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(path.format(profilo.pk))

    assert answer.status_code == 200
    statements = [query["sql"].lstrip() for query in captured.captured_queries]
    assert [sql for sql in statements if sql.startswith(WRITES) and ("runs_" in sql or "fleet_" in sql)] == []
