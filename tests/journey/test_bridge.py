"""The bridge between a real Mosquitto with client certificates and a real server, with the broker killed in between."""

import contextlib
import json
import os
import secrets
import signal
import ssl
import time

import psycopg
import pytest
import requests
from tests.journey.bridge_broker import BridgeProcess, Mosquitto, make_certificates, until
from websockets.sync.client import connect

from releve.ingest.bridge import credential
from releve.ingest.bridge.config import Broker, Topic

pytestmark = pytest.mark.needs("mosquitto")


@pytest.fixture
def mosquitto(tmp_path):
    broker = Mosquitto(tmp_path)
    yield broker
    broker.end()


@pytest.fixture
def team():
    return f"Team {secrets.token_hex(4)}"


@pytest.fixture
def bridge(server, mosquitto, team, tmp_path):
    """Makes a bridge for topics; it is ended after the test."""
    made = []

    def make(*topics, on=None, **settings):
        config = tmp_path / "bridge.toml"
        config.write_text(configuration(mosquitto, team, topics, **settings))
        made.append(BridgeProcess(on or server, config, tmp_path / "bridge.log"))
        return made[-1]

    yield make
    for each in made:
        each.end()


def configuration(mosquitto, team, topics, **settings):
    values = {
        "name": f"bench-{secrets.token_hex(3)}",
        "url": f"mqtts://127.0.0.1:{mosquitto.port}",
        "team": team,
        "ca_file": "ca.crt",
        "certificate_file": "client.crt",
        "key_file": "client.key",
        **settings,
    }
    lines = ["[[broker]]", *(f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None)]
    for topic in topics:
        lines += ["[[broker.topic]]", *(f"{key} = {json.dumps(value)}" for key, value in topic.items())]
    return "\n".join(lines)


def stored(server, device, channel="n"):
    """The values of a channel that are stored for a device, in order, repeats included."""
    return [row[0] for row in server.query(
        "SELECT (channels::jsonb ->> %s)::float FROM fresh_reading WHERE device_id = %s ORDER BY 1",
        channel,
        device["id"],
    )]  # fmt: skip


def quarantined(server, team):
    """Device and payload of everything that came through the bridge and is kept aside in the team."""
    return server.query(
        "SELECT device.name, convert_from(payload, 'UTF8') FROM quarantine"
        " JOIN fleet_device AS device ON device.id = device_id JOIN teams_team AS team ON team.id = team_id"
        " WHERE team.name = %s AND transport = 'bridge'",
        team,
    )


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_every_message_that_a_restarted_broker_still_holds_arrives_once(server, mosquitto, bridge, team, version):
    car = server.add_device(team=team)
    running = bridge({"template": "cars/{device}/telemetry"}, version=version).start()
    running.end()
    count = 3_000
    # Without a time of their own: a repeat would be another reading if the redelivery were not recognised.
    mosquitto.publish((f"cars/{car['name']}/telemetry", json.dumps({"n": n})) for n in range(count))

    running.start()
    until(lambda: stored(server, car), "nothing arrives", running)
    mosquitto.restart()
    until(lambda: running.said().count("bridge is connected") > 1, "the bridge does not come back", running)
    running.end(signal.SIGKILL)
    running.start()
    until(lambda: len(stored(server, car)) >= count, "not all arrive", running)

    assert stored(server, car) == list(range(count))


def test_what_a_killed_broker_sends_again_from_its_last_copy_is_stored_once(server, mosquitto, bridge, team):
    car = server.add_device(team=team)
    running = bridge({"template": "cars/{device}/telemetry"}).start()
    running.end()
    now_ms = time.time_ns() // 1_000_000
    messages = [{"n": n, "time": now_ms + n} for n in range(2_000)]
    mosquitto.publish((f"cars/{car['name']}/telemetry", json.dumps(message)) for message in messages)
    mosquitto.write_copy()

    running.start()
    until(lambda: len(stored(server, car)) > 100, "nothing arrives", running)
    mosquitto.end(signal.SIGKILL)
    mosquitto.start()
    until(lambda: len(stored(server, car)) >= 2_000, "not all arrive", running)

    assert stored(server, car) == list(range(2_000))


