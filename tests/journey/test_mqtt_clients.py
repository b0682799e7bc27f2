"""The clients that people have, unchanged: mosquitto_pub and mosquitto_sub, paho and aiomqtt, in both versions."""

import asyncio
import contextlib
import json
import queue
import secrets
import subprocess
import threading

import aiomqtt
import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from tests.journey.mqtt_client import eventually, port_of

MOSQUITTO = pytest.mark.needs("mosquitto-clients")
BOTH = pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
PAHO = pytest.mark.parametrize("protocol", [paho.MQTTv311, paho.MQTTv5])
WITHIN_S = 30


@pytest.fixture(scope="module")
def team():
    return f"Clients {secrets.token_hex(4)}"


@pytest.fixture(scope="module")
def editor(server, team):
    return server.bearer(server.add_account("editor", team=team))


@pytest.fixture
def device(server, team):
    return server.add_device(team=team)


@pytest.fixture
def command(server, device, editor):
    """Posts a command to the device, and shows what became of it."""
    url = f"{server.url}/api/v1/devices/{device['id']}/commands"

    def post(body):
        httpx.post(url, json={"command": body}, headers=editor).raise_for_status()

    post.shown = lambda: httpx.get(url, headers=editor).json()["data"]
    return post


def mosquitto(program, server, device, version, *arguments):
    """A command line as people type it."""
    sign_in = ("-u", device["name"], "-P", device["secret"])
    return [program, "-V", version, "-h", "127.0.0.1", "-p", str(port_of(server)), *sign_in, *arguments]


def ran(command, stdin=""):
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=WITHIN_S, check=False)


