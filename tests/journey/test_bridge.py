"""The bridge between a real Mosquitto with client certificates and a real server, with the broker killed in between."""

import contextlib
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from releve.ingest.bridge import credential
from releve.ingest.bridge.config import Broker, Topic

MOSQUITTO = "/usr/sbin/mosquitto"
RELEVE = (sys.executable, "-m", "releve")
WITHIN_S = 60
pytestmark = pytest.mark.skipif(not Path(MOSQUITTO).exists(), reason="no Mosquitto on this machine")


class Mosquitto:
    """A broker that takes clients with a certificate of its authority only, and keeps sessions over restarts."""

    def __init__(self, folder):
        self.folder = folder
        self.port = _free_port()
        _make_certificates(folder)
        (folder / "mosquitto.conf").write_text(
            f"user {'root' if os.geteuid() == 0 else 'nobody'}\nlistener {self.port} 127.0.0.1\n"
            f"cafile {folder}/ca.crt\ncertfile {folder}/server.crt\nkeyfile {folder}/server.key\n"
            "require_certificate true\nuse_identity_as_username true\nallow_anonymous true\n"
            f"persistence true\npersistence_location {folder}/\nautosave_interval 3600\nmax_queued_messages 0\n"
        )
        self.process = None
        self.start()

    def listen(self, *options):
        """One more plain listener, with settings of its own; its port."""
        self.end()
        port = _free_port()
        lines = (f"listener {port} 127.0.0.1", *options)
        with (self.folder / "mosquitto.conf").open("a") as configuration:
            configuration.writelines(f"{line}\n" for line in lines)
        self.start()
        return port

    def start(self):
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([MOSQUITTO, "-c", str(self.folder / "mosquitto.conf")], stderr=log)
        _until(self._listens, "Mosquitto does not listen")

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(20)

    def restart(self):
        """End it so that it writes down what it holds, and start it again."""
        self.end()
        self.start()

    def write_copy(self):
        """Have it write down what it holds, without stopping it."""
        copy = self.folder / "mosquitto.db"
        copy.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        _until(copy.exists, "Mosquitto writes no copy")

    def publish(self, messages):
        """Publish at QoS 1, in order; every message is the broker's when this returns."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.tls_set(f"{self.folder}/ca.crt", f"{self.folder}/client.crt", f"{self.folder}/client.key")
        client.max_inflight_messages = 1000
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        for sent in [client.publish(topic, payload, qos=1) for topic, payload in messages]:
            sent.wait_for_publish(WITHIN_S)
            assert sent.is_published()
        client.disconnect()
        client.loop_stop()

    def _listens(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


class BridgeProcess:
    """`releve bridge` as an operator starts it."""

    def __init__(self, server, config, log):
        self._server = server
        self._config = config
        self._log = log
        self.process = None

    def start(self):
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [*RELEVE, "bridge", "--config", str(self._config), "--data-dir", str(self._server.data_dir)],
                stderr=log,
                env={name: value for name, value in os.environ.items() if not name.startswith(("RELEVE_", "DATABASE"))},
            )
        _until(lambda: self.has_said("bridge is connected"), "the bridge does not connect", self)
        return self

    def has_said(self, text):
        assert self.process.poll() is None, self._log.read_text()
        return text in self._log.read_text()

    def said(self):
        return self._log.read_text()

    def end(self, number=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(30)


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
        "SELECT (channels ->> %s)::float FROM reading WHERE device_id = %s ORDER BY 1", channel, device["id"]
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
    _until(lambda: stored(server, car), "nothing arrives", running)
    mosquitto.restart()
    _until(lambda: running.said().count("bridge is connected") > 1, "the bridge does not come back", running)
    running.end(signal.SIGKILL)
    running.start()
    _until(lambda: len(stored(server, car)) >= count, "not all arrive", running)

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
    _until(lambda: len(stored(server, car)) > 100, "nothing arrives", running)
    mosquitto.end(signal.SIGKILL)
    mosquitto.start()
    _until(lambda: len(stored(server, car)) >= 2_000, "not all arrive", running)

    assert stored(server, car) == list(range(2_000))


def test_with_commits_paused_the_broker_still_holds_everything(server, mosquitto, bridge, team):
    car = server.add_device(team=team)
    running = bridge({"template": "cars/{device}/telemetry"}).start()
    with psycopg.connect(server.database_url) as paused:
        paused.execute("LOCK TABLE reading IN EXCLUSIVE MODE")
        mosquitto.publish((f"cars/{car['name']}/telemetry", json.dumps({"n": n})) for n in range(100))
        _until(lambda: _waits_for_lock(server), "the bridge does not commit", running)
        running.end(signal.SIGKILL)
        mosquitto.restart()
        assert not stored_now(paused, car)
    assert not stored(server, car)

    running.start()
    _until(lambda: len(stored(server, car)) >= 100, "not all arrive", running)

    assert stored(server, car) == list(range(100))


def test_a_broker_that_knows_no_window_is_left_unread_while_commits_are_paused(server, mosquitto, bridge, team):
    car = server.add_device(team=team)
    mosquitto.listen("max_inflight_messages 0")
    running = bridge({"template": "cars/{device}/telemetry"}, version="3.1.1", keep_alive_s=5, window=20).start()
    with psycopg.connect(server.database_url) as paused:
        paused.execute("LOCK TABLE reading IN EXCLUSIVE MODE")
        mosquitto.publish((f"cars/{car['name']}/telemetry", json.dumps({"n": n})) for n in range(1_000))
        # Nothing is read any more, not even PINGRESP: the link is given up, and made anew, for as long as that lasts.
        _until(lambda: running.has_said("Keep alive timeout"), "the bridge goes on reading", running)
        assert not stored_now(paused, car)
    _until(lambda: len(stored(server, car)) >= 1_000, "not all arrive", running)

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
        _until(lambda killed=killed: own.processes.get("postgres", killed) != killed, "PostgreSQL does not come back")
        own.wait_until_ready()
    _until(lambda: len(stored(own, car)) >= 1_500, "not all arrive", running)

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
    _until(lambda: len(stored(server, red) + stored(server, blue)) >= 40, "not all arrive", running)

    assert stored(server, red, "speed") == list(range(20))
    assert stored(server, blue, "battery") == list(range(100, 120))
    assert set(stored(server, red, "race")) == {7}


def test_a_race_that_was_said_once_is_known_after_a_restart(server, mosquitto, bridge, team):
    car = server.add_device("racing", team=team)
    running = bridge({"template": "esp32bis/#", "device": car["name"], "contract": "racing"}).start()
    mosquitto.publish([("esp32bis/race", "12.00")])
    _until(lambda: server.query("SELECT FROM topic_value WHERE device_id = %s", car["id"]), "no value", running)

    running.end(signal.SIGKILL)
    running.start()
    mosquitto.publish((f"esp32bis/{quantity}", "3") for quantity in ("speed", "distance", "battery"))
    _until(lambda: stored(server, car, "speed"), "no reading", running)

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
    _until(lambda: len(stored(server, car)) >= 2 and len(quarantined(server, team)) >= 3, "not all arrive", running)

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
    _until(lambda: len(quarantined(server, team)) == 3, "nothing is kept", running)

    car = server.json("device", "add", name, "--team", team)
    _until(lambda: len(stored(server, car)) == 3, "the messages do not find their device", running)

    assert stored(server, car) == [0, 1, 2]


def test_a_broker_is_bridged_over_websocket(server, mosquitto, bridge, team):
    car = server.add_device(team=team)
    port = mosquitto.listen("protocol websockets")
    plain = {"ca_file": None, "certificate_file": None, "key_file": None, "url": f"ws://127.0.0.1:{port}/mqtt"}
    running = bridge({"template": "cars/{device}/telemetry"}, **plain).start()

    mosquitto.publish((f"cars/{car['name']}/telemetry", json.dumps({"n": n})) for n in range(50))
    _until(lambda: len(stored(server, car)) >= 50, "not all arrive", running)

    assert stored(server, car) == list(range(50))


def test_a_server_with_a_configuration_runs_the_bridge_itself(start_server, mosquitto, team, tmp_path):
    config = tmp_path / "bridge.toml"
    config.write_text(configuration(mosquitto, team, [{"template": "$share/releve/fitbuddy/+", "device_field": "pi"}]))
    own = start_server(RELEVE_BRIDGE_CONFIG=str(config))
    pi = own.add_device(team=team)  # the bridge starts again and again until its team is there
    _until(lambda: "bridge is connected" in own.errors.read_text(), "the bridge does not connect")

    mosquitto.publish([("fitbuddy/sensors", json.dumps({"pi": pi["name"], "n": 1}))])
    _until(lambda: stored(own, pi), "nothing arrives")

    assert stored(own, pi) == [1]
    assert "bridge" in own.processes


def test_a_broker_on_the_https_port_hears_which_protocol_is_meant(tmp_path):
    _make_certificates(tmp_path)
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
    return connection.execute("SELECT count(*) FROM reading WHERE device_id = %s", [device["id"]]).fetchone()[0]


def _waits_for_lock(server):
    return server.query(
        "SELECT FROM pg_stat_activity WHERE application_name LIKE 'releve bridge%%' AND wait_event_type = 'Lock'"
    )


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _until(condition, complaint, bridge=None):
    deadline_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline_s, f"{complaint}: {bridge.said()[-3000:] if bridge else ''}"
        time.sleep(0.05)


def _make_certificates(folder):
    """An authority, a certificate for the broker and one for its clients."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S607

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        "req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test authority"
    )
    for name, extra in (("server", "subjectAltName=IP:127.0.0.1"), ("client", "extendedKeyUsage=clientAuth")):
        openssl("req", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(extra)
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", f"{name}.crt", "-days", "2", "-extfile", f"{name}.ext",
        )  # fmt: skip