def test_with_commits_paused_the_broker_still_holds_everything(server, mosquitto, bridge, team):
    car = server.add_device(team=team)
    running = bridge({"template": "cars/{device}/telemetry"}).start()
    with psycopg.connect(server.database_url) as paused:
        paused.execute("LOCK TABLE fresh_reading IN EXCLUSIVE MODE")
        mosquitto.publish((f"cars/{car['name']}/telemetry", json.dumps({"n": n})) for n in range(100))
        until(lambda: _waits_for_lock(server), "the bridge does not commit", running)
        running.end(signal.SIGKILL)
        mosquitto.restart()
        assert not stored_now(paused, car)
    # One alone in its group was whole with PostgreSQL when the bridge was killed; nobody heard that it is stored.
    assert stored(server, car) in ([], [0])

    running.start()
    until(lambda: len(stored(server, car)) >= 100, "not all arrive", running)

    assert stored(server, car) == list(range(100))


def test_a_broker_that_knows_no_window_is_left_unread_while_commits_are_paused(server, mosquitto, bridge, team):
    car = server.add_device(team=team)
    mosquitto.listen("max_inflight_messages 0")
    running = bridge({"template": "cars/{device}/telemetry"}, version="3.1.1", keep_alive_s=5, window=20).start()
    with psycopg.connect(server.database_url) as paused:
        paused.execute("LOCK TABLE fresh_reading IN EXCLUSIVE MODE")
        mosquitto.publish((f"cars/{car['name']}/telemetry", json.dumps({"n": n})) for n in range(1_000))
        # Nothing is read any more, not even PINGRESP: the link is given up, and made anew, for as long as that lasts.
        until(lambda: running.has_said("Keep alive timeout"), "the bridge goes on reading", running)
        assert not stored_now(paused, car)
    until(lambda: len(stored(server, car)) >= 1_000, "not all arrive", running)

    assert stored(server, car) == list(range(1_000))


def test_with_the_database_killed_nothing_is_lost_and_nothing_comes_twice(start_server, mosquitto, bridge, team):
    own = start_server()
    car = own.add_device(team=team)
    running = bridge({"template": "cars/{device}/telemetry"}, on=own).start()

    mosquitto.publish((f"cars/{car['name']}/telemetry", json.dumps({"n": n})) for n in range(500))
    for began in (500, 1_000):
        killed = own.processes["postgres"]
        os.kill(killed, signal.SIGKILL)
        mosquitto.publish((f"cars/{car['name']}/telemetry", json.dumps({"n": began + n})) for n in range(500))
        until(lambda killed=killed: own.processes.get("postgres", killed) != killed, "PostgreSQL does not come back")
        own.wait_until_ready()
    until(lambda: len(stored(own, car)) >= 1_500, "not all arrive", running)

    assert stored(own, car) == list(range(1_500))


def test_two_cars_of_plain_text_topics_never_mix(server, mosquitto, bridge, team):
    red, blue = (server.add_device("racing", team=team) for _ in range(2))
    running = bridge({"template": "esp32bis/{device}/{quantity}"}).start()
    messages = [(f"esp32bis/{car['name']}/race", race) for car, race in ((red, "7.00"), (blue, "8"))]
    for n in range(20):
        for quantity in ("speed", "distance", "battery"):
            messages += [
                (f"esp32bis/{car['name']}/{quantity}", str(n + extra)) for car, extra in ((red, 0), (blue, 100))
            ]

    mosquitto.publish(messages)
    until(lambda: len(stored(server, red) + stored(server, blue)) >= 40, "not all arrive", running)

    assert stored(server, red, "speed") == list(range(20))
    assert stored(server, blue, "battery") == list(range(100, 120))
    assert set(stored(server, red, "race")) == {7}


