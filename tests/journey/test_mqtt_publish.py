"""A PUBACK means committed: what comes over MQTT ends as it would over HTTP, on every transport of MQTT."""

import json
import subprocess
import time
from contextlib import contextmanager

import aiomqtt
import httpx
import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests.journey.mqtt_client import V3, V5, eventually, port_of, signed_in

from releve.protocol.mqtt.packet import Puback, Pubcomp, Pubrec, Pubrel

BOTH = pytest.mark.parametrize("version", [V3, V5])


def rows(server, device):
    return server.query(
        "SELECT channels::jsonb FROM fresh_reading WHERE device_id = %s ORDER BY received, id",
        device["id"],
    )


def kept_aside(server, device):
    return server.query(
        "SELECT payload, reason, transport FROM quarantine WHERE device_id = %s",
        device["id"],
    )


def own(device):
    return f"releve/{device['name']}/readings"


@pytest.fixture
def device(server):
    return server.add_device()


@contextmanager
def commits_paused(server):
    """Nothing can be written to the readings while this holds."""
    with psycopg.connect(server.database_url) as connection:
        connection.execute("LOCK TABLE fresh_reading IN EXCLUSIVE MODE")
        yield
        connection.rollback()


@pytest.mark.parametrize("protocol", [paho.MQTTv311, paho.MQTTv5])
def test_paho_publishes_at_every_quality_of_service(server, device, protocol):
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=protocol)
    client.username_pw_set(device["name"], device["secret"])
    client.connect("127.0.0.1", port_of(server))
    client.loop_start()

    for qos in (0, 1, 2):
        client.publish(own(device), json.dumps({"qos": qos}), qos=qos).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()

    assert eventually(lambda: len(rows(server, device)) == 3)


async def test_aiomqtt_publishes_an_array(server, device):
    async with aiomqtt.Client(
        "127.0.0.1", port_of(server), username=device["name"], password=device["secret"], timeout=10
    ) as client:
        await client.publish(own(device), json.dumps([{"n": 1}, {"n": 2}]), qos=1)

    assert sorted(row[0]["n"] for row in rows(server, device)) == [1, 2]


