"""Readings are sealed while the server runs, by itself and by command, and whatever is killed none is lost."""

import contextlib
import os
import signal
import time

import psycopg
import pytest

from releve.storage import scan
from releve.storage.reader import ConnectionReader, each, now

WITHIN_S = 240
EVER = scan.EVER
DAYS_US = 86_400_000_000
# A reading a second for each of some devices; their identities are their own.
STORE = """
    INSERT INTO {table} (device_id, time, id, received, channels)
    SELECT device, {since} + place * interval '1 second', place, {since}, ('{{"speed":' || place || '}}'){cast}
    FROM generate_series(%s::int, %s::int) AS devices (device), generate_series(1, %s::int) AS places (place)
"""
DAY = "date_trunc('day', now()) - interval '{}'"
FRESH = STORE.format(table="fresh_reading", since=DAY.format("3 days"), cast="")
OLD = STORE.format(table="reading", since=DAY.format("60 hours"), cast="::jsonb")
LATELY = STORE.format(table="fresh_reading", since="now() - interval '30 minutes'", cast="")
PARTITIONS = (
    "SELECT releve_ensure_partition(now() - interval '3 days'), releve_ensure_partition(now() - interval '2 days')"
)


def execute(server, statement, *values):
    with psycopg.connect(server.database_url, autocommit=True) as connection:
        connection.execute(statement, values or None)


def speeds(server, device):
    with psycopg.connect(server.database_url) as connection:
        blocks = each(scan.blocks(ConnectionReader(connection), device, ["speed"], EVER))
        return [value for block in blocks for value in block.column("speed").values()]


def left(server):
    """Rows that are not sealed, in both tables."""
    return server.query("SELECT (SELECT count(*) FROM fresh_reading) + (SELECT count(*) FROM reading)")[0][0]


def test_the_commands_seal_verify_and_give_back_what_is_stored(start_server):
    server = start_server()
    device = server.add_device()
    execute(server, LATELY, device["id"], device["id"], 500)  # not an hour ago, so that nobody else seals them
    of_it = ("--device", device["name"])

    assert server.command("history", "seal", *of_it).stdout == f"{device['name']}: 500 readings sealed\n"
    assert server.command("history", "seal", "--all").stdout == "There was no reading to be sealed.\n"
    found = server.json("history", "status", *of_it)
    assert (found["fresh_readings"], found["sealed_readings"], found["segments"]) == (0, 500, 1)
    assert found["sealed_values"] == 1_500
    assert 0 < found["sealed_bytes"] < found["table_bytes"]
    assert found["devices"][0]["device"] == device["name"]
    assert "bytes a value" in server.command("doctor").stdout
    assert device["name"] in server.command("history", "status").stdout
    assert server.json("history", "verify") == {"segments": 1, "readings": 500, "faults": []}

    execute(server, "UPDATE segment_column SET content = content || '\\x00'::bytea WHERE name = 'speed'")
    damaged = server.command("history", "verify", *of_it)
    assert damaged.returncode == 1
    assert f"{device['name']}, segment 1: it cannot be read: Damaged: the checksum does not fit" in damaged.stdout
    assert "segment 1" in server.command("history", "unseal", *of_it).stderr
    execute(server, "UPDATE segment_column SET content = substr(content, 1, length(content) - 1) WHERE name = 'speed'")

    assert server.command("history", "unseal", *of_it).stdout == f"{device['name']}: 500 readings made rows again\n"
    assert speeds(server, device["id"]) == list(range(1, 501))
    for words in (("seal",), ("unseal",), ("seal", "--all", *of_it)):
        assert "say which: --device NAME, or --all" in server.command("history", *words).stderr
    assert "there is no device called nobody" in server.command("history", "status", "--device", "nobody").stderr

    server.stop()
    assert server.command("history", "seal", *of_it).returncode == 0
    assert server.command("history", "unseal", "--all", "--into-reading").returncode == 0
    found = server.json("history", "status")
    assert (found["fresh_readings"], found["old_readings"], found["sealed_readings"]) == (0, 500, 0)


@pytest.mark.slow
def test_background_work_that_is_killed_again_and_again_seals_every_reading_once(start_server):
    devices, n = 4, 6_000
    server = start_server()
    execute(server, PARTITIONS)
    execute(server, OLD, 1, devices, n)
    execute(server, FRESH, 1, devices, n)
    deadline_s = time.monotonic() + WITHIN_S

    for _ in range(2):
        before = left(server)
        while left(server) == before:
            assert time.monotonic() < deadline_s, server.errors.read_text()[-2000:]
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):  # it has just been started again
            os.kill(server.processes["maintenance"], signal.SIGKILL)
    while left(server):
        assert time.monotonic() < deadline_s, server.errors.read_text()[-2000:]
        time.sleep(0.2)

    assert [speeds(server, device) for device in range(1, devices + 1)] == [[*range(1, n + 1)] * 2] * devices
    with psycopg.connect(server.database_url) as connection:
        reader = ConnectionReader(connection)
        assert [now(scan.count(reader, device, EVER)) for device in range(1, devices + 1)] == [2 * n] * devices
    assert server.json("history", "verify")["faults"] == []
