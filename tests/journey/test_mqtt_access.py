"""Who may connect, publish and hear what over MQTT, for how long, and what is left of a refusal."""

import contextlib
import json
import secrets
import time
from itertools import pairwise

import httpx
import pytest
from tests.journey.mqtt_client import V3, V5, Raw, eventually, signed_in

from releve.protocol.mqtt.packet import Connect, Disconnect, Pingreq, Pingresp, Puback, Publish, Will
from releve.protocol.mqtt.property import Properties

BOTH = pytest.mark.parametrize("version", [V3, V5])


@pytest.fixture
def device(server):
    return server.add_device()


@pytest.fixture
def other(server):
    return server.add_device()


def audits(server, device, kind):
    return server.query(
        "SELECT detail FROM accounts_auditevent JOIN fleet_device AS d ON d.id = device_id"
        " WHERE d.name = %s AND kind = %s",
        device["name"],
        kind,
    )


@BOTH
def test_a_wrong_secret_is_refused_and_leaves_an_audit_event(server, device, version):
    with Raw(server, version) as client:
        answer = client.sign_in({**device, "secret": "wrong"})

    assert answer.reason == (4 if version == V3 else 0x86)
    assert eventually(lambda: audits(server, device, "sign-in-failed") == [({"transport": "mqtt"},)])


@BOTH
@pytest.mark.parametrize("fields", [{}, {"username": "somebody"}, {"username": "nobody", "password": b"x"}])
def test_a_missing_or_unknown_credential_is_refused(server, version, fields):
    with Raw(server, version) as client:
        answer = client.connect("c" + secrets.token_hex(4), **fields)

    assert answer.reason in {4, 5, 0x86, 0x87}


@BOTH
def test_another_devices_secret_is_refused(server, device, other, version):
    with Raw(server, version) as client:
        answer = client.sign_in({"name": device["name"], "secret": other["secret"]})

    assert answer.reason == (4 if version == V3 else 0x86)


def test_guessing_is_made_to_wait_even_with_the_right_secret(server, device):
    for _ in range(10):
        with Raw(server, V5) as client:
            client.sign_in({**device, "secret": "wrong"})
    with Raw(server, V5) as client:
        assert client.sign_in(device).reason == 0x9F
    reply = httpx.post(f"{server.url}/auth/login", json={"device_id": device["name"], "password": device["secret"]})

    assert reply.status_code == 429
    assert len(audits(server, device, "locked-out")) == 1


def test_a_persons_access_token_is_no_password_and_a_token_for_mqtt_opens_no_route(server):
    person = server.add_account("viewer")
    with Raw(server, V5) as client:
        access = server.tokens(person)["access"].encode()
        assert client.connect(username="me", password=access).reason == 0x86
    bearer = {"Authorization": f"Bearer {server.mqtt_token(person).decode()}"}

    assert httpx.get(f"{server.url}/api/auth/profile/", headers=bearer).status_code == 401


def test_a_devices_access_token_is_a_password(server, device):
    token = server.tokens(device)["access"].encode()
    with Raw(server, V5) as client:
        assert client.connect(username=device["name"], password=token).reason == 0
        assert client.publish(f"releve/{device['name']}/readings", {"n": 1}) == Puback(1)


def test_a_refresh_token_is_no_password(server, device):
    token = server.tokens(device)["refresh"].encode()
    with Raw(server, V5) as client:
        assert client.connect(username=device["name"], password=token).reason == 0x86


@BOTH
def test_a_foreign_topic_is_refused_nothing_is_stored_and_the_audit_says_so(server, device, other, version):
    foreign = f"releve/{other['name']}/readings"
    with signed_in(server, device, version) as client:
        answer = client.publish(foreign, {"n": 1})

    assert (answer is None) if version == V3 else (answer.reason == 0x87)
    assert eventually(lambda: audits(server, device, "mqtt-refused") == [({"what": "publish", "name": foreign},)])
    assert server.query("SELECT count(*) FROM fresh_reading WHERE device_id = %s", other["id"]) == [(0,)]


@BOTH
@pytest.mark.parametrize(
    "topic_filter",
    ["#", "+/+/readings", "$SYS/#", "$share/g/releve/x/commands", "releve/+/commands", "releve/#", "FOREIGN", "LIVE"],
)
def test_a_device_hears_its_own_topics_only(server, device, other, version, topic_filter):
    names = {"FOREIGN": f"releve/{other['name']}/commands", "LIVE": f"releve/{device['name']}/live/#"}
    with signed_in(server, device, version) as client:
        (reason,) = client.subscribe(names.get(topic_filter, topic_filter))
        (own,) = client.subscribe(f"releve/{device['name']}/#")

    assert reason == 0x80 if version == V3 else reason >= 0x80
    assert own == 1


@BOTH
def test_a_foreign_will_is_refused(server, device, other, version):
    with Raw(server, version) as client:
        answer = client.sign_in(device, will=Will(f"releve/{other['name']}/readings", b"{}"))

    assert answer.reason == (5 if version == V3 else 0x87)
    assert eventually(lambda: audits(server, device, "mqtt-refused"))


