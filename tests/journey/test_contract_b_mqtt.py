"""Contract B's races as cars drive them over MQTT: a number opens or joins a race, `false` closes it, two never mix."""

from datetime import datetime, timedelta

import pytest
import requests
from tests.journey.mqtt_client import eventually, signed_in

# ruff: noqa: S113 - the published clients give no timeout either

TEAM = "Drivers"


@pytest.fixture(scope="module")
def server(module_start, installation):
    """One of this file's own: to cut the runs of everybody's devices takes long."""
    return module_start(installation(), "--workers", "2")


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
        server.cut_runs()
        rows = requests.get(f"{server.url}/get_stats_races", headers=editor).json()
        return next((row for row in rows if row["sensor_data_race_id"] == race), None)

    return of


def drive(client, race, *, speed, battery=80, prefix="esp32bis"):
    """One sample as an ESP32 sends it, a topic a quantity."""
    for quantity, value in (("race", race), ("speed", speed), ("distance", 10), ("battery", battery)):
        client.publish(f"{prefix}/{quantity}", str(value).encode())


def add_sample(server, headers, race, *, speed):
    """One sample over HTTP; the status."""
    body = {"race_id": race, "distance": 10, "speed": speed, "battery": 80}
    return requests.post(f"{server.url}/sensor_data", json=body, headers=headers).status_code


def others(server, headers, number):
    """The races of cars that named a number whose race was another car's, or that nobody announced."""
    server.cut_runs()
    races = requests.get(f"{server.url}/races", headers=headers).json()["data"]
    return [found["id"] for found in races if found["name"] == f"Race {number}"]


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


def test_a_car_that_says_race_last_in_every_cycle_loses_no_sample(server, car, race, total):
    number = race()
    with signed_in(server, car) as client:
        for tick in range(3):
            for quantity, value in (("distance", tick), ("battery", 80), ("speed", 4), ("track", 1), ("race", number)):
                client.publish(f"esp32/{quantity}", str(value).encode())

    assert (total(number)["total_entries"], total(number)["min_distance"]) == (3, 0.0)


def test_samples_over_mqtt_and_then_over_http_are_in_one_race_though_nobody_looked(server, editor, car, race, total):
    number = race()
    with signed_in(server, car) as client:
        drive(client, number, speed=4)
    assert add_sample(server, editor, number, speed=6) == 201

    assert (total(number)["total_entries"], total(number)["average_speed"]) == (2, 5.0)
    assert others(server, editor, number) == []


@pytest.mark.parametrize("is_looked_at", [False, True])
def test_a_race_that_http_samples_began_is_not_the_cars_whoever_looks(server, editor, car, race, total, is_looked_at):
    number = race()
    assert add_sample(server, editor, number, speed=6) == 201
    if is_looked_at:
        assert total(number)["average_speed"] == 6.0
    with signed_in(server, car) as client:
        drive(client, number, speed=4)

    assert total(number)["average_speed"] == 6.0
    (other,) = others(server, editor, number)
    assert total(other)["average_speed"] == 4.0


def test_a_race_is_the_cars_whose_sample_came_first_though_nobody_looked(server, editor, race, total):
    number = race()
    older, newer = (server.add_device("racing", team=TEAM) for _ in range(2))
    with signed_in(server, older) as late, signed_in(server, newer) as first:
        drive(first, number, speed=2)
        drive(first, number, speed=4)
        drive(late, number, speed=8)

    assert (total(number)["total_entries"], total(number)["average_speed"]) == (2, 3.0)
    (other,) = others(server, editor, number)
    assert total(other)["average_speed"] == 8.0


def test_a_car_of_another_team_takes_no_race_by_its_number(server, editor, car, race, total):
    number = race()
    with signed_in(server, server.add_device("racing", team="Other drivers")) as foreign, signed_in(server, car) as own:
        drive(foreign, number, speed=9)
        drive(own, number, speed=4)

    assert (total(number)["total_entries"], total(number)["average_speed"]) == (1, 4.0)
    assert others(server, editor, number) == []


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


def test_a_car_that_says_the_race_before_every_sample_has_no_two_races_at_once(server, editor, car, race, total):
    first, second = race(), race()
    with signed_in(server, car) as client:
        for number in (first, first, second, second):
            drive(client, number, speed=4)
        assert eventually(lambda: total(first) and ended_at(server, first))
        drive(client, second, speed=4)

    found = requests.get(f"{server.url}/api/v1/runs/{first}", headers=editor).json()
    ended, last = (datetime.fromisoformat(text) for text in (found["ended_at"], found["summary"]["last"]))
    assert ended - last == timedelta(microseconds=1)
    assert found["summary"]["last"] not in {gap["since"] for gap in found["summary"]["completeness"]["gaps"]}
    assert not found["is_hand_cut"]


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

    server.cut_runs()
    races = requests.get(f"{server.url}/races", headers=editor).json()["data"]
    (found,) = [each for each in races if each["name"] == "Race 123456789"]
    assert total(found["id"])["average_speed"] == 3.0


def test_an_unannounced_number_finds_the_race_of_the_car_that_named_it(server, editor, car):
    number = 987654321
    with signed_in(server, car) as client:
        drive(client, number, speed=3)
    server.cut_runs()
    outsider = server.bearer(server.add_account("editor", team="Other drivers"))

    def get(path, headers=editor):
        return requests.get(f"{server.url}{path}", headers=headers)

    race = get(f"/race/{number}").json()["data"]
    assert race["name"] == f"Race {number}"
    assert get(f"/race/{race['id']}").json()["data"] == race
    assert get(f"/stats_race?race_id={number}").json()["data"][0]["speed_average"] == 3.0
    assert [row["race_id"] for row in get(f"/stats_every_5_seconds?race_id={number}").json()] == [race["id"]]
    assert get(f"/race/{number}", outsider).status_code == 404
    assert get(f"/stats_race?race_id={number}", outsider).status_code == 404
    assert get(f"/stats_every_5_seconds?race_id={number}", outsider).json() == []


def test_the_number_of_a_cars_race_is_no_later_races(server, editor, car, race):
    number = race() + 4
    with signed_in(server, car) as client:
        drive(client, number, speed=3)
    server.cut_runs()
    before = requests.get(f"{server.url}/race/{number}", headers=editor).json()["data"]

    later = [race() for _ in range(6)]

    assert number not in later
    assert max(later) > number
    assert requests.get(f"{server.url}/race/{number}", headers=editor).json()["data"] == before
    statistic = requests.get(f"{server.url}/stats_race?race_id={number}", headers=editor).json()["data"]
    assert [row["speed_average"] for row in statistic] == [3.0]


def test_a_race_that_nobody_announced_has_a_vehicle_of_its_cars_name(server, editor, car):
    numbers = (987654322, 987654323)
    with signed_in(server, car) as client:
        for number in numbers:
            drive(client, number, speed=3)

    server.cut_runs()
    races = [requests.get(f"{server.url}/race/{number}", headers=editor).json()["data"] for number in numbers]
    assert races[0]["vehicle_id"] == races[1]["vehicle_id"]
    vehicle = requests.get(f"{server.url}/vehicle/{races[0]['vehicle_id']}", headers=editor).json()["data"]
    assert vehicle["name"] == car["name"]


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
