"""`releve simulate` against a real server: every kind over HTTP and over MQTT, and what is acknowledged is stored."""

import json
import signal
import subprocess
import sys
import threading

import httpx
import pytest
from tests.journey.mqtt_client import eventually

KINDS = ("gym", "racing", "profilometre")
CONTRACT_B = "racing"


@pytest.fixture(scope="module", autouse=True)
def editor(server):
    """Somebody who may add vehicles to the default team."""
    return server.add_account("editor")


def simulator(server, kind, number=1):
    return f"simulator-{kind}-{number}"


def count(server, kind):
    return server.query(
        "SELECT count(*) FROM fresh_reading JOIN fleet_device ON fleet_device.id = device_id WHERE name LIKE %s",
        f"simulator-{kind}-%",
    )[0][0]


@pytest.mark.parametrize("transport", ["http", "mqtt"])
@pytest.mark.parametrize("kind", KINDS)
def test_simulated_devices_log_in_and_everything_they_send_is_stored(server, kind, transport):
    before = count(server, kind)

    summary = server.json(
        "simulate", kind, "--transport", transport, "--rate", "30", "--seconds", "2", "--devices", "3"
    )

    assert summary["kind"] == kind
    assert summary["sent"] == summary["stored"] >= 30
    assert (summary["failed"], summary["duplicate"], summary["quarantined"]) == (0, 0, 0)
    assert 0 < summary["p50_ms"] <= summary["p99_ms"]
    assert count(server, kind) - before == summary["stored"]
    messages = 5 if (kind, transport) == (CONTRACT_B, "mqtt") else 1
    assert summary["acknowledged"] == messages * summary["stored"]


@pytest.mark.parametrize("transport", ["http", "mqtt"])
def test_a_simulation_tells_how_it_goes_and_ends_with_a_summary(server, transport):
    done = server.command("simulate", "racing", "--transport", transport, "--rate", "20", "--seconds", "2")

    assert done.returncode == 0
    assert "sent" in done.stderr
    assert done.stdout.startswith("racing: sent ")
    assert "p99" in done.stdout


def test_cars_over_http_drive_races_that_somebody_opened(server, editor):
    summary = server.json(
        "simulate", "racing", "--as", editor["email"], "--rate", "20", "--seconds", "1", "--devices", "2"
    )

    bearer = server.bearer(editor)
    names = [row["name"] for row in httpx.get(f"{server.url}/vehicles", headers=bearer).json()["data"]]
    assert [names.count(simulator(server, "racing", number)) for number in (1, 2)] == [1, 1]
    rows = server.query(
        "SELECT count(*) FROM fresh_reading AS reading JOIN runs_run AS race ON race.device_id = reading.device_id"
        " AND reading.channels::jsonb ->> 'race' = race.id::text JOIN fleet_asset ON fleet_asset.id = race.asset_id"
        " WHERE fleet_asset.name LIKE 'simulator-racing-%%'"
    )
    assert rows[0][0] >= summary["stored"]


def test_a_race_over_mqtt_ends_with_its_simulation(server):
    server.json("simulate", "racing", "--transport", "mqtt", "--rate", "20", "--seconds", "1", "--devices", "1")

    last = "SELECT payload FROM topic_value JOIN fleet_device ON id = device_id WHERE name = %s AND topic LIKE %s"
    assert server.query(last, simulator(server, "racing"), "%/race") == [("false",)]


def test_a_simulation_over_mqtt_needs_no_mqtt_port(server):
    summary = server.json(
        "simulate", "gym", "--transport", "mqtt", "--url", server.url, "--rate", "20", "--seconds", "1"
    )

    assert summary["sent"] == summary["stored"] >= 10


def test_a_simulation_over_mqtt_outlives_the_server_and_sends_again_what_was_not_acknowledged(start_server, free_port):
    port = str(free_port())
    own = start_server("--mqtt-port", port)
    arguments = ("simulate", "gym", "--transport", "mqtt", "--rate", "20", "--seconds", "0", "--json")
    process = subprocess.Popen(
        [sys.executable, "-m", "releve", *arguments, "--data-dir", str(own.data_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    assert eventually(lambda: count(own, "gym") > 10)

    own.stop(signal.SIGKILL)
    again = start_server("--mqtt-port", port, data_dir=own.data_dir)
    before = count(again, "gym")
    assert eventually(lambda: count(again, "gym") > before + 10)
    process.send_signal(signal.SIGINT)
    summary = json.loads(process.communicate()[0])
    watchdog.cancel()

    assert summary["failed"] == 0
    assert count(again, "gym") == summary["stored"] == summary["sent"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("gym", "--url", "http://127.0.0.1:9"), "does not answer"),
        (("gym", "--transport", "mqtt", "--url", "mqtt://127.0.0.1:9"), "does not answer"),
        (("gym", "--transport", "mqtt", "--url", "amqp://127.0.0.1:9"), "no address of MQTT"),
        (("racing", "--as", "nobody@example.com"), "nobody@example.com may not add vehicles"),
    ],
)
def test_a_simulation_that_cannot_begin_says_why(server, arguments, says):
    done = server.command("simulate", *arguments, "--seconds", "1")

    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_without_anybody_who_may_open_races_it_says_what_to_do(start_server):
    own = start_server()

    done = own.command("simulate", "racing", "--seconds", "1")

    assert done.returncode == 1
    assert "releve account add" in done.stderr
    assert "--transport mqtt" in done.stderr
