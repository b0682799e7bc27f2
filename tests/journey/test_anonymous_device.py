"""On a network that is its owner's, a published client that calls connect(id) without credentials is a device."""

import httpx
import pytest
from tests.journey.mqtt_client import V3, V5, Raw, eventually

from releve.protocol.mqtt.packet import Puback

LISTED = "ESP32ClientBis=car1, pi-gym=missing"


@pytest.fixture
def lenient(start_server):
    return start_server(RELEVE_ANONYMOUS_DEVICES=LISTED)


def test_a_listed_client_id_alone_is_its_device_and_no_other_is_anybody(lenient):
    car = lenient._resident("device", "add", "car1", "--contract", "racing")
    other = lenient.add_device("racing")
    for version in (V3, V5):
        with Raw(lenient, version) as client:
            assert client.connect("ESP32ClientBis").reason == 0
            assert client.publish("esp32bis/mode", b"auto") == Puback(1)
        for client_id, fields in (
            ("pi-gym", {}),
            ("esp32clientbis", {}),
            (other["name"], {}),
            ("car1", {}),
            ("ESP32ClientBis", {"username": "car1", "password": b"wrong"}),
        ):
            with Raw(lenient, version) as stranger:
                assert stranger.connect(client_id, **fields).reason in {4, 5, 0x86, 0x87}, client_id

    heard = lenient.query("SELECT device_id, payload FROM topic_value")
    assert heard == [(car["id"], "auto")]
    assert "there is no such device" in lenient.errors.read_text()


def test_it_is_cut_and_kept_out_when_its_device_is_disabled(lenient):
    car = lenient._resident("device", "add", "car1", "--contract", "racing")
    admin = lenient.bearer(lenient.add_account("admin"))
    with Raw(lenient) as client:
        assert client.connect("ESP32ClientBis").reason == 0
        httpx.post(f"{lenient.url}/api/v1/devices/{car['id']}/disable", headers=admin).raise_for_status()
        assert client.closes_within(10) < 10

    with Raw(lenient) as client:
        assert client.connect("ESP32ClientBis").reason == 5


def test_without_the_setting_a_client_id_is_nobody(server):
    with Raw(server) as client:
        assert client.connect("ESP32ClientBis").reason == 5


def test_the_start_warns_of_it_where_other_machines_reach_the_port(start_server):
    server = start_server(RELEVE_ANONYMOUS_DEVICES=LISTED, RELEVE_MQTT_HOST="0.0.0.0")  # noqa: S104 - the warning's case

    assert eventually(lambda: "RELEVE_ANONYMOUS_DEVICES" in server.errors.read_text())
