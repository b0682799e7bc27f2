"""Many runs at once: what a list says is what each of them says, and those of one car are read in one go."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from releve.control.fleet.services import register_device
from releve.control.runs import measure
from releve.control.runs.edit import services
from releve.control.runs.models import Run
from releve.control.runs.several import splits_of, totals_of
from releve.storage.reader import ConnectionReader

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LENGTH = timedelta(minutes=1)
CHANNELS = ("speed", "distance")


@pytest.fixture
def races(team):
    """Three races of one car, and one of another."""
    cars = [register_device(team=team, name=name, contract="racing")[0] for name in ("one", "two")]
    spans = [(cars[0], 0), (cars[0], 5), (cars[0], 10), (cars[1], 0)]
    opened = [open_race(team, car, START + timedelta(minutes=minute)) for car, minute in spans]
    for number, race in enumerate(opened):
        for second in range(0, 40, 2):
            store(race, second, waited_s=600, speed=float(number + second), distance=10.0 * second)
    return opened


def open_race(team, car, start):
    run = services.open_run(team=team, device=car, asset=None, kind="race", started_at=start, ended_at=start + LENGTH)
    return Run.objects.get(pk=run.pk)


def store(run, second, *, waited_s=0.0, **channels):
    received = timezone.now() - timedelta(seconds=waited_s)
    with connection.cursor() as cursor:
        cursor.execute("SELECT releve_ensure_partition(%s)", [START])
        cursor.execute(
            "INSERT INTO reading VALUES (%s, %s, %s, %s, %s)",
            [run.device_id, run.started_at + timedelta(seconds=second), 1, received, json.dumps(channels)],
        )


def assert_same(races):
    found = totals_of(races, CHANNELS)
    for race in races:
        whole = measure.measured(race)
        channels = whole.channels
        assert found[race.pk].extent == whole.extent
        assert {name: tuple(band) for name, band in found[race.pk].channels.items()} == {
            name: (pytest.approx(channels[name].mean), channels[name].low, channels[name].high) for name in CHANNELS
        }


def test_a_list_says_what_each_run_says(races):
    assert_same(races)
    assert_same(races)


def test_a_list_shows_a_late_reading_at_once(races):
    totals_of(races, CHANNELS)
    store(races[2], 41, speed=99.0, distance=500.0)

    assert totals_of(races, CHANNELS)[races[2].pk].channels["speed"].high == 99.0
    assert_same(races)


def test_a_run_without_readings_and_one_without_a_device_are_left_out(team, races):
    empty = open_race(team, races[3].device, START + timedelta(hours=1))
    nobody = services.open_run(team=team, device=None, asset=None, kind="race", started_at=START)

    assert set(totals_of([*races, empty, nobody], CHANNELS)) == {race.pk for race in races}
    assert totals_of([nobody], CHANNELS) == {}


def test_a_list_of_many_races_of_a_car_takes_as_many_statements_as_a_list_of_two(races, monkeypatch):
    asked, ask = [], ConnectionReader.ask

    async def counting(self, statement, values):
        asked.append(statement)
        return await ask(self, statement, values)

    monkeypatch.setattr(ConnectionReader, "ask", counting)
    taken = []
    for some in (races[:2], races[:3]):
        asked.clear()
        totals_of(some, CHANNELS)
        taken.append(len(asked))

    assert taken[0] == taken[1] > 0


def test_splits_come_by_race_and_time_with_the_last_distance_and_the_mean_speed(races):
    splits = list(splits_of(races))

    assert [(split.run, split.start) for split in splits] == [
        (race.pk, race.started_at + timedelta(seconds=second)) for race in races for second in range(0, 40, 5)
    ]
    assert splits[8] == (races[1].pk, races[1].started_at, 40.0, pytest.approx(3.0), 0.0, 0.0)
