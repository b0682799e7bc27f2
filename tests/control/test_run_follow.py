"""The watermark that sums follow: every reading counts once, whenever its commit comes."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from releve.control.fleet.services import register_device
from releve.control.runs import blocks, queries
from releve.control.runs.edit import services
from releve.control.runs.models import Run

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def race(team):
    car = register_device(team=team, name="esp32", contract="racing")[0]
    run = services.open_run(team=team, device=car, asset=None, kind="race", started_at=START)
    store(run, 0)
    queries.summary(run)
    return run


def store(run, second, *, waited_s=0.0, **channels):
    with connection.cursor() as cursor:
        cursor.execute("SELECT releve_ensure_partition(%s)", [START])
        cursor.execute(
            "INSERT INTO reading VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                run.device_id,
                START + timedelta(seconds=second),
                1,
                timezone.now() - timedelta(seconds=waited_s),
                json.dumps(channels or {"speed": 1.0}),
            ],
        )


def received(run):
    return queries.summary(run).extent.received


def made_at(run):
    with connection.cursor() as cursor:
        cursor.execute("SELECT start, xmin::text FROM run_block WHERE run_id = %s ORDER BY start", [run.pk])
        return cursor.fetchall()


def test_a_reading_that_waited_for_its_commit_counts_at_once(race):
    store(race, 1, waited_s=8)

    assert received(race) == 2


def test_a_reading_that_waited_long_counts_once_the_next_far_look_comes(race):
    store(race, 1, waited_s=40)
    Run.objects.filter(pk=race.pk).update(followed=timezone.now() - blocks.USUAL_COMMIT * 2)

    assert received(race) == 2


def test_the_same_reading_again_counts_once(race):
    store(race, 1)
    store(race, 1)

    assert received(race) == 2
    assert received(race) == 2


def test_only_the_block_of_a_late_reading_is_made_again(race):
    for second in range(0, 400, 5):
        store(race, second)
    received(race)
    before = made_at(race)
    with connection.cursor() as cursor:  # a row's xmin tells the subtransaction that made it
        cursor.execute("SAVEPOINT later")
    store(race, 201.5)

    received(race)

    changed = [row[0] for row, old in zip(made_at(race), before, strict=True) if row != old]
    assert changed == [START + timedelta(seconds=200)]


def test_a_run_that_was_read_before_a_change_still_follows_it(race):
    for second in (1, 7):
        store(race, second)
    read_before = Run.objects.get(pk=race.pk)
    services.split(race, at=START + timedelta(seconds=5))

    assert received(read_before) == 2