def test_a_retained_message_is_refused_where_none_are_kept(server, device):
    with signed_in(server, device, V5) as client:
        answer = client.publish(f"releve/{device['name']}/readings", {"n": 1}, retain=True)

    assert isinstance(answer, Disconnect)
    assert answer.reason == 0x9A


@BOTH
def test_published_cars_of_any_team_are_connected_at_once_by_the_same_client_id(server, version):
    client_id = "ESP32ClientBis" if version == V3 else "ESP32Client"
    cars = [server.add_device("racing", team=team) for team in ("Drivers", "Drivers", "Other drivers", "Drivers")]
    with contextlib.ExitStack() as stack:
        links = [stack.enter_context(signed_in(server, car, version, client_id=client_id)) for car in cars]
        for car, link in zip(cars, links, strict=True):  # all stayed, on whichever worker
            assert link.publish("esp32bis/speed", b"1") == Puback(1)
            assert audits(server, car, "mqtt-refused") == []


@BOTH
def test_the_same_device_takes_its_client_id_over_on_every_worker(server, device, version):
    client_id = "mine-" + secrets.token_hex(4)
    with contextlib.ExitStack() as stack:
        links = [stack.enter_context(Raw(server, version)) for _ in range(6)]
        for before, link in pairwise([None, *links]):
            assert link.sign_in(device, client_id=client_id).reason == 0
            if before is not None:
                answer = before.receive(5)
                assert answer is None or answer.reason == 0x8E
        links[-1].send(Pingreq())
        assert links[-1].receive() == Pingresp()


@BOTH
def test_a_disabled_devices_links_are_closed_within_five_seconds(server, device, version):
    person = server.add_account("admin")
    links = [Raw(server, version) for _ in range(4)]
    for link in links:
        assert link.sign_in(device).reason == 0

    httpx.post(f"{server.url}/api/v1/devices/{device['id']}/disable", headers=server.bearer(person)).raise_for_status()

    assert max(link.closes_within(5) for link in links) < 5
    for link in links:
        link.socket.close()
    with Raw(server, version) as again:
        assert again.sign_in(device).reason != 0


def test_a_link_ends_with_the_sign_in_of_its_token(server, device):
    tokens = server.tokens(device)
    with Raw(server, V5) as client:
        client.connect(username=device["name"], password=tokens["access"].encode())
        server.query(
            "UPDATE accounts_signin SET revoked_at = now(), revoked_reason = 'test' WHERE device_id = %s RETURNING id",
            device["id"],
        )

        assert client.closes_within(5) < 5


def test_a_link_ends_when_its_token_does(start_server):
    server = start_server(RELEVE_DEVICE_TOKEN_S="4")
    device = server.add_device()
    token = server.tokens(device)["access"].encode()
    with Raw(server, V5) as client:
        assert client.connect(username=device["name"], password=token).reason == 0
        answer = client.receive(8)

    assert isinstance(answer, Disconnect)
    assert answer.reason == 0x87


def test_who_is_online_and_since_when_is_shown(server, device):
    bearer = server.bearer(server.add_account("viewer"))

    def link():
        return httpx.get(f"{server.url}/api/v1/devices/{device['id']}", headers=bearer).json()["link"]

    assert link() is None
    with signed_in(server, device):
        online = link()
        assert online["is_online"] is True
    assert eventually(lambda: not link()["is_online"])
    assert link()["since"] > online["since"]


@BOTH
def test_a_command_waits_for_its_device_and_its_answer_is_shown(server, device, version):
    bearer = server.bearer(server.add_account("editor"))
    url = f"{server.url}/api/v1/devices/{device['id']}/commands"
    posted = httpx.post(url, json={"command": {"led": "on"}}, headers=bearer)
    assert (posted.status_code, posted.json()["state"]) == (202, "waiting")

    with signed_in(server, device, version) as client:
        assert client.subscribe(f"releve/{device['name']}/commands") == [1]
        message = client.receive()
        client.send(Puback(message.packet_id))
        document = json.loads(message.payload)
        assert document["command"] == {"led": "on"}
        assert eventually(lambda: httpx.get(url, headers=bearer).json()["data"][0]["state"] == "delivered")
        client.publish(document["answer_topic"], {"id": document["id"], "led": "is on"})
        shown = httpx.get(url, headers=bearer).json()["data"][0]
        httpx.post(url, json={"command": 2}, headers=bearer)  # now that it is online
        assert json.loads(client.receive().payload)["command"] == 2

    assert (shown["state"], shown["answer"]["led"]) == ("answered", "is on")


def test_a_command_that_expired_is_not_delivered(server, device):
    bearer = server.bearer(server.add_account("editor"))
    url = f"{server.url}/api/v1/devices/{device['id']}/commands"
    httpx.post(url, json={"command": 1, "expires_s": 1}, headers=bearer)
    assert eventually(lambda: httpx.get(url, headers=bearer).json()["data"][0]["state"] == "expired")

    with signed_in(server, device) as client:
        client.subscribe(f"releve/{device['name']}/commands")

        assert client.is_silent(0.5)


