"""What the two specifications demand of a server beyond one connection's packets: routing, and the network itself.

The other statements are walked in tests/unit/test_mqtt_conformance.py, which counts these with them.
"""

import json
import socket
import time

import httpx
import pytest
from tests.journey.mqtt_client import V3, V5, Raw, port_of, signed_in
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as open_websocket

from releve.protocol.mqtt.encode import encode
from releve.protocol.mqtt.packet import Connack, Connect, Puback, Publish, Suback, Subscribe, SubscriptionRequest
from releve.protocol.mqtt.property import Properties
from releve.protocol.mqtt.stream import Decoder

BOTH = pytest.mark.parametrize("version", [V3, V5])


@pytest.fixture
def device(server):
    return server.add_device()


@pytest.fixture
def editor(server):
    return server.bearer(server.add_account("editor"))


def configure(server, device, editor, config):
    url = f"{server.url}/api/v1/devices/{device['id']}/config"
    httpx.put(url, json=config, headers=editor).raise_for_status()


def greeting(device, version):
    return encode(Connect("", version, username=device["name"], password=device["secret"].encode()), version)


def websocket(server, *, subprotocols=("mqtt",)):
    return open_websocket(server.url.replace("http", "ws", 1) + "/mqtt", subprotocols=subprotocols)


@BOTH
def test_what_a_client_publishes_as_retained_is_never_delivered_as_retained(server, device, version):
    """A server may refuse to keep retained messages: v5 says so with 0x9A, v3 stores the reading and keeps nothing.

    v5: MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-7, MQTT-3.3.1-8. v3: MQTT-3.3.1-5, MQTT-3.3.1-7, MQTT-3.3.1-10,
    MQTT-3.3.1-11, MQTT-3.3.1-12.
    """
    readings, config = (f"releve/{device['name']}/{name}" for name in ("readings", "config"))
    for payload, retain in ((b'{"n": 1}', True), (b"", True), (b'{"n": 2}', False)):
        with signed_in(server, device, version) as client:
            client.publish(readings, payload, retain=retain)
    with signed_in(server, device, version) as client:
        client.subscribe(readings, config, f"releve/{device['name']}/commands")

        assert client.is_silent(0.5)
    stored = server.query("SELECT channels::jsonb FROM fresh_reading WHERE device_id = %s ORDER BY id", device["id"])
    assert sorted(row["n"] for (row,) in stored) == ([1, 2] if version == V3 else [2])


def test_the_retained_configuration_outlives_every_session(server, device, editor):
    """v3: MQTT-3.1.2-7."""
    configure(server, device, editor, {"rate": 5})
    for _ in range(2):
        with signed_in(server, device, V3, clean_start=True) as client:
            client.subscribe(f"releve/{device['name']}/config")

            assert json.loads(client.receive().payload) == {"rate": 5}


def test_subscribing_again_brings_what_is_retained_again_and_loses_nothing(server, device, editor):
    """v5: MQTT-3.8.4-4."""
    configure(server, device, editor, {"rate": 5})
    url = f"{server.url}/api/v1/devices/{device['id']}/commands"
    config, commands = f"releve/{device['name']}/config", f"releve/{device['name']}/commands"
    with signed_in(server, device, V5) as client:
        for _ in range(2):
            client.subscribe(config, qos=0)
            assert json.loads(client.receive().payload) == {"rate": 5}
        client.subscribe(commands)
        httpx.post(url, json={"command": 1}, headers=editor).raise_for_status()
        client.send(Subscribe(9, (SubscriptionRequest(commands, 1),)))
        answers = [client.receive(), client.receive()]

    assert {type(answer) for answer in answers} == {Suback, Publish}
    assert [json.loads(each.payload)["command"] for each in answers if isinstance(each, Publish)] == [1]