@pytest.mark.parametrize("version", ["311", "5"])
@pytest.mark.needs("mosquitto-clients")
def test_mosquitto_pub_publishes(server, device, version):
    done = subprocess.run(
        [
            *("mosquitto_pub", "-V", version, "-h", "127.0.0.1", "-p", str(port_of(server)), "-u", device["name"]),
            *("-P", device["secret"], "-q", "1", "-t", own(device), "-m", '{"speed": 12.5}'),
        ],
        capture_output=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert rows(server, device) == [({"speed": 12.5},)]


def test_paho_publishes_over_websocket(server, device):
    client = paho.Client(CallbackAPIVersion.VERSION2, transport="websockets", protocol=paho.MQTTv5)
    client.ws_set_options(path="/mqtt")
    client.username_pw_set(device["name"], device["secret"])
    client.connect("127.0.0.1", int(server.url.rpartition(":")[2]))
    client.loop_start()

    client.publish(own(device), '{"speed": 3}', qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()

    assert rows(server, device) == [({"speed": 3},)]


@BOTH
def test_with_commits_paused_no_puback_leaves(server, device, version):
    with signed_in(server, device, version) as client:
        with commits_paused(server):
            client.post(own(device), {"speed": 1})

            assert client.is_silent(1.5)
        answer = client.receive(30)

    assert answer == Puback(1)
    assert len(rows(server, device)) == 1


@BOTH
def test_a_burst_is_acknowledged_in_its_order_and_stored_once(server, device, version):
    with signed_in(server, device, version) as client:
        for number in range(500):
            client.post(own(device), {"n": number, "time": f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z"})
        answers = [client.receive() for _ in range(500)]

    assert [answer.packet_id for answer in answers] == list(range(1, 501))
    assert sorted(row[0]["n"] for row in rows(server, device)) == list(range(500))


@BOTH
def test_the_same_publish_again_is_one_row_over_any_transport(server, device, version):
    reading = {"speed": 7.5, "time": "2026-02-02T02:02:02Z"}
    for dup in (False, True):
        with signed_in(server, device, version) as client:
            assert client.publish(own(device), reading, dup=dup) == Puback(1)
    reply = httpx.post(f"{server.url}/api/v1/readings", json=reading, headers=server.bearer(device))

    assert reply.json()["duplicate"] is True
    assert len(rows(server, device)) == 1


def test_a_quality_of_service_2_publish_is_stored_once_over_a_reconnect(server, device):
    with signed_in(server, device, V3, client_id="two-" + device["name"], clean_start=False) as client:
        assert client.publish(own(device), {"n": 2}, qos=2) == Pubrec(1)
    time.sleep(1)  # the end of the link is written down a few times a second
    with signed_in(server, device, V3, client_id="two-" + device["name"], clean_start=False) as client:
        assert client.publish(own(device), {"n": 2}, qos=2, dup=True) == Pubrec(1)
        client.send(Pubrel(1))
        assert client.receive() == Pubcomp(1)

    assert len(rows(server, device)) == 1


def test_a_bad_payload_is_told_to_an_mqtt_5_client_and_its_neighbours_are_stored(server, device):
    with signed_in(server, device, V5) as client:
        for payload in (b'{"n": 1}', b'{"n": ', b'{"n": 3}'):
            client.post(own(device), payload)
        reasons = [client.receive().reason for _ in range(3)]

    assert reasons == [0, 0x99, 0]
    assert sorted(row[0]["n"] for row in rows(server, device)) == [1, 3]
    assert kept_aside(server, device) == []


@pytest.mark.parametrize("qos", [0, 1])
def test_a_bad_payload_of_a_3_1_1_client_is_kept_with_its_raw_bytes_and_acknowledged(server, device, qos):
    with signed_in(server, device, V3) as client:
        client.post(own(device), b'{"n": 1}', qos=qos)
        client.post(own(device), b'\x00\xff{"n": ', qos=qos)
        client.post(own(device), b'{"n": 3}', qos=1)
        answers = [client.receive() for _ in range(3 if qos else 1)]

    assert all(answer.reason == 0 for answer in answers)
    assert sorted(row[0]["n"] for row in rows(server, device)) == [1, 3]
    ((payload, _, transport),) = kept_aside(server, device)
    assert (bytes(payload), transport) == (b'\x00\xff{"n": ', "mqtt")


def test_of_an_array_the_good_readings_are_stored_and_the_bad_one_is_named(server, device):
    with signed_in(server, device, V5) as client:
        answer = client.publish(own(device), [{"n": 1}, {"n": {"no": 1}}, {"n": 3}])

    assert answer.reason == 0x99
    assert "reading 1: n:" in answer.properties.reason_string
    assert len(rows(server, device)) == 2


def test_of_an_array_with_an_element_that_is_no_json_the_others_are_stored_and_that_one_is_kept(server, device):
    with signed_in(server, device, V3) as client:
        client.post(own(device), b'[{"n": 1}, {"n": NaN}, {"n": 3}]', qos=1)
        assert client.receive().reason == 0

    assert sorted(row[0]["n"] for row in rows(server, device)) == [1, 3]
    ((payload, reason, _),) = kept_aside(server, device)
    assert bytes(payload) == b'{"n": NaN}'
    assert reason


def test_the_gym_topic_takes_contract_a(server):
    gym = server.add_device("gym")
    body = {"machine_id": 7, "timestamp": "2026-01-01T10:00:00", "repetitions": 3, "series_time": 4.5, "rest_time": 0.0}
    body |= {"acceleration_x": 0.1, "acceleration_y": 0.2, "acceleration_z": 9.8}
    with signed_in(server, gym, V5) as client:
        assert client.publish("fitbuddy/sensors", body).reason == 0
        assert client.publish("fitbuddy/sensors", {"machine_id": 7}).reason == 0x99

    assert rows(server, gym)[0][0]["machine_id"] == 7


def test_a_profilometre_sends_contract_c_by_what_it_declares(server):
    device = server.add_device("profilometre", zone="Europe/Paris")
    with signed_in(server, device, V3) as client:
        body = {"temperature": 21.5, "humidite": 40, "accelerometre": 1, "timestamp": "2026-01-01T10:00:00"}
        assert client.publish(own(device), body) == Puback(1)

    ((time_utc,),) = server.query(
        "SELECT time AT TIME ZONE 'UTC' FROM fresh_reading"
        " JOIN fleet_device AS d ON d.id = device_id WHERE d.name = %s",
        device["name"],
    )
    assert time_utc.isoformat() == "2026-01-01T09:00:00"


def test_two_cars_at_once_never_mix(server):
    first, second = server.add_device("racing"), server.add_device("racing")
    with signed_in(server, first) as one, signed_in(server, second) as two:
        steps = [("race", "12.00", "7"), ("speed", "1.5", "2.5"), ("distance", "10", "20"), ("battery", "80", "90")]
        for quantity, of_one, of_two in steps:
            one.publish(f"esp32bis/{quantity}", of_one.encode())
            two.publish(f"esp32/{quantity}", of_two.encode())
        for quantity, value in (("speed", "3"), ("distance", "11"), ("battery", "79")):
            one.publish(f"esp32bis/{quantity}", value.encode())
        one.publish("esp32bis/race", b"false")

    assert [row[0] for row in rows(server, first)] == [
        {"race": 12, "speed": 1.5, "distance": 10, "battery": 80, "track": 0},
        {"race": 12, "speed": 3, "distance": 11, "battery": 79, "track": 0},
    ]
    assert [row[0] for row in rows(server, second)] == [
        {"race": 7, "speed": 2.5, "distance": 20, "battery": 90, "track": 0}
    ]


def test_a_car_that_says_its_race_once_goes_on_with_it_after_a_reconnect(server):
    car = server.add_device("racing")
    with signed_in(server, car) as client:
        client.publish("esp32bis/race", b"5")
    with signed_in(server, car) as client:
        for quantity in ("speed", "distance", "battery"):
            client.publish(f"esp32bis/{quantity}", b"1")

    assert [row[0]["race"] for row in rows(server, car)] == [5]


@pytest.mark.alone
def test_the_last_values_of_a_car_are_answered_by_every_worker(server):
    team = f"Racers {time.time_ns()}"
    car, person = server.add_device("racing", team=team), server.add_account("viewer", team=team)
    bearer = server.bearer(person)
    began_s = time.monotonic()
    empty = httpx.get(f"{server.url}/get_broker_data", headers=bearer, timeout=10)
    assert (empty.status_code, empty.json()) == (504, {"message": "No data received from broker"})
    assert time.monotonic() - began_s < 6
    with signed_in(server, car) as client:
        client.publish("esp32bis/speed", b"12.3")
        client.publish("esp32bis/race", b"false")

    for _ in range(6):  # a connection each, so that both workers are asked
        reply = httpx.get(f"{server.url}/get_broker_data/", headers=bearer)
        assert reply.json() == {"data": {"esp32bis/speed": "12.3", "esp32bis/race": "false"}}
    assert httpx.get(f"{server.url}/get_broker_data").status_code == 401


def test_a_will_is_a_reading_of_its_device(server, device):
    from releve.protocol.mqtt.packet import Will  # noqa: PLC0415

    with signed_in(server, device, V3, will=Will(own(device), b'{"gone": true}')):
        pass

    assert eventually(lambda: rows(server, device) == [({"gone": True},)])
