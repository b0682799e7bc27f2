"""A published car over MQTT: it hears on its own prefix, says its mode in words, and is no alarm to anybody."""

import secrets

import httpx
import pytest
from tests.journey.mqtt_client import V3, V5, Raw, eventually, signed_in

from releve.protocol.mqtt.packet import Connect, Puback
from releve.protocol.mqtt.property import Properties

AJUSTMENTS = "esp32bis/ajustments"


@pytest.fixture
def team():
    return f"Drivers {secrets.token_hex(4)}"


@pytest.fixture
def car(server, team):
    return server.add_device("racing", team=team)


@pytest.fixture
def editor(server, team):
    return server.bearer(server.add_account("editor", team=team))


@pytest.fixture
def commands(server, car, editor):
    url = f"{server.url}/api/v1/devices/{car['id']}/commands"

    def post(**body):
        return httpx.post(url, json=body, headers=editor)

    post.shown = lambda: httpx.get(url, headers=editor).json()["data"]
    return post


@pytest.mark.parametrize("version", [V3, V5])
def test_a_healthy_car_raises_no_alarm_and_fills_no_quarantine(server, car, editor, version):
    with signed_in(server, car, version, client_id="ESP32ClientBis") as client:
        assert client.subscribe(AJUSTMENTS, "esp32bis/#", "esp32/+", "esp32/a/b", qos=0) == [0, 0, 0, 0]
        for mode in (b"manuel", b"auto", b"nan"):
            assert client.publish("esp32bis/mode", mode) == Puback(client.last_id)
        last = httpx.get(f"{server.url}/get_broker_data", headers=editor).json()["data"]

    assert last == {"esp32bis/mode": "nan"}
    assert server.query("SELECT reason FROM quarantine WHERE device_id = %s", car["id"]) == []
    kinds = server.query("SELECT kind FROM accounts_auditevent WHERE device_id = %s AND is_alert", car["id"])
    assert kinds == []


def test_another_kind_of_device_hears_nothing_on_a_cars_topics(server, team):
    gym = server.add_device("gym", team=team)
    with signed_in(server, gym) as client:
        assert client.subscribe(AJUSTMENTS) == [0x80]


@pytest.mark.parametrize(("version", "qos"), [(V3, 0), (V3, 1), (V5, 1)])
def test_plain_text_arrives_at_the_car_as_it_stands_at_the_qos_it_asked_for(server, car, commands, version, qos):
    with signed_in(server, car, version) as client, signed_in(server, car, version) as deaf:
        deaf.subscribe("esp32bis/other")
        assert client.subscribe(AJUSTMENTS, qos=qos) == [qos]
        posted = commands(topic=AJUSTMENTS, text="left 10")
        assert (posted.status_code, posted.json()["command"], posted.json()["text"]) == (202, None, "left 10")
        message = client.receive()
        assert (message.topic, message.payload, message.qos) == (AJUSTMENTS, b"left 10", qos)
        if qos:
            client.send(Puback(message.packet_id))
        assert eventually(lambda: commands.shown()[0]["state"] == "delivered")
        assert deaf.is_silent(0.2)


def test_plain_text_waits_for_a_session_that_lasts(server, car, commands):
    fields = {
        "client_id": "ESP32ClientBis",
        "clean_start": False,
        "properties": Properties(session_expiry_interval=300),
    }
    with signed_in(server, car, V5, **fields) as client:
        client.subscribe(AJUSTMENTS)
    ended = "SELECT 1 FROM device_link WHERE device_id = %s AND ended IS NOT NULL"
    assert eventually(lambda: server.query(ended, car["id"]))
    commands(topic=AJUSTMENTS, text="right")

    with Raw(server, V5) as client:
        client.send(Connect(version=V5, username=car["name"], password=car["secret"].encode(), **fields))
        assert client.receive().session_present is True
        assert client.receive().payload == b"right"


def test_commands_that_nobody_fetches_keep_none_of_another_topic_back(server, car, commands):
    server.query(
        "INSERT INTO device_command (device_id, body, created_by, expires)"
        " SELECT %s, '1', 'test', now() + interval '1 hour' FROM generate_series(1, 150) RETURNING id",
        car["id"],
    )
    commands(topic=AJUSTMENTS, text="go")
    with signed_in(server, car) as client:
        client.subscribe(AJUSTMENTS)

        assert client.receive().payload == b"go"


def test_only_editors_of_its_team_send_to_a_car(server, car, commands, team):
    url = f"{server.url}/api/v1/devices/{car['id']}/commands"
    viewer, stranger = server.add_account("viewer", team=team), server.add_account("editor", team="Strangers")
    body = {"topic": AJUSTMENTS, "text": "stop"}

    assert httpx.post(url, json=body, headers=server.bearer(viewer)).status_code == 403
    assert httpx.post(url, json=body, headers=server.bearer(stranger)).status_code == 404
    refused = commands(topic="releve/other/commands", text="stop")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "topic"), refused.text
    assert commands.shown() == []
