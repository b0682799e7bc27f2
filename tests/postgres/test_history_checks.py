"""The doctor says when sealing is behind, and how long the take-over of an earlier release's readings goes on."""

import json
import time

import psycopg
import pytest

from releve.cli.check import history
from releve.cli.check.finding import State
from releve.ingest import metrics
from releve.ingest.counters import BOUNDS_S, GROUP_BOUNDS

STORE = (
    "INSERT INTO fresh_reading SELECT 1, now() - %s::interval, n, now() - %s::interval, '{}'"
    " FROM generate_series(1, 7) AS of (n)"
)


@pytest.fixture
def connection(migrated_url):
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        yield connection


def _empty(bounds):
    return [[0] * (len(bounds) + 1), 0.0]


def pace(data_dir, written_s, **progress):
    (data_dir / "run").mkdir(exist_ok=True)
    counts = {"written_s": written_s, "take_over": progress}
    (data_dir / "run" / "maintenance.metrics.json").write_text(json.dumps(counts))


def test_rows_that_are_rows_for_hours_are_warned_about_and_those_of_an_hour_are_not(connection):
    connection.execute(STORE, ["90 minutes", "90 minutes"])
    connection.execute(STORE, ["9 days", "30 minutes"])  # late ones

    (well,) = history.sealed(connection)
    connection.execute(STORE, ["3 hours", "3 hours"])
    (behind,) = history.sealed(connection)

    assert well.state is State.OK
    assert behind.state is State.WARN
    assert "7 readings are rows for more than 2 hours" in behind.detail


def test_what_is_left_to_take_over_is_told_with_how_long_it_takes(connection, tmp_path):
    assert list(history.taken_over(connection, tmp_path)) == []
    connection.execute("SELECT releve_ensure_partition('2026-06-01'), releve_ensure_partition('2026-07-01')")
    connection.execute(
        "INSERT INTO reading SELECT 1, '2026-06-20'::timestamptz + n * interval '1 hour', n, now(), '{}'"
        " FROM generate_series(1, 400) AS of (n)"
    )
    connection.execute("ANALYZE reading")

    (without,) = history.taken_over(connection, tmp_path)
    pace(tmp_path, time.monotonic(), months=2, rows=400, per_s=1)
    (with_pace,) = history.taken_over(connection, tmp_path)
    pace(tmp_path, time.monotonic() - 60, months=2, rows=400, per_s=1)
    (away,) = history.taken_over(connection, tmp_path)

    assert "about 400 readings of an earlier release, of 2 months" in without.detail
    assert with_pace.detail.endswith("1 a second are taken over, so 7 minutes more")
    assert away.detail == without.detail


def test_what_there_is_of_history_is_measured_once_however_many_processes_answer():
    worker = {"steps": {}, "depth": 0, "groups": _empty(GROUP_BOUNDS), "group_s": _empty(BOUNDS_S)}
    counts = {"history_readings": [["fresh", 3], ["sealed", 5]], "history_segments": 2, "history_bytes": 40}

    text = metrics.render([worker, {**counts, "history_failed": 1}, {}], {}).decode()

    for line in (
        'releve_history_readings{home="fresh"} 3.0',
        'releve_history_readings{home="sealed"} 5.0',
        "releve_history_segments 2.0",
        "releve_history_bytes 40.0",
        "releve_history_failed_devices 1.0",
    ):
        assert line in text.splitlines()
