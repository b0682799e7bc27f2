"""MQTT tokens with a real client: a password over every wire, for its own topics, as long as the sign-in stands."""

import json
import queue
import secrets
from urllib.parse import urlsplit

import httpx
import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from tests.journey.mqtt_client import V5, Raw, eventually


@pytest.fixture
def team():
    return f"Tokens {secrets.token_hex(4)}"


def issued(server, signing_in):
    reply = httpx.post(f"{server.url}/api/v1/mqtt/token", headers=server.bearer(signing_in))
    assert reply.status_code == 200, reply.text
    return reply.json()


class Paho:
    """A paho client that connects as the token's answer says."""

    def __init__(self, given, *, transport="tcp", protocol=mqtt.MQTTv5):
        self.heard, self.answers, self.ends = queue.Queue(), queue.Queue(), queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=protocol, transport=transport)
        self.client.username_pw_set(given["username"], given["token"])
        self.client.on_connect = lambda _c, _d, _f, code, _p: self.answers.put(code)
        self.client.on_subscribe = lambda _c, _d, _m, codes, _p: self.answers.put(codes[0])
        self.client.on_publish = lambda _c, _d, _m, code, _p: self.answers.put(code)
        self.client.on_message = lambda _c, _d, message: self.heard.put(message)
        self.client.on_disconnect = lambda _c, _d, _f, code, _p: self.ends.put(code)
        address = urlsplit(given["websocket"])
        if transport == "websockets":
            self.client.ws_set_options(path=address.path)
        self.client.connect(given["host"], given["port"] if transport == "tcp" else address.port)
        self.client.loop_start()

    def __enter__(self):
        assert not self.answer().is_failure
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()

    def answer(self):
        return self.answers.get(timeout=20)

    def subscribe(self, topic_filter):
        self.client.subscribe(topic_filter, qos=1)
        return self.answer()

    def publish(self, topic, document):
        self.client.publish(topic, json.dumps(document), qos=1)
        return self.answer()


@pytest.mark.parametrize("transport", ["tcp", "websockets"])
@pytest.mark.parametrize("protocol", [mqtt.MQTTv311, mqtt.MQTTv5])
def test_a_devices_token_is_its_password_for_its_own_readings(server, transport, protocol):
    device = server.add_device()
    with Paho(issued(server, device), transport=transport, protocol=protocol) as client:
        assert not client.publish(f"releve/{device['name']}/readings", {"n": 1}).is_failure

    assert server.query("SELECT channels::jsonb FROM fresh_reading WHERE device_id = %s", device["id"]) == [({"n": 1},)]


def test_a_devices_token_publishes_for_no_other_device_and_hears_nothing_live(server):
    device, other = server.add_device(), server.add_device()
    with Paho(issued(server, device)) as client:
        assert client.publish(f"releve/{other['name']}/readings", {"n": 1}).value == 0x87
        assert client.subscribe(f"releve/{device['name']}/live/#").value == 0x87
        assert client.subscribe(f"releve/{other['name']}/commands").value == 0x87
        assert client.subscribe(f"releve/{device['name']}/commands").value == 1

    assert server.query("SELECT FROM fresh_reading WHERE device_id = %s", other["id"]) == []


def test_a_viewers_token_hears_its_teams_live_readings_and_does_nothing_else(server, team):
    device, foreign = server.add_device(team=team), server.add_device()
    viewer = server.add_account("viewer", team=team)
    given = issued(server, viewer)
    ((foreign_team,),) = server.query("SELECT team_id FROM fleet_device WHERE id = %s", foreign["id"])
    with Paho(given) as client:
        for topic_filter in (
            "#",
            "releve/#",
            f"releve/{foreign_team}/live/#",
            f"releve/{foreign['name']}/live/#",
            f"releve/{device['name']}/commands",
        ):
            assert client.subscribe(topic_filter).value == 0x87, topic_filter
        assert client.publish(f"releve/{device['name']}/readings", {"n": 0}).value == 0x87
        (own,) = given["topics"]["subscribe"]
        assert client.subscribe(own).value == 1

        bearer = server.bearer(device)
        url = f"{server.url}/api/v1/readings"
        # Until this worker has asked its sibling for commits, which it does about once a second.
        assert eventually(
            lambda: httpx.post(url, json={"n": secrets.randbits(30)}, headers=bearer) and not client.heard.empty()
        )

    message = client.heard.get_nowait()
    assert json.loads(message.payload)["device"] == device["name"]
    assert (
        server.query("SELECT FROM fresh_reading WHERE device_id = %s AND channels::jsonb = '{\"n\": 0}'", device["id"])
        == []
    )


def test_a_link_ends_within_five_seconds_of_the_sign_in(server):
    viewer = server.add_account("viewer")
    tokens = server.tokens(viewer)
    bearer = {"Authorization": f"Bearer {tokens['access']}"}
    given = httpx.post(f"{server.url}/api/v1/mqtt/token", headers=bearer).json()
    with Paho(given) as client:
        httpx.post(f"{server.url}/api/auth/sign-out/", json={}, headers=bearer).raise_for_status()

        assert client.ends.get(timeout=5).value == 0x87
        client.client.disconnect()

    with Raw(server, V5) as again:
        assert again.connect(username="me", password=given["token"].encode()).reason == 0x86


def test_a_token_that_was_changed_is_refused(server):
    given = issued(server, server.add_device())
    head, body, signature = given["token"].split(".")
    with Raw(server, V5) as client:
        forged = f"{head}.{body}.{signature[::-1]}".encode()
        assert client.connect(username=given["username"], password=forged).reason == 0x86
