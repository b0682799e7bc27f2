"""The JSON of gym machines: in use or free, the set, the rest, sets of a day, records; each team its own."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.control.conftest import PASSWORD

from releve.control.families.present import behind
from releve.control.fleet.models import Asset, Mount
from releve.control.fleet.services import register_device
from releve.control.runs.cut import keep
from releve.control.runs.edit.correction import exclude
from releve.control.runs.models import Run

WRITES = ("INSERT", "UPDATE", "DELETE")


@pytest.fixture
def machine(team, device):
    asset = Asset.objects.create(team=team, kind="machine", key="7", name="Machine 7")
    Mount.objects.create(asset=asset, device=device)
    return asset


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def send(device):
    """Store what the machine sent, as (instant, channels), and that it was heard."""

    def put(*readings, machine_id=7):
        with connection.cursor() as cursor:
            for time, channels in readings:
                cursor.execute("SELECT releve_ensure_partition(%s)", [time])
                cursor.execute(
                    "INSERT INTO reading (device_id, time, id, received, channels) VALUES (%s, %s, %s, now(), %s)"
                    " ON CONFLICT DO NOTHING",
                    [device.pk, time, machine_id, json.dumps({"machine_id": machine_id, **channels})],
                )
            latest = max(time for time, _ in readings)
            cursor.execute(
                "INSERT INTO device_seen VALUES (%s, %s, %s) ON CONFLICT (device_id) DO UPDATE"
                " SET last_seen = greatest(device_seen.last_seen, excluded.last_seen),"
                " last_time = greatest(device_seen.last_time, excluded.last_time)",
                [device.pk, latest, latest],
            )

    return put


def worked(start, repetitions=6, tempo_s=2.0, **more):
    """A set: a reading at each repetition."""
    return [
        (start + timedelta(seconds=tempo_s * count), {"repetitions": count, **more})
        for count in range(1, repetitions + 1)
    ]


def test_a_machine_that_is_worked_on_tells_the_set_as_it_stands(machine, send, now, signed_in, bob):
    send(*worked(now - timedelta(seconds=13)))

    found = signed_in(bob).get(f"/api/v1/machines/{machine.pk}").json()

    assert (found["phase"], found["in_use"]) == ("working", True)
    assert found["set"]["repetitions"] == 6
    assert found["set"]["time_s"] == pytest.approx(10)
    assert found["set"]["tempo_s"] == pytest.approx(10 / 6)
    assert found["since_s"] == pytest.approx(11, abs=3)


def test_the_rest_is_told_from_the_last_repetition_on(machine, send, now, signed_in, bob):
    send(*worked(now - timedelta(seconds=62)), (now, {"repetitions": 6}))

    found = signed_in(bob).get(f"/api/v1/machines/{machine.pk}").json()

    assert (found["phase"], found["in_use"]) == ("resting", True)
    assert found["since_s"] == pytest.approx(50, abs=3)


def test_a_machine_that_nobody_worked_on_lately_is_free_since_its_last_set(machine, send, now, signed_in, bob):
    send(*worked(now - timedelta(hours=2)))

    api = signed_in(bob)
    found = api.get(f"/api/v1/machines/{machine.pk}").json()
    listed = api.get("/api/v1/machines").json()["data"]

    assert (found["phase"], found["in_use"]) == ("free", False)
    assert found["since_s"] == pytest.approx(7200 - 12, abs=3)
    assert found["set"]["repetitions"] == 6
    assert [(each["id"], each["phase"]) for each in listed] == [(machine.pk, "free")]


def test_a_machine_without_a_set_says_so(machine, signed_in, bob):
    api = signed_in(bob)
    found = api.get(f"/api/v1/machines/{machine.pk}").json()

    assert (found["phase"], found["since"], found["set"]) == (None, None, None)
    assert api.get(f"/api/v1/machines/{machine.pk}/series").json()["data"] == []
    assert api.get(f"/api/v1/machines/{machine.pk}/records").json()["data"] == []


def test_two_machines_of_one_pi_are_told_apart(machine, team, device, send, now, signed_in, bob):
    other = Asset.objects.create(team=team, kind="machine", key="8", name="Machine 8")
    Mount.objects.create(asset=other, device=device)
    send(*worked(now - timedelta(seconds=13)))
    send(*worked(now - timedelta(seconds=100), repetitions=3), machine_id=8)

    listed = signed_in(bob).get("/api/v1/machines").json()["data"]

    assert [(each["name"], each["phase"]) for each in listed] == [("Machine 7", "working"), ("Machine 8", "resting")]


def test_a_device_whose_clock_is_off_tells_no_longer_rest(machine, send, now, device, signed_in, bob):
    wrong = now + timedelta(minutes=40)  # forty minutes ahead
    send(*worked(wrong - timedelta(seconds=42)), (wrong, {"repetitions": 6}))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE device_seen SET last_seen = %s WHERE device_id = %s", [now, device.pk])

    found = signed_in(bob).get(f"/api/v1/machines/{machine.pk}").json()

    assert found["phase"] == "resting"
    assert found["since_s"] == pytest.approx(30, abs=3)


def test_a_clock_that_is_behind_by_more_than_a_minute_is_taken_for_late_readings():
    assert behind(timedelta(seconds=59)) == timedelta(seconds=59)
    assert behind(timedelta(seconds=61)) == timedelta(0)


@pytest.fixture
def noon(now):
    """Noon of today in UTC, or of yesterday: sets at fixed hours of one day that has been."""
    today = now.replace(hour=12, minute=0, second=0, microsecond=0)
    return today if today + timedelta(hours=1) < now else today - timedelta(days=1)


def test_the_sets_of_a_day_tell_rest_and_tempo_against_the_first(machine, send, noon, signed_in, bob):
    send(*worked(noon), *worked(noon + timedelta(seconds=90), tempo_s=2.5))
    send(*worked(noon + timedelta(hours=1), tempo_s=4))

    listed = signed_in(bob).get(f"/api/v1/machines/{machine.pk}/series?day={noon.date()}").json()["data"]

    assert [each["repetitions"] for each in listed] == [6, 6, 6]
    assert [each["tempo_s"] for each in listed] == pytest.approx([10 / 6, 12.5 / 6, 20 / 6])
    assert [each["tempo_change_percent"] for each in listed] == [None, pytest.approx(25), None]
    # From the last repetition of the first, 12 s after noon, to the first of the second.
    assert [each["rest_before_s"] for each in listed] == [None, pytest.approx(90 + 2.5 - 12), None]


def records(api, machine):
    found = api.get(f"/api/v1/machines/{machine.pk}/records?days=30").json()["data"]
    return {each["name"]: each for each in found}


def test_a_record_falls_when_a_correction_takes_it_away(machine, send, noon, signed_in, alice):
    send(*worked(noon), *worked(noon + timedelta(minutes=10), repetitions=9, tempo_s=1.0))
    api = signed_in(alice)
    before = records(api, machine)
    assert (before["repetitions"]["value"], before["best_tempo"]["value"]) == (9, pytest.approx(8 / 9))
    assert before["repetitions_in_a_day"]["value"] == 15
    assert before["sets_in_a_day"]["value"] == 2

    best = Run.objects.get(pk=before["repetitions"]["run"])
    until = best.started_at + timedelta(minutes=5)
    exclude(best, since=best.started_at - timedelta(seconds=1), until=until, reason="a child played with it", by=alice)

    after = records(api, machine)
    assert (after["repetitions"]["value"], after["best_tempo"]["value"]) == (6, pytest.approx(10 / 6))
    assert after["repetitions_in_a_day"]["value"] == 6


def test_what_a_person_set_by_hand_stands_above_what_was_measured(machine, send, noon, signed_in, alice):
    send(*worked(noon))
    keep.cut()
    run = Run.objects.get()
    api = signed_in(alice)
    set_by_hand = {"statistics": {"repetitions": 5}}
    assert api.request("PUT", f"/api/v1/runs/{run.pk}/statistics", set_by_hand, **{"If-Match": "*"}).status_code == 200

    assert records(api, machine)["repetitions"]["value"] == 5


@pytest.mark.parametrize("path", ["", "/series", "/records"])
def test_another_teams_machine_does_not_exist(machine, signed_in, charlie, path):
    answer = signed_in(charlie).get(f"/api/v1/machines/{machine.pk}{path}")

    assert answer.status_code == 404
    assert signed_in(charlie).get("/api/v1/machines").json()["data"] == []


def test_a_device_that_moved_away_shows_its_new_teams_work_to_nobody_of_the_old(
    machine, send, device, charlie, now, signed_in, bob
):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE device_ownership SET until = %s WHERE device_id = %s", [now - timedelta(minutes=1), device.pk]
        )
        cursor.execute(
            "INSERT INTO device_ownership (device_id, team_id, since) VALUES (%s, %s, %s)",
            [device.pk, charlie.memberships.get().team_id, now - timedelta(minutes=1)],
        )
    send(*worked(now - timedelta(seconds=13)))

    assert signed_in(bob).get(f"/api/v1/machines/{machine.pk}").json()["phase"] is None


def test_what_a_query_gets_wrong_is_named(machine, signed_in, bob):
    api = signed_in(bob)
    for query, field in (("series?day=tomorrow", "day"), ("records?days=0", "days"), ("records?days=9999", "days")):
        answer = api.get(f"/api/v1/machines/{machine.pk}/{query}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


@pytest.fixture
def browser(bob):
    client = Client()
    client.post("/account/login/", {"login": bob.email, "password": PASSWORD})
    return client


@pytest.mark.parametrize(
    "path", ["/machines/", "/machines/{}/", "/machines/{}/qr.svg", "/api/v1/machines", "/api/v1/machines/{}/records"]
)
def test_a_look_at_a_machine_writes_nothing(machine, send, now, browser, looks_only, path):
    send(*worked(now - timedelta(seconds=13)))
    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(path.format(machine.pk))

    assert answer.status_code == 200
    statements = [query["sql"].lstrip() for query in captured.captured_queries]
    assert [sql for sql in statements if sql.startswith(WRITES) and ("runs_" in sql or "fleet_" in sql)] == []


def test_the_code_leads_to_the_machines_page(machine, browser):
    answer = browser.get(f"/machines/{machine.pk}/qr.svg")

    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.content.startswith(b"<svg")
    assert browser.get(f"/machines/{machine.pk}/").content.count(f"/machines/{machine.pk}/</p>".encode()) == 1


def test_only_who_has_gym_machines_is_led_to_them(team, alice, browser, device):
    assert b'href="/machines/"' in browser.get("/").content
    device.contract = "generic"
    device.save(update_fields=["contract"])
    assert b'href="/machines/"' not in browser.get("/").content
    register_device(team=team, name="raspberry2", contract="gym")
    assert b'href="/machines/"' in browser.get("/").content
