"""Cutting runs beside sealing: what went into a segment is cut as rows are, and what is only sealed is no news."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from releve.control.fleet.services import register_device
from releve.control.runs.columns import us
from releve.control.runs.cut import keep
from releve.control.runs.edit import services
from releve.control.runs.models import Run
from releve.history.block import Row
from releve.history.pivot import block_of
from releve.protocol.identity import canonical
from releve.storage import segments
from releve.storage.reader import ConnectionReader, now


@pytest.fixture
def start():
    return (timezone.now() - timedelta(hours=1)).replace(microsecond=0)


@pytest.fixture
def car(team):
    return register_device(team=team, name="esp32", contract="racing")[0]


def fresh(device, start, readings, *, received):
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO fresh_reading (device_id, time, id, received, channels) VALUES (%s, %s, 1, %s, %s)",
            [
                (device.pk, start + timedelta(seconds=second), received, json.dumps(channels))
                for second, channels in readings
            ],
        )


def sealed(device, start, readings, *, received):
    """Move what is there into a segment, or put it there at once, as a large import does."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM fresh_reading WHERE device_id = %s", [device.pk])
    rows = [
        Row(us(start + timedelta(seconds=second)), 1, us(received), canonical(channels))
        for second, channels in readings
    ]
    now(segments.add(ConnectionReader(connection.connection), device.pk, block_of(rows)))


def bounds():
    return [(run.part, run.started_at, run.ended_at) for run in Run.objects.order_by("started_at")]


def sets(seconds):
    return [(second, {"machine_id": 7, "repetitions": second + 1}) for second in seconds]


def laps(seconds):
    return [(second, {"race": 12, "speed": second}) for second in seconds]


def test_readings_that_went_into_a_segment_at_once_are_cut(device, start):
    keep.cut()
    sealed(device, start, [*sets(range(20)), *sets(range(300, 320))], received=timezone.now())

    keep.cut()

    ends = [(part, (since - start).seconds, (until - start).seconds) for part, since, until in bounds()]
    assert ends == [("machine_id=7", 0, 19), ("machine_id=7", 300, 319)]


def test_readings_that_were_sealed_before_anybody_looked_are_cut(device, start):
    sealed(device, start, sets(range(20)), received=start)

    keep.cut()

    assert [part for part, _, _ in bounds()] == ["machine_id=7"]


def test_a_race_whose_car_is_heard_through_a_segment_opens(car, start):
    keep.cut()
    sealed(car, start, laps(range(20)), received=timezone.now())

    keep.cut()

    assert [(part, since) for part, since, _ in bounds()] == [("race=12", start)]


def test_a_race_that_a_person_narrowed_stays_so_when_its_readings_are_sealed(car, start):
    fresh(car, start, laps(range(20)), received=start)
    keep.cut()
    services.move_boundary(
        Run.objects.get(), started_at=start + timedelta(seconds=5), ended_at=start + timedelta(seconds=15)
    )
    narrowed = bounds()

    sealed(car, start, laps(range(20)), received=start)
    keep.cut()

    assert bounds() == narrowed


def test_a_series_that_is_sealed_keeps_its_number_and_its_bounds(device, start):
    fresh(device, start, sets(range(20)), received=timezone.now())
    keep.cut()
    before = list(Run.objects.values())

    sealed(device, start, sets(range(20)), received=timezone.now())
    keep.cut()

    assert list(Run.objects.values()) == before
