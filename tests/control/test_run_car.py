"""Races follow what their cars send, whoever looks first: a list, one run, a page, or nobody."""

import json
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from releve.control.fleet.models import Asset, Mount
from releve.control.fleet.services import register_device
from releve.control.runs.cut import keep
from releve.control.runs.edit import services
from releve.control.runs.models import Change, Run
from releve.storage.queries import query


@pytest.fixture
def car(team):
    return register_device(team=team, name="esp32bis", contract="racing")[0]


@pytest.fixture
def drives(car):
    """The data plane stores what the car sent of a race, and the last word that it said on `race`."""

    def store(number, *, ago_s=1.0):
        now = timezone.now()
        time = now - timedelta(seconds=ago_s)
        with connection.cursor() as cursor:
            cursor.execute("SELECT releve_ensure_partition(%s)", [time])
            channels = json.dumps({"race": number, "speed": 3.0})
            cursor.execute("INSERT INTO reading VALUES (%s, %s, 1, %s, %s)", [car.pk, time, now, channels])
        say(str(number))

    def say(word):
        with connection.cursor() as cursor:
            heard_us = int(timezone.now().timestamp() * 1e6)
            cursor.execute(query("mqtt_keep_values"), [[car.pk], ["esp32bis/race"], [word], [heard_us]])

    store.say = say
    return store


@pytest.fixture
def waiting(team):
    """A race that was made over HTTP and waits for the car that names it."""
    vehicle = Asset.objects.create(team=team, kind="vehicle", name="Kart")
    start = timezone.now()
    return services.open_run(team=team, device=None, asset=vehicle, kind="race", name="Final", started_at=start)


def test_a_race_that_a_car_names_is_in_the_list_of_runs(bob, signed_in, drives):
    drives(12)

    found = signed_in(bob).get("/api/v1/runs").json()["data"]

    assert [(run["name"], run["part"], run["is_open"]) for run in found] == [("Race 12", "race=12", True)]


def test_a_race_that_a_car_names_is_on_the_page_of_runs(bob, drives):
    drives(12)
    client = Client(headers={"accept": "text/html"})
    client.force_login(bob)

    assert "Race 12" in client.get("/runs/").content.decode()


def test_a_race_that_nobody_announced_is_of_a_vehicle_of_the_cars_name(bob, signed_in, drives, car):
    drives(12)
    drives(13)

    found = signed_in(bob).get("/api/v1/runs").json()["data"]

    vehicle = Asset.objects.get(mounts__device=car)
    assert (vehicle.kind, vehicle.name, vehicle.team) == ("vehicle", car.name, car.team)
    assert [run["asset"]["id"] for run in found] == [vehicle.pk] * 2


def test_a_car_that_is_mounted_drives_for_its_vehicle(bob, signed_in, drives, car):
    kart = Asset.objects.create(team=car.team, kind="vehicle", name="Kart")
    Mount.objects.create(asset=kart, device=car)
    drives(12)

    signed_in(bob).get("/api/v1/runs")

    assert Run.objects.get().asset == kart


def test_a_vehicle_that_has_the_cars_name_already_is_not_made_twice(bob, signed_in, drives, car):
    added = Asset.objects.create(team=car.team, kind="vehicle", name=car.name)
    drives(12)

    signed_in(bob).get("/api/v1/runs")

    assert [asset.pk for asset in Asset.objects.filter(kind="vehicle", name=car.name)] == [added.pk]
    assert added.mounts.filter(device=car).exists()


def test_a_race_that_waits_is_joined_when_it_is_looked_at(bob, signed_in, drives, waiting, car):
    drives(waiting.pk)

    found = signed_in(bob).get(f"/api/v1/runs/{waiting.pk}").json()

    assert found["device"]["name"] == car.name
    assert found["summary"]["channels"]["speed"]["n"] == 1


def test_a_race_opens_and_closes_though_nobody_looks(drives):
    drives(12)
    assert keep.cut() == 1
    assert Run.objects.get().is_open

    drives.say("false")
    keep.cut()

    assert not Run.objects.get().is_open
    assert Run.objects.get().name == "Race 12"


