"""Promise P2 across the seal under fire: the ingest process is killed between the steps of a late commit."""

import json
import os
import signal
import time
from threading import Thread

import httpx
import psycopg
import pytest

from releve.history import pivot
from releve.history.block import Row
from releve.storage import segments
from releve.storage.reader import ConnectionReader, now

JUNE_MS = 1_780_315_200_000
WITHIN_S = 60
LATE = [{"time": JUNE_MS + place, "n": place} for place in range(20)]
SEALED = 10
ROWS = """
    SELECT (extract(epoch FROM time) * 1000000)::bigint, id, (extract(epoch FROM received) * 1000000)::bigint, channels, sent
    FROM fresh_reading WHERE device_id = %s ORDER BY time, id
"""  # noqa: E501
AWAITED = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'releve writer%%'"
STEPS = {
    "before it looks": "SELECT pg_advisory_xact_lock(1380273496, {device})",
    "before it stores": "LOCK TABLE fresh_reading IN EXCLUSIVE MODE",
}


def until(holds):
    deadline_s = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def send(server, headers, readings):
    return httpx.post(f"{server.url}/api/v1/readings", content=json.dumps(readings), headers=headers, timeout=60)


def lose(server, headers):
    """Send what gets no answer."""
    with pytest.raises(httpx.HTTPError):
        send(server, headers, LATE).raise_for_status()


def seal(connection, device_id):
    """What the sealer does with a device."""
    reader = ConnectionReader(connection)
    now(segments.lock(reader, [device_id]))
    rows = connection.execute(ROWS, [device_id]).fetchall()
    block = pivot.block_of([Row(*own, channels.encode(), sent) for *own, channels, sent in rows])
    now(segments.add(reader, device_id, block))
    connection.execute("DELETE FROM fresh_reading WHERE device_id = %s", [device_id])


def test_late_readings_of_a_sealed_stretch_are_stored_once_when_the_ingest_process_is_killed_at_any_step(start_server):
    server = start_server("--workers", "1")
    for step in STEPS.values():
        device = server.add_device()
        headers = server.bearer(device)
        assert send(server, headers, LATE[:SEALED]).json()["stored"] == SEALED
        with psycopg.connect(server.database_url) as connection:
            seal(connection, device["id"])
        with psycopg.connect(server.database_url) as holder:
            holder.execute(step.format(device=device["id"]))
            sending = Thread(target=lose, args=(server, headers))
            sending.start()
            until(lambda: server.query(AWAITED))
            killed = server.processes["worker-0"]
            os.kill(killed, signal.SIGKILL)
            sending.join()
            until(lambda killed=killed: server.processes.get("worker-0") not in (None, killed))
        server.wait_until_ready(WITHIN_S)

        first, again = send(server, headers, LATE).json(), send(server, headers, LATE).json()

        assert (first["stored"], first["duplicate"]) == (len(LATE) - SEALED, SEALED)
        assert (again["stored"], again["duplicate"]) == (0, len(LATE))
        assert server.query("SELECT count(*) FROM fresh_reading WHERE device_id = %s", device["id"]) == [(10,)]