def test_the_configuration_is_retained_and_its_changes_are_sent(server, device):
    bearer = server.bearer(server.add_account("editor"))
    url = f"{server.url}/api/v1/devices/{device['id']}/config"
    assert httpx.get(url, headers=bearer).status_code == 404
    httpx.put(url, json={"rate": 5}, headers=bearer).raise_for_status()

    with signed_in(server, device) as client:
        client.subscribe(f"releve/{device['name']}/config", qos=0)
        first = client.receive()
        httpx.put(url, json={"rate": 6}, headers=bearer).raise_for_status()
        second = client.receive()

    assert (first.retain, json.loads(first.payload)) == (True, {"rate": 5})
    assert json.loads(second.payload) == {"rate": 6}


def test_a_viewer_sends_no_commands(server, device):
    bearer = server.bearer(server.add_account("viewer"))
    reply = httpx.post(f"{server.url}/api/v1/devices/{device['id']}/commands", json={"command": 1}, headers=bearer)

    assert reply.status_code == 403


def test_people_hear_their_teams_readings_and_nobody_elses(server):
    team = f"Watchers {secrets.token_hex(3)}"
    device, stranger = server.add_device(team=team), server.add_device()
    person = server.add_account("viewer", team=team)
    ((team_id,),) = server.query("SELECT id FROM teams_team WHERE name = %s", team)
    token = server.mqtt_token(person)
    filters = [f"releve/{device['name']}/live/#", "releve/+/live/#", f"releve/{team_id}/live/#"]
    watchers = [Raw(server, V5) for _ in range(6)]
    for index, watcher in enumerate(watchers):  # on both workers
        assert watcher.connect(password=token, username="me").reason == 0
        assert watcher.subscribe(filters[index % 3]) == [1]
        assert watcher.subscribe(f"releve/{stranger['name']}/live/#") == [0x87]
    time.sleep(1.5)  # workers ask each other for commits about once a second

    with signed_in(server, stranger) as client:
        client.publish(f"releve/{stranger['name']}/readings", {"n": 0})
    httpx.post(f"{server.url}/api/v1/readings", json={"n": 1}, headers=server.bearer(device)).raise_for_status()

    for watcher in watchers:
        message = watcher.receive(5)
        assert isinstance(message, Publish)
        assert json.loads(message.payload)["channels"] == {"n": 1}
        assert watcher.is_silent(0.2)
        watcher.socket.close()


def test_a_device_that_is_called_like_its_teams_number_hides_nothing_of_the_team(server):
    team = f"Numbered {secrets.token_hex(3)}"
    device = server.add_device(team=team)
    person = server.add_account("viewer", team=team)
    ((team_id,),) = server.query("SELECT id FROM teams_team WHERE name = %s", team)
    namesake = server._resident("device", "add", str(team_id), "--team", team)
    token = server.mqtt_token(person)
    with Raw(server, V5) as watcher:
        assert watcher.connect(password=token, username="me").reason == 0
        assert watcher.subscribe(f"releve/{team_id}/live/#") == [1]
        time.sleep(1.5)  # workers ask each other for commits about once a second
        httpx.post(f"{server.url}/api/v1/readings", json={"n": 1}, headers=server.bearer(device)).raise_for_status()
        assert watcher.receive(10).topic == f"releve/{team_id}/live/{device['name']}"
        httpx.post(f"{server.url}/api/v1/readings", json={"n": 1}, headers=server.bearer(namesake)).raise_for_status()
        heard = {watcher.receive(10).topic for _ in range(2)}

    assert heard == {f"releve/{team_id}/live/{namesake['name']}", f"releve/{team_id}/live/reading"}


def test_a_person_publishes_nothing(server, device):
    token = server.mqtt_token(server.add_account("admin"))
    with Raw(server, V5) as client:
        client.connect(password=token, username="me")

        assert client.publish(f"releve/{device['name']}/readings", {"n": 1}).reason == 0x87


def test_a_session_is_taken_up_on_any_worker(server, device):
    fields = {"client_id": "lasting-" + secrets.token_hex(4), "clean_start": False}
    fields["properties"] = Properties(session_expiry_interval=300)
    bearer = server.bearer(server.add_account("editor"))
    with signed_in(server, device, V5, **fields) as client:
        client.subscribe(f"releve/{device['name']}/commands")
    time.sleep(1)  # the end of the link is written down a few times a second
    httpx.post(f"{server.url}/api/v1/devices/{device['id']}/commands", json={"command": 7}, headers=bearer)

    for _ in range(3):
        with Raw(server, V5) as client:
            client.send(Connect(version=V5, username=device["name"], password=device["secret"].encode(), **fields))
            assert client.receive().session_present is True
            message = client.receive()
            assert json.loads(message.payload)["command"] == 7
        time.sleep(0.7)
