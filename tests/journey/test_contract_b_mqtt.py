"""Contract B's races as cars drive them over MQTT: a number opens or joins a race, `false` closes it, two never mix."""

import pytest
import requests
from tests.journey.mqtt_client import eventually, signed_in

# ruff: noqa: S113 - the published clients give no timeout either

TEAM = "Drivers"


@pytest.fixture(scope="module")
def editor(server):
    return server.bearer(server.add_account("editor", team=TEAM))


@pytest.fixture
def car(server):
    return server.add_device("racing", team=TEAM)


@pytest.fixture
def race(server, editor):
    def make():
        vehicle = requests.post(f"{server.url}/vehicle", json={"name": "Car"}, headers=editor).json()["data"]["id"]
        body = {"vehicle_id": vehicle, "name": "Race"}
        return requests.post(f"{server.url}/race", json=body, headers=editor).json()["data"]["id"]

    return make


@pytest.fixture
def total(server, editor):
    def of(race):
        rows = requests.get(f"{server.url}/get_stats_races", headers=editor).json()
        return next((row for row in rows if row["sensor_data_race_id"] == race), None)

    return of


def drive(client, race, *, speed, battery=80, prefix="esp32bis"):
    """One sample as an ESP32 sends it, a topic a quantity."""
    for quantity, value in (("race", race), ("speed", speed), ("distance", 10), ("battery", battery)):
        client.publish(f"{prefix}/{quantity}", str(value).encode())


def ended_at(server, race):
    return server.query("SELECT ended_at FROM runs_run WHERE id = %s", race)[0][0]


def test_two_cars_at_once_drive_the_races_that_they_name_and_never_mix(server, race, total):
    cars = [server.add_device("racing", team=TEAM) for _ in range(2)]
    races = [race(), race()]
    with signed_in(server, cars[0]) as one, signed_in(server, cars[1]) as two:
        for tick in range(5):
            drive(one, f"{races[0]}.00", speed=1 + tick)
            drive(two, races[1], speed=11 + tick, prefix="esp32")

    rows = [total(number) for number in races]
    assert [(row["total_entries"], row["average_speed"]) for row in rows] == [(5, 3.0), (5, 13.0)]


def test_false_closes_the_race_and_its_statistics_stay(server, car, race, total):
    number = race()
    with signed_in(server, car) as client:
        drive(client, number, speed=4)
        assert total(number)["total_entries"] == 1
        assert ended_at(server, number) is None
        client.publish("esp32bis/race", b"false")

    assert eventually(lambda: total(number) and ended_at(server, number))
    assert total(number)["total_entries"] == 1


def test_the_next_race_closes_the_one_before(server, car, race, total):
    first, second = race(), race()
    with signed_in(server, car) as client:
        drive(client, first, speed=4)
        drive(client, second, speed=6)

    assert eventually(lambda: total(first) and ended_at(server, first))
    assert total(first)["average_speed"] == 4.0
    assert total(second)["average_speed"] == 6.0
    assert ended_at(server, second) is None


def test_two_cars_that_name_the_same_race_never_mix(server, editor, race, total):
    number = race()
    cars = [server.add_device("racing", team=TEAM) for _ in range(2)]
    with signed_in(server, cars[0]) as one, signed_in(server, cars[1]) as two:
        drive(one, number, speed=2)
        assert total(number)["average_speed"] == 2.0
        drive(two, number, speed=8)

    assert total(number)["average_speed"] == 2.0
    races = requests.get(f"{server.url}/races", headers=editor).json()["data"]
    (other,) = [found["id"] for found in races if found["name"] == f"Race {number}"]
    assert total(other)["average_speed"] == 8.0


def test_a_number_that_nobody_announced_opens_a_race_of_its_own(server, editor, car, total):
    with signed_in(server, car) as client:
        drive(client, 123456789, speed=3)

    races = requests.get(f"{server.url}/races", headers=editor).json()["data"]
    (found,) = [each for each in races if each["name"] == "Race 123456789"]
    assert total(found["id"])["average_speed"] == 3.0


def test_a_race_that_was_deleted_stays_deleted_while_its_car_drives_on(server, editor, car, race, total):
    number = race()
    with signed_in(server, car) as client:
        drive(client, number, speed=3)
        assert total(number)
        requests.delete(f"{server.url}/race/{number}", headers=editor)
        drive(client, number, speed=5)

    assert total(number) is None
    names = [each["name"] for each in requests.get(f"{server.url}/races", headers=editor).json()["data"]]
    assert f"Race {number}" not in names
