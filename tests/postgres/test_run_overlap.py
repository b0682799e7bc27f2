"""PostgreSQL itself keeps two runs of one device and part apart, whoever writes them and however many at once."""

import threading

import psycopg
import pytest

RUN = (
    "INSERT INTO runs_run (team_id, device_id, kind, name, part, started_at, ended_at, is_inferred, is_hand_cut,"
    " revision, created_at, deleted_at) VALUES (%(team)s, %(device)s, 'race', '', %(part)s, %(start)s, %(end)s, false,"
    " true, 0, now(), %(deleted)s)"
)
NOON, ONE, TWO = "2026-03-01T12:00Z", "2026-03-01T13:00Z", "2026-03-01T14:00Z"


@pytest.fixture
def connection(migrated_url):
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        connection.execute("INSERT INTO teams_team (id, name) VALUES (1, 'Home')")
        for device in (1, 2):
            connection.execute(
                "INSERT INTO fleet_device (id, team_id, name, contract, timezone, secret_hash, is_enabled)"
                " VALUES (%s, 1, %s, 'racing', 'UTC', '', true)",
                [device, f"car{device}"],
            )
        yield connection


def add(connection, start, end, *, device=1, part="", deleted=None):
    connection.execute(RUN, {"team": 1, "device": device, "part": part, "start": start, "end": end, "deleted": deleted})


def test_runs_may_follow_each_other_without_a_pause(connection):
    add(connection, NOON, ONE)
    add(connection, ONE, TWO)
    add(connection, TWO, None)


@pytest.mark.parametrize(("start", "end"), [(NOON, ONE), ("2026-03-01T12:59Z", TWO), ("2026-03-01T11:00Z", None)])
def test_runs_of_one_device_never_overlap(connection, start, end):
    add(connection, NOON, ONE)

    with pytest.raises(psycopg.errors.ExclusionViolation):
        add(connection, start, end)


def test_a_run_of_the_whole_device_overlaps_with_every_part(connection):
    add(connection, NOON, ONE, part="machine_id=7")
    add(connection, NOON, ONE, part="machine_id=8")

    with pytest.raises(psycopg.errors.ExclusionViolation):
        add(connection, NOON, ONE)


def test_devices_parts_and_deleted_runs_do_not_meet(connection):
    add(connection, NOON, ONE, part="race=1")
    add(connection, NOON, ONE, part="race=2")
    add(connection, NOON, ONE, part="race=1", deleted=TWO)
    add(connection, NOON, ONE, device=2)
    add(connection, NOON, ONE, device=None)
    add(connection, NOON, ONE, device=None)


def test_of_two_openings_at_once_one_is_refused(connection, migrated_url):
    outcomes = []
    together = threading.Barrier(2)

    def open_one():
        with psycopg.connect(migrated_url, autocommit=True) as own:
            together.wait(timeout=10)
            try:
                add(own, NOON, None)
                outcomes.append("opened")
            except (psycopg.errors.ExclusionViolation, psycopg.errors.DeadlockDetected):
                outcomes.append("refused")

    threads = [threading.Thread(target=open_one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["opened", "refused"]