@BOTH
def test_every_subscriber_gets_every_message_in_the_order_of_its_sender(server, version):
    """v5: MQTT-4.5.0-1, MQTT-4.6.0-5, MQTT-4.6.0-6. v3: MQTT-4.5.0-1, MQTT-4.6.0-5."""
    team = f"Order {version.name}"
    device, person = server.add_device(team=team), server.add_account("viewer", team=team)
    token = server.mqtt_token(person)
    with Raw(server, version) as first, Raw(server, version) as second:
        for watcher in (first, second):
            assert watcher.connect(username="me", password=token).reason == 0
            assert watcher.subscribe(f"releve/{device['name']}/live/#") == [1]
        time.sleep(1.5)  # workers ask each other for commits about once a second
        with signed_in(server, device, version) as client:
            for number in range(50):
                client.publish(f"releve/{device['name']}/readings", {"n": number})
        for watcher in (first, second):
            heard = [json.loads(watcher.receive(10).payload)["channels"]["n"] for _ in range(50)]

            assert heard == list(range(50))


@BOTH
def test_a_connection_is_a_plain_stream_of_bytes_over_tcp(server, device, version):
    """v5: MQTT-4.2.0-1. v3: MQTT-7.0.0-1, MQTT-7.0.0-2, MQTT-7.1.1-1."""
    publish = encode(Publish(f"releve/{device['name']}/readings", b'{"n": 1}', 1, packet_id=7), version)
    decoder, packets = Decoder(version=version), []
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=20) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in greeting(device, version) + publish:
            client.sendall(bytes([byte]))
        while len(packets) < 2:
            decoder.feed(client.recv(1024))
            while (packet := decoder.next_packet()) is not None:
                packets.append(packet)

    assert isinstance(packets[0], Connack)
    assert packets[1] == Puback(7)


def test_a_client_that_breaks_the_protocol_loses_its_connection_and_nobody_else_does(server, device):
    """v3: MQTT-4.8.0-2."""
    other = server.add_device()
    with signed_in(server, other, V3) as neighbour, signed_in(server, device, V3) as client:
        client.send_bytes(b"\xf0\x00")

        assert client.receive() is None
        assert neighbour.publish(f"releve/{other['name']}/readings", {"n": 1}) == Puback(1)


@BOTH
def test_over_websocket_packets_may_be_cut_and_joined_in_any_way(server, device, version):
    """The same numbers in both.

    v5: MQTT-6.0.0-1, MQTT-6.0.0-2, MQTT-6.0.0-3, MQTT-6.0.0-4.
    v3: MQTT-6.0.0-1, MQTT-6.0.0-2, MQTT-6.0.0-3, MQTT-6.0.0-4.
    """
    publish = encode(Publish(f"releve/{device['name']}/readings", b'{"n": 1}', 1, packet_id=7), version)
    sent = greeting(device, version) + publish
    decoder, packets = Decoder(version=version), []
    with websocket(server) as client:
        assert client.subprotocol == "mqtt"
        for start in range(0, len(sent), 11):
            client.send(sent[start : start + 11])
        while len(packets) < 2:
            frame = client.recv(20)
            assert isinstance(frame, bytes)
            decoder.feed(frame)
            while (packet := decoder.next_packet()) is not None:
                packets.append(packet)
        assert packets[1] == Puback(7)

        client.send("text is not MQTT")
        with pytest.raises(ConnectionClosed):
            client.recv(20)


def too_much(client):
    client.send(bytes(4 * 1024 * 1024 + 1))
    client.recv(20)


def test_a_websocket_message_larger_than_the_largest_packet_closes_it(server, device):
    with websocket(server) as client:
        client.send(greeting(device, V5))
        client.recv(20)
        with pytest.raises(ConnectionClosed) as closed:
            too_much(client)

    said = closed.value.rcvd  # nothing, where the connection went while we were still sending
    assert said is None or said.code == 1009


def test_the_properties_of_a_publish_reach_no_subscriber_that_may_not_see_them(server, device):
    """What a device says about its publish is its own: the live reading holds what was committed, nothing else."""
    team = "Properties"
    device, person = server.add_device(team=team), server.add_account("viewer", team=team)
    with Raw(server, V5) as watcher:
        watcher.connect(username="me", password=server.mqtt_token(person))
        watcher.subscribe(f"releve/{device['name']}/live/#")
        time.sleep(1.5)  # workers ask each other for commits about once a second
        with signed_in(server, device, V5) as client:
            properties = Properties(user_property=(("secret", "x"),), response_topic="a/b", correlation_data=b"c")
            client.publish(f"releve/{device['name']}/readings", {"n": 1}, properties=properties)
        message = watcher.receive(10)

    assert message.properties.user_property == ()
    assert message.properties.response_topic is None
