"""No GET about runs writes: each is asked in a transaction in which PostgreSQL refuses every write."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import InternalError, connection, transaction
from django.test import Client
from django.utils import timezone

from releve.control.contracts.racing import services as racing
from releve.control.contracts.racing.urls import urlpatterns as racing_routes
from releve.control.fleet.models import Device
from releve.control.pages.urls import urlpatterns as page_routes
from releve.control.runs.edit import services
from releve.control.runs.models import Run
from releve.control.runs.urls import urlpatterns as run_routes

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGES = [each for each in page_routes if str(each.pattern).startswith(("runs/", "devices/"))]
ROUTES = [*run_routes, *racing_routes, *PAGES]
QUERIES = ("", "?race_id={run}", "?bucket=7s&fn=mean,deviation", "?kind=race&open=true")


@pytest.fixture
def race(team):
    """A race of a vehicle with three laps, a late part and a correction, that nobody looked at."""
    vehicle = racing.add_vehicle(team=team, name="Car", by=None, origin=services.COMMAND_LINE)
    car = Device.objects.get(mounts__asset=vehicle)
    with connection.cursor() as cursor:
        cursor.execute("SELECT releve_ensure_partition(%s)", [START])
        for second in range(60):
            channels = (
                f'{{"speed": {second}.5, "distance": {2 * second}, "battery": {100 - second}, "track": {second // 20}}}'
            )
            time = START + timedelta(seconds=second)
            cursor.execute("INSERT INTO reading VALUES (%s, %s, 1, %s, %s)", [car.pk, time, timezone.now(), channels])
    end = START + timedelta(seconds=60)
    run = services.open_run(team=team, device=car, asset=vehicle, kind="race", started_at=START, ended_at=end)
    services.exclude(run, since=START, until=START + timedelta(seconds=3), reason="towed")
    services.exclude_reading(run, time=START + timedelta(seconds=9), reading_id=1, reason="a spike")
    return run


@pytest.fixture
def others(team, race):
    """Series before and after, so that rests and fatigue are asked for, and a deleted run."""
    for number in range(3):
        start = START + timedelta(minutes=10 + number)
        end = start + timedelta(seconds=30)
        services.open_run(team=team, device=race.device, asset=None, kind="series", started_at=start, ended_at=end)
    with connection.cursor() as cursor:
        for minute in (10, 11, 12):
            time = START + timedelta(minutes=minute, seconds=5)
            channels = (
                '{"repetitions": 4, "asymmetry": 0.5, "acceleration_x": 1, "acceleration_y": 2, "acceleration_z": 2}'
            )
            cursor.execute("INSERT INTO reading VALUES (%s, %s, 1, now(), %s)", [race.device_id, time, channels])
    deleted = services.open_run(
        team=team, device=race.device, asset=None, kind="capture", started_at=START - timedelta(days=1), ended_at=START
    )
    services.delete(deleted)
    return list(Run.objects.all())


def read_only(ask):
    """What is answered where the database refuses every write."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL transaction_read_only = on")
        answer = ask()
        transaction.set_rollback(True)
    return answer


def addresses(route, run):
    given = {"run_id": run.pk, "number": run.pk, "exclusion_id": 1, "change_id": run.revision or 1}
    given |= {"device_id": run.device_id, "pk": run.device_id}
    path = re.sub(r"<(?:int:)?(\w+)>", lambda found: str(given.get(found[1], 1)), str(route.pattern))
    return [f"/{path}{query.format(run=run.pk)}" for query in QUERIES]


def test_a_read_only_transaction_refuses_what_would_be_written(race):
    with pytest.raises(InternalError, match="read-only"):
        read_only(lambda: Run.objects.filter(pk=race.pk).update(name="written"))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.name} {route.pattern}")
def test_no_get_about_runs_writes(race, others, alice, signed_in, looks_only, route):
    api = signed_in(alice)
    browser = Client(headers={"accept": "text/html"})
    browser.force_login(alice)
    client = browser if route in PAGES else api

    answers = [
        read_only(lambda address=address: client.get(address).status_code)
        for run in others
        for address in addresses(route, run)
    ]

    assert set(answers) <= {200, 302, 400, 404, 405}


def test_the_answers_are_those_of_a_transaction_that_may_write(race, others, alice, signed_in, looks_only):
    api = signed_in(alice)
    paths = [f"/api/v1/runs/{run.pk}{path}" for run in others for path in ("", "/buckets?bucket=7s")]
    paths += ["/get_stats_races", "/stats_every_5_seconds", f"/stats_race?race_id={race.pk}"]

    for path in paths:
        assert read_only(lambda path=path: api.get(path).content) == api.get(path).content
    assert api.get(f"/stats_race?race_id={race.pk}").json()["data"][0]["distance"] == 118