def test_a_race_that_waits_is_the_cars_that_drives_it_through_a_broker(server, mosquitto, bridge, team):
    car = server.add_device("racing", team=team)
    editor = server.bearer(server.add_account("editor", team=team))
    vehicle = requests.post(f"{server.url}/vehicle", json={"name": "Car"}, headers=editor, timeout=30).json()["data"]
    body = {"vehicle_id": vehicle["id"], "name": "Final"}
    race = requests.post(f"{server.url}/race", json=body, headers=editor, timeout=30).json()["data"]["id"]
    running = bridge({"template": "esp32bis/{device}/{quantity}"}).start()
    sample = (("speed", "3"), ("distance", "4"), ("battery", "5"), ("race", str(race)))

    mosquitto.publish((f"esp32bis/{car['name']}/{quantity}", text) for quantity, text in sample)
    until(lambda: stored(server, car, "race") == [race], "the sample does not arrive", running)

    assert server.query("SELECT device_id FROM runs_run WHERE id = %s", race) == [(car["id"],)]


def test_through_a_broker_too_a_value_is_told_only_once_the_sample_that_it_completes_is_stored(
    server, mosquitto, bridge, team
):
    car, other = (server.add_device("racing", team=team) for _ in range(2))
    running = bridge({"template": "esp32bis/{device}/{quantity}"}).start()
    mosquitto.publish((f"esp32bis/{car['name']}/{quantity}", "1") for quantity in ("race", "distance", "battery"))
    until(lambda: len(_told(server, car)) == 3, "the values do not arrive", running)
    with psycopg.connect(server.database_url) as paused:
        paused.execute("LOCK TABLE fresh_reading IN EXCLUSIVE MODE")
        mosquitto.publish([(f"esp32bis/{car['name']}/speed", "12.5")])
        until(lambda: _waits_for_lock(server), "the bridge does not commit", running)
        mosquitto.publish([(f"esp32bis/{other['name']}/speed", "3")])  # has no sample to wait for
        until(lambda: _told(server, other) == {"speed"}, "the other car's value does not arrive", running)
        assert _told(server, car) == {"race", "distance", "battery"}

    until(lambda: "speed" in _told(server, car), "the value is not told", running)
    assert stored(server, car, "speed") == [12.5]


def test_what_a_car_says_through_a_broker_is_shown_on_a_live_page(server, mosquitto, bridge, team):
    car = server.add_device("racing", team=team)
    headers = server.bearer(server.add_account("viewer", team=team))
    bridge({"template": "esp32bis/{device}/{quantity}"}).start()
    topic = f"esp32bis/{car['name']}/speed"

    with connect(f"ws{server.url.removeprefix('http')}/live/ws", additional_headers=headers) as page:
        for _ in range(30):  # until the bridge knows that somebody watches
            mosquitto.publish([(topic, "12.3")])
            with contextlib.suppress(TimeoutError):
                shown = page.recv(1)
                break

    assert json.loads(shown) == {"topic": topic, "message": "12.3"}


def test_a_race_that_was_said_once_is_known_after_a_restart(server, mosquitto, bridge, team):
    car = server.add_device("racing", team=team)
    running = bridge({"template": "esp32bis/#", "device": car["name"], "contract": "racing"}).start()
    mosquitto.publish([("esp32bis/race", "12.00")])
    until(lambda: server.query("SELECT FROM topic_value WHERE device_id = %s", car["id"]), "no value", running)

    running.end(signal.SIGKILL)
    running.start()
    mosquitto.publish((f"esp32bis/{quantity}", "3") for quantity in ("speed", "distance", "battery"))
    until(lambda: stored(server, car, "speed"), "no reading", running)

    assert stored(server, car, "race") == [12]


def test_a_bad_message_and_an_unknown_device_are_kept_and_their_neighbours_stored(server, mosquitto, bridge, team):
    car = server.add_device(team=team)
    foreign = server.add_device(team=f"{team} of others")
    running = bridge({"template": "cars/{device}/telemetry"}).start()

    mosquitto.publish([
        (f"cars/{car['name']}/telemetry", '{"n": 1}'),
        (f"cars/{car['name']}/telemetry", "no JSON"),
        ("cars/nobody/telemetry", '{"n": 2}'),
        (f"cars/{foreign['name']}/telemetry", '{"n": 3}'),
        (f"cars/{car['name']}/telemetry", '{"n": 4}'),
    ])  # fmt: skip
    until(lambda: len(stored(server, car)) >= 2 and len(quarantined(server, team)) >= 3, "not all arrive", running)

    assert stored(server, car) == [1, 4]
    assert stored(server, foreign) == []
    kept = quarantined(server, team)
    assert [payload for name, payload in kept if name == car["name"]] == ["no JSON"]
    strays = [json.loads(payload) for name, payload in kept if name.startswith("bridge:")]
    assert sorted(stray["payload"] for stray in strays) == ['{"n": 2}', '{"n": 3}']
    assert {stray["device"] for stray in strays} == {"nobody", foreign["name"]}
    assert running.said().count("messages are kept in quarantine") == 2