def test_a_race_that_a_person_reopened_is_ended_by_the_next_word_only(drives):
    drives(12)
    drives.say("false")
    keep.cut()

    services.reopen(Run.objects.get())
    drives.say("false")  # the same word again is no new one: some cars repeat it every few seconds
    keep.cut()
    assert Run.objects.get().is_open

    drives.say("12")
    drives.say("false")
    keep.cut()
    assert not Run.objects.get().is_open


def test_a_race_ends_with_its_last_sample_before_the_other_number(bob, signed_in, drives):
    for ago_s in (40, 39, 38):
        drives(12, ago_s=ago_s)
    for ago_s in (37, 36, 35):  # this car says `race` before every sample
        drives(13, ago_s=ago_s)
    keep.cut()

    api = signed_in(bob)
    (older,) = [run for run in api.get("/api/v1/runs").json()["data"] if run["part"] == "race=12"]
    summary = api.get(f"/api/v1/runs/{older['id']}").json()["summary"]

    assert ended_after(older) == pytest.approx(2.0, abs=0.5)
    assert summary["completeness"]["gaps"] == []
    assert summary["completeness"]["received"] == 3


def test_a_race_ends_at_the_first_of_many_words_that_there_is_none(drives):
    drives(12, ago_s=5)
    drives.say("false")
    first = timezone.now()
    drives.say("false")

    keep.cut()

    assert Run.objects.get().ended_at <= first


def test_a_closing_that_is_taken_back_stays_so_until_the_car_says_something_new(erin, signed_in, drives):
    api = signed_in(erin)
    drives(12, ago_s=9)
    drives(13, ago_s=8)
    keep.cut()
    older = Run.objects.get(part="race=12")
    ended_at = older.ended_at
    assert ended_at is not None

    assert api.post(f"/api/v1/runs/{older.pk}/undo", {}).status_code == 200
    drives(13, ago_s=1)
    keep.cut()
    assert Run.objects.get(part="race=12").is_open

    drives(14, ago_s=0)
    keep.cut()
    assert Run.objects.get(part="race=12").ended_at == ended_at


def test_a_closing_by_hand_that_is_taken_back_lets_the_other_number_end_the_race(drives):
    drives(12, ago_s=9)
    keep.cut()
    race = services.close_run(Run.objects.get(), ended_at=timezone.now())
    drives(13, ago_s=2)

    services.undo(Change.objects.get(kind="close"))
    keep.cut()

    race.refresh_from_db()
    assert race.ended_at == race.started_at + timedelta(microseconds=1)


def test_nobody_cut_a_race_that_its_car_named(bob, drives):
    drives(12, ago_s=9)
    drives(13)
    keep.cut()
    client = Client(headers={"accept": "text/html"})
    client.force_login(bob)

    page = client.get(f"/runs/{Run.objects.get(part='race=12').pk}/").content.decode()

    assert "by hand" not in page
    assert "by what its car said" in page


def test_a_race_that_a_person_closed_is_cut_by_hand(bob, drives):
    drives(12, ago_s=9)
    keep.cut()
    services.close_run(Run.objects.get(), ended_at=timezone.now())
    client = Client(headers={"accept": "text/html"})
    client.force_login(bob)

    assert "by hand" in client.get(f"/runs/{Run.objects.get().pk}/").content.decode()


def test_a_race_number_with_a_fraction_is_the_race_of_that_number(bob, signed_in, drives):
    drives(12, ago_s=3)
    drives(12.0, ago_s=2)
    keep.cut()

    (found,) = signed_in(bob).get("/api/v1/runs").json()["data"]

    assert found["part"] == "race=12"
    assert ended_after(found) is None
    summary = signed_in(bob).get(f"/api/v1/runs/{found['id']}").json()["summary"]
    assert summary["channels"]["speed"]["n"] == 2


def ended_after(run):
    if run["ended_at"] is None:
        return None
    return (datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["started_at"])).total_seconds()


def test_a_car_of_another_team_is_not_followed_by_a_look(charlie, signed_in, drives, looks_only):
    drives(12)

    assert signed_in(charlie).get("/api/v1/runs").json()["data"] == []
    assert not Run.objects.exists()
