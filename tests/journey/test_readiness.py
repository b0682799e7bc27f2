"""Readiness, metrics, reading back, and what the hot path never does, with real processes."""

import csv
import io
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from releve.storage.embedded import EmbeddedPostgres

READINGS = "/api/v1/readings"
SESSIONS = "SELECT sessions FROM pg_stat_database WHERE datname = current_database()"
CONTROL_PLANE_SINCE = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'releve-control' AND state_change > %s"
)


def superuser(server, statement):
    """Run a statement as the cluster's own administrator."""
    with psycopg.connect(EmbeddedPostgres(server.data_dir).administrator_url, autocommit=True) as connection:
        connection.execute(statement)


def until(holds, within_s=10):
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_with_durability_weakened_readyz_is_red_and_nothing_is_acknowledged(start_server):
    server = start_server()
    headers = server.bearer(server.add_device())
    assert httpx.post(f"{server.url}{READINGS}", json={"speed": 1}, headers=headers).status_code == 200

    for setting in ("fsync = off", "synchronous_commit = off"):
        name = setting.split()[0]
        superuser(server, f"ALTER SYSTEM SET {setting}")
        superuser(server, "SELECT pg_reload_conf()")
        until(lambda: httpx.get(f"{server.url}/readyz").status_code == 503)
        time.sleep(0.5)  # a session's settings are read again after a quarter of a second

        refused = httpx.post(f"{server.url}{READINGS}", json={"speed": 2}, headers=headers)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert name in refused.json()["detail"]
        assert name in httpx.get(f"{server.url}/readyz").text
        assert httpx.get(f"{server.url}/healthz").status_code == 200

        superuser(server, f"ALTER SYSTEM RESET {name}")
        superuser(server, "SELECT pg_reload_conf()")
        until(lambda: httpx.post(f"{server.url}{READINGS}", json={"speed": 3}, headers=headers).status_code == 200)
        until(lambda: httpx.get(f"{server.url}/readyz").status_code == 200)

    assert server.query("SELECT count(*) FROM fresh_reading WHERE channels::jsonb->>'speed' = '2'") == [(0,)]


def test_the_metrics_count_every_outcome_once_over_all_workers(start_server):
    server = start_server("--workers", "2")
    headers = server.bearer(server.add_device())
    batch = [
        {"time": 1_780_000_000, "n": 1},
        {"time": 1_780_000_000, "n": 1},
        {"time": 1, "n": []},
        {"time": "1999-01-01T00:00:00Z", "n": 1},
    ]
    for _ in range(10):
        httpx.post(f"{server.url}{READINGS}", json=batch, headers=headers).raise_for_status()

    def counted():
        text = httpx.get(f"{server.url}/metrics").text
        return {
            match[1]: float(match[2])
            for match in re.finditer(r'releve_readings_total\{outcome="(\w+)",transport="http"\} (\S+)', text)
        }

    expected = {"stored": 1, "duplicate": 19, "quarantined": 10, "refused": 10}
    until(lambda: counted() == expected)  # each worker knows its sibling's counts as of the last second
    until(lambda: "releve_workers 2.0" in httpx.get(f"{server.url}/metrics").text)


@pytest.fixture(scope="module")
def sine(server):
    """A device with a thousand readings, and a person who may read them."""
    device = server.add_device(team="Readers")
    batch = [
        {"time": 1_780_000_000 + n // 2, "id": str(n), "n": n, **({"even": True} if n % 2 == 0 else {})}
        for n in range(1000)
    ]
    httpx.post(f"{server.url}{READINGS}", json=batch, headers=server.bearer(device)).raise_for_status()
    [(device_id,)] = server.query("SELECT id FROM fleet_device WHERE name = %s", device["name"])
    client = httpx.Client(
        base_url=f"{server.url}/api/v1/devices/{device_id}",
        headers=server.bearer(server.add_account("viewer", team="Readers")),
    )
    yield client
    client.close()


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 7, 333, 1000])
def test_pages_hold_every_reading_once_in_order(sine, order, limit):
    found, cursor = [], None
    while len(found) < (1000 if limit > 1 else 5):
        page = sine.get(
            "/readings", params={"limit": limit, "order": order} | ({"cursor": cursor} if cursor else {})
        ).json()
        found += page["readings"]
        cursor = page["next"]
        if cursor is None:
            break

    keys = [(reading["time"], int(reading["id"])) for reading in found]
    assert keys == sorted(keys, reverse=order == "desc")
    assert len(set(keys)) == len(keys)
    if limit > 1:
        assert sorted(reading["channels"]["n"] for reading in found) == list(range(1000))


def test_a_span_and_channels_are_chosen_and_come_as_json_csv_or_ndjson(sine):
    asked = {"from": "2026-05-28T20:26:40Z", "to": "1780000010", "channels": "even"}

    as_json = sine.get("/readings", params=asked).json()["readings"]
    as_csv = list(csv.DictReader(io.StringIO(sine.get("/readings", params=asked, headers={"Accept": "text/csv"}).text)))
    as_lines = sine.get("/readings", params=asked, headers={"Accept": "application/x-ndjson"}).text.splitlines()

    assert [reading["channels"] for reading in as_json] == [{"even": True}] * 10
    assert [row["even"] for row in as_csv] == ["true"] * 10
    assert [row["time"] for row in as_csv] == [reading["time"] for reading in as_json]
    assert len(as_lines) == 10


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "yesterday"},
        {"limit": "0"},
        {"limit": "x"},
        {"order": "up"},
        {"cursor": "zzz"},
        {"colour": "red"},
        {"to": "5"},
    ],
)
def test_a_wrong_parameter_is_400_and_named(sine, asked):
    answer = sine.get("/readings", params=asked)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == next(iter(asked))


def test_the_hot_path_uses_no_orm_no_connection_per_request_and_no_further_thread(start_server):
    server = start_server(RELEVE_FOLLOW_RUNS_S="0")
    device = server.add_device("gym")
    headers = server.bearer(device)

    def send(n):
        body = {
            "machine_id": 1,
            "timestamp": f"2026-06-01T12:{n // 60 % 60:02}:{n % 60:02}",
            "acceleration_x": n,
            "acceleration_y": 0,
            "acceleration_z": 0,
            "repetitions": abs(n),
            "series_time": 0,
            "rest_time": 0,
        }
        return httpx.post(f"{server.url}/data", json=body, headers=headers, timeout=20).status_code

    with ThreadPoolExecutor(8) as senders:  # until both writers are connected
        while len(_writers(server)) < 2:
            list(senders.map(send, range(-8, 0)))
    threads = Path(f"/proc/{server.processes['worker-0']}/task")
    threads_before, writers_before = len(list(threads.iterdir())), _writers(server)
    [(began,)] = server.query("SELECT now()")
    [(sessions_before,)] = server.query(SESSIONS)

    with ThreadPoolExecutor(8) as senders:
        assert set(senders.map(send, range(1, 500))) == {200}

    assert _writers(server) == writers_before
    assert len(list(threads.iterdir())) == threads_before
    assert server.query(CONTROL_PLANE_SINCE, began) == [(0,)]
    [(sessions_after,)] = server.query(SESSIONS)
    assert sessions_after - sessions_before < 10  # this test's own looks


def _writers(server):
    return set(server.query("SELECT pid FROM pg_stat_activity WHERE starts_with(application_name, 'releve writer')"))