def test_messages_of_a_device_that_is_added_later_find_it(server, mosquitto, bridge, team):
    server.add_device(team=team)
    running = bridge({"template": "cars/{device}/telemetry"}).start()
    name = f"late-{secrets.token_hex(4)}"
    mosquitto.publish((f"cars/{name}/telemetry", json.dumps({"n": n})) for n in range(3))
    until(lambda: len(quarantined(server, team)) == 3, "nothing is kept", running)

    car = server.json("device", "add", name, "--team", team)
    until(lambda: len(stored(server, car)) == 3, "the messages do not find their device", running)

    assert stored(server, car) == [0, 1, 2]


def test_a_broker_is_bridged_over_websocket(server, mosquitto, bridge, team):
    car = server.add_device(team=team)
    port = mosquitto.listen("protocol websockets")
    plain = {"ca_file": None, "certificate_file": None, "key_file": None, "url": f"ws://127.0.0.1:{port}/mqtt"}
    running = bridge({"template": "cars/{device}/telemetry"}, **plain).start()

    mosquitto.publish((f"cars/{car['name']}/telemetry", json.dumps({"n": n})) for n in range(50))
    until(lambda: len(stored(server, car)) >= 50, "not all arrive", running)

    assert stored(server, car) == list(range(50))


def test_a_server_with_a_configuration_runs_the_bridge_itself(start_server, mosquitto, team, tmp_path):
    config = tmp_path / "bridge.toml"
    config.write_text(configuration(mosquitto, team, [{"template": "$share/releve/fitbuddy/+", "device_field": "pi"}]))
    own = start_server(RELEVE_BRIDGE_CONFIG=str(config))
    pi = own.add_device(team=team)  # the bridge starts again and again until its team is there
    until(lambda: "bridge is connected" in own.errors.read_text(), "the bridge does not connect")

    mosquitto.publish([("fitbuddy/sensors", json.dumps({"pi": pi["name"], "n": 1}))])
    until(lambda: stored(own, pi), "nothing arrives")

    assert stored(own, pi) == [1]
    assert "bridge" in own.processes


def test_a_broker_on_the_https_port_hears_which_protocol_is_meant(tmp_path):
    make_certificates(tmp_path)
    here = {key: str(tmp_path / name) for key, name in (("ca_file", "ca.crt"), ("certificate_file", "client.crt"))}
    broker = Broker(
        name="aws", url="mqtts://127.0.0.1:443", team="Home", topic=[Topic(template="a", device="b")],
        alpn=["x-amzn-mqtt-ca"], key_file=str(tmp_path / "client.key"), **here,
    )  # fmt: skip
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=here["ca_file"])
    server.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    server.verify_mode = ssl.CERT_REQUIRED
    server.set_alpn_protocols(["http/1.1", "x-amzn-mqtt-ca"])

    near, far = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = credential.tls(broker).wrap_bio(far, near, server_hostname="127.0.0.1")
    theirs = server.wrap_bio(near, far, server_side=True)
    for side in (ours, theirs, ours, theirs):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()

    assert theirs.selected_alpn_protocol() == "x-amzn-mqtt-ca"
    assert theirs.getpeercert()["subject"] == ((("commonName", "client"),),)


def stored_now(connection, device):
    return connection.execute("SELECT count(*) FROM fresh_reading WHERE device_id = %s", [device["id"]]).fetchone()[0]


def _told(server, car):
    """The quantities of which the last value of a car is known."""
    rows = server.query("SELECT topic FROM topic_value WHERE device_id = %s", car["id"])
    return {topic.rpartition("/")[2] for (topic,) in rows}


def _waits_for_lock(server):
    return server.query(
        "SELECT FROM pg_stat_activity WHERE application_name LIKE 'releve bridge%%' AND wait_event_type = 'Lock'"
    )