@contextlib.contextmanager
def running(command):
    """A client that runs beside the test; it is ended by then, or made to end."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def channels(server, device):
    rows = server.query(
        "SELECT channels::jsonb FROM fresh_reading WHERE device_id = %s ORDER BY received, id", device["id"]
    )
    return [row[0] for row in rows]


@MOSQUITTO
@BOTH
@pytest.mark.parametrize("qos", ["1", "2"])
def test_mosquitto_pub_sends_every_line_of_its_input(server, device, version, qos):
    lines = "".join(f'{{"n": {n}}}\n' for n in range(200))

    done = ran(
        mosquitto("mosquitto_pub", server, device, version, "-q", qos, "-t", f"releve/{device['name']}/readings", "-l"),
        stdin=lines,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(row["n"] for row in channels(server, device)) == list(range(200))


@MOSQUITTO
def test_mosquitto_pub_is_told_by_mqtt_5_that_a_reading_is_bad(server, device):
    own = f"releve/{device['name']}/readings"

    done = ran(mosquitto("mosquitto_pub", server, device, "mqttv5", "-q", "1", "-t", own, "-m", "no JSON"))

    assert "Payload format invalid" in done.stdout + done.stderr
    assert channels(server, device) == []


@MOSQUITTO
@BOTH
def test_mosquitto_pub_is_refused_with_a_wrong_secret(server, device, version):
    wrong = {**device, "secret": "wrong"}

    done = ran(mosquitto("mosquitto_pub", server, wrong, version, "-t", "fitbuddy/sensors", "-m", "{}"))

    assert done.returncode != 0
    assert "bad user name or password" in done.stderr.lower()


@MOSQUITTO
@BOTH
def test_mosquitto_sub_hears_a_command_that_waited_and_one_while_it_listens(server, device, command, version):
    command({"led": "on"})
    listening = mosquitto(
        "mosquitto_sub", server, device, version, "-q", "1", "-t", f"releve/{device['name']}/commands", "-C", "2"
    )
    with running(listening) as client:
        first = json.loads(client.stdout.readline())
        command({"led": "off"})
        second = json.loads(client.stdout.readline())
        assert client.wait(WITHIN_S) == 0

    assert [first["command"], second["command"]] == [{"led": "on"}, {"led": "off"}]
    answer = json.dumps({"id": first["id"], "led": "is on"})
    done = ran(
        mosquitto("mosquitto_pub", server, device, version, "-q", "1", "-t", first["answer_topic"], "-m", answer)
    )
    assert done.returncode == 0
    shown = {row["id"]: row for row in command.shown()}
    assert (shown[first["id"]]["state"], shown[first["id"]]["answer"]["led"]) == ("answered", "is on")


@MOSQUITTO
@BOTH
def test_mosquitto_sub_hears_the_retained_configuration(server, device, editor, version):
    url = f"{server.url}/api/v1/devices/{device['id']}/config"
    httpx.put(url, json={"rate": 5}, headers=editor).raise_for_status()
    topic = f"releve/{device['name']}/config"

    done = ran(
        mosquitto("mosquitto_sub", server, device, version, "-t", topic, "--retained-only", "-C", "1", "-W", "20")
    )

    assert (done.returncode, json.loads(done.stdout)) == (0, {"rate": 5})


@MOSQUITTO
@BOTH
def test_mosquitto_sub_hears_what_a_team_sends_live(server, device, editor, version):
    given = httpx.post(f"{server.url}/api/v1/mqtt/token", headers=editor).json()
    watcher = {"name": given["username"], "secret": given["token"]}
    (filter_,) = given["topics"]["subscribe"]
    own = f"releve/{device['name']}/readings"
    with running(mosquitto("mosquitto_sub", server, watcher, version, "-t", filter_, "-F", "%t %p")) as client:
        heard = queue.Queue()
        reader = threading.Thread(target=lambda: heard.put(client.stdout.readline()))
        reader.start()
        sender = mosquitto("mosquitto_pub", server, device, version, "-q", "1", "-t", own, "-m", '{"speed": 12.5}')
        # Until the worker at which it listens has asked the other one for commits, about once a second.
        assert eventually(lambda: ran(sender).returncode == 0 and not heard.empty())
        reader.join()

    topic, _, payload = heard.get().partition(" ")
    assert topic == filter_.replace("#", device["name"])
    assert json.loads(payload)["channels"] == {"speed": 12.5}


@PAHO
def test_paho_keeps_its_session_and_hears_what_was_said_meanwhile(server, device, command, protocol):
    heard = queue.Queue()
    granted = queue.Queue()

    def connected(session):
        kept = {"clean_session": False} if protocol == paho.MQTTv311 else {}
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"paho-{device['name']}", protocol=protocol, **kept)
        client.username_pw_set(device["name"], device["secret"])
        client.on_message = lambda _c, _d, message: heard.put(json.loads(message.payload)["command"])
        client.on_subscribe = lambda _c, _d, _m, codes, _p: granted.put(codes[0].value)
        client.on_connect = lambda _c, _d, flags, _r, _p: session.put(flags.session_present)
        options = {}
        if protocol == paho.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 300
            options = {"clean_start": False, "properties": properties}
        client.connect("127.0.0.1", port_of(server), **options)
        client.loop_start()
        return client

    present = queue.Queue()
    first = connected(present)
    assert present.get(timeout=WITHIN_S) is False
    first.subscribe(f"releve/{device['name']}/commands", qos=1)
    assert granted.get(timeout=WITHIN_S) == 1
    command(1)
    assert heard.get(timeout=WITHIN_S) == 1
    assert eventually(lambda: command.shown()[0]["state"] == "delivered")
    first.disconnect()
    first.loop_stop()
    links = "SELECT FROM device_link WHERE client_id = %s AND ended IS NULL"
    assert eventually(lambda: not server.query(links, f"paho-{device['name']}"))

    command(2)
    again = connected(present)

    assert present.get(timeout=WITHIN_S) is True
    assert heard.get(timeout=WITHIN_S) == 2
    again.disconnect()
    again.loop_stop()


@pytest.mark.parametrize("protocol", [aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5])
async def test_aiomqtt_hears_commands_answers_them_and_publishes(server, device, command, protocol):
    command({"led": "on"})
    async with aiomqtt.Client(
        "127.0.0.1", port_of(server), username=device["name"], password=device["secret"], protocol=protocol, timeout=20
    ) as client:
        await client.subscribe(f"releve/{device['name']}/commands", qos=1)
        message = await asyncio.wait_for(anext(aiter(client.messages)), WITHIN_S)
        document = json.loads(message.payload)
        await client.publish(document["answer_topic"], json.dumps({"id": document["id"], "done": True}), qos=1)
        for qos in (0, 1, 2):
            await client.publish(f"releve/{device['name']}/readings", json.dumps({"qos": qos}), qos=qos)

    assert document["command"] == {"led": "on"}
    assert command.shown()[0]["state"] == "answered"
    assert eventually(lambda: sorted(row["qos"] for row in channels(server, device)) == [0, 1, 2])
