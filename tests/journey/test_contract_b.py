"""Contract B over real HTTP, with the client's own library: vehicles, races, their samples and statistics."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests

# ruff: noqa: S113 - the published clients give no timeout either

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HAND = {
    "distance": 120.5,
    "speed_max": 15,
    "speed_average": 9.5,
    "battery_max": 99,
    "battery_min": 80,
    "time": 42.5,
    "date": "2026-06-01T14:00:00+02:00",
}


class Team:
    """A team of its own, with somebody who edits, somebody who looks, and calls as they make them."""

    def __init__(self, server, name):
        self.url = server.url
        self.editor = server.bearer(server.add_account("editor", team=name))
        self.viewer = server.bearer(server.add_account("viewer", team=name))

    def call(self, method, path, body=None, headers=None):
        answer = requests.request(
            method,
            f"{self.url}{path}",
            json=body,
            headers=self.editor if headers is None else headers,
            allow_redirects=False,
        )
        assert answer.headers["content-type"].startswith("application/json"), answer.text
        return answer

    def vehicle(self, name="Car"):
        return self.call("POST", "/vehicle", {"name": name}).json()["data"]["id"]

    def race(self, vehicle=None, name="Race"):
        body = {"vehicle_id": vehicle or self.vehicle(), "name": name}
        return self.call("POST", "/race", body).json()["data"]["id"]

    def send(self, race, **changes):
        return self.call("POST", "/sensor_data", sample(race, **changes))


def sample(race, **changes):
    return {"race_id": race, "distance": 1.5, "speed": 3.25, "battery": 98} | changes


def at(seconds):
    return (START + timedelta(seconds=seconds)).isoformat()


@pytest.fixture(scope="module")
def team(server):
    return Team(server, "Racers")


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_vehicle_is_added_shown_renamed_and_deleted(team, slash):
    added = team.call("POST", f"/vehicle{slash}", {"name": "Red"})
    number = added.json()["data"]["id"]
    shown = team.call("GET", f"/vehicle/{number}{slash}")
    listed = team.call("GET", f"/vehicles{slash}")
    renamed = team.call("PUT", f"/vehicle/{number}{slash}", {"name": "Blue"})
    deleted = team.call("DELETE", f"/vehicle/{number}{slash}")
    gone = team.call("GET", f"/vehicle/{number}{slash}")

    assert (added.status_code, added.json()) == (
        201,
        {"message": "Vehicle successfully added", "data": {"id": number, "name": "Red"}},
    )
    assert (shown.status_code, shown.json()) == (200, {"data": {"id": number, "name": "Red"}})
    assert listed.status_code == 200
    assert {"id": number, "name": "Red"} in listed.json()["data"]
    assert renamed.json() == {"message": "Vehicle successfully updated", "data": {"id": number, "name": "Blue"}}
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Vehicle successfully deleted"})
    assert (gone.status_code, gone.json()) == (404, {"message": "Vehicle not found"})


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_race_is_added_shown_renamed_and_deleted(team, slash):
    vehicle = team.vehicle()
    added = team.call("POST", f"/race{slash}", {"vehicle_id": str(vehicle), "name": "Final"})
    number = added.json()["data"]["id"]
    race = {"id": number, "vehicle_id": vehicle, "name": "Final"}
    other = team.vehicle()

    assert (added.status_code, added.json()) == (201, {"message": "Race successfully added", "data": race})
    assert team.call("GET", f"/race/{number}{slash}").json() == {"data": race}
    assert race in team.call("GET", f"/races{slash}").json()["data"]
    changed = team.call("PUT", f"/race/{number}{slash}", {"vehicle_id": other, "name": "Semi"})
    assert (changed.status_code, changed.json()) == (
        200,
        {"message": "Race successfully updated", "data": {"id": number, "vehicle_id": other, "name": "Semi"}},
    )
    deleted = team.call("DELETE", f"/race/{number}{slash}")
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Race successfully deleted"})
    gone = team.call("GET", f"/race/{number}{slash}")
    assert (gone.status_code, gone.json()) == (404, {"message": "Race not found"})
    assert team.send(number).status_code == 404


@pytest.mark.parametrize("slash", ["", "/"])
def test_sensor_data_is_stored_under_the_vehicles_own_device_with_every_channel(server, team, slash):
    race = team.race()

    answer = team.call(
        "POST", f"/sensor_data{slash}", sample(race, date="2026-06-01T12:00:00", track=2, tyre_temperature=61.5)
    )

    assert answer.status_code == 201
    assert answer.json()["message"] == "Sensor data successfully added"
    data = answer.json()["data"]
    expected = sample(race, track=2, tyre_temperature=61.5, date="2026-06-01T12:00:00Z", outcome="stored")
    assert data == data | expected
    rows = server.query(
        "SELECT device.contract, reading.channels::jsonb, reading.id"
        " FROM fresh_reading AS reading JOIN fleet_device AS device "
        "ON device.id = device_id WHERE reading.id = %s",
        int(data["id"]),
    )
    channels = {"race": race, "distance": 1.5, "speed": 3.25, "battery": 98, "track": 2, "tyre_temperature": 61.5}
    assert rows == [("racing", channels, int(data["id"]))]


def test_without_a_date_it_is_now_and_without_a_track_it_is_0_and_race_id_may_be_text(team):
    race = team.race()
    before = datetime.now(UTC)

    data = team.send(str(race)).json()["data"]

    assert before <= datetime.fromisoformat(data["date"]) <= datetime.now(UTC)
    assert (data["race_id"], data["track"]) == (race, 0)


def test_the_same_sample_twice_is_two_successes_and_counts_once(team):
    race = team.race()
    answers = [team.send(race, date=at(0)) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json()["data"]["duplicate"] for answer in answers] == [False, True]
    assert entries(team, race)["total_entries"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/vehicle", {}, "name"),
        ("POST", "/vehicle", {"name": ""}, "name"),
        ("POST", "/vehicle", {"name": None}, "name"),
        ("POST", "/vehicle", {"name": {"a": 1}}, "name"),
        ("POST", "/vehicle", {"name": "x" * 129}, "name"),
        ("POST", "/vehicle", [], ""),
        ("PUT", "/vehicle/{vehicle}", {}, "name"),
        ("POST", "/race", {"name": "x"}, "vehicle_id"),
        ("POST", "/race", {"vehicle_id": "one", "name": "x"}, "vehicle_id"),
        ("POST", "/race", {"vehicle_id": 1.5, "name": "x"}, "vehicle_id"),
        ("POST", "/race", {"vehicle_id": 10**30, "name": "x"}, ""),
        ("POST", "/race", {"vehicle_id": "{vehicle}"}, "name"),
        ("PUT", "/race/{race}", {}, "name"),
        ("POST", "/sensor_data", {"distance": 1, "speed": 1, "battery": 1}, "race_id"),
        ("POST", "/sensor_data", {"race_id": "x", "distance": 1, "speed": 1, "battery": 1}, "race_id"),
        ("POST", "/sensor_data", {"race_id": "{race}", "speed": 1, "battery": 1}, "distance"),
        ("POST", "/sensor_data", {"race_id": "{race}", "distance": 1, "battery": 1}, "speed"),
        ("POST", "/sensor_data", {"race_id": "{race}", "distance": 1, "speed": 1}, "battery"),
        ("POST", "/sensor_data", {"race_id": "{race}", "distance": 1, "speed": "fast", "battery": 1}, "speed"),
        ("POST", "/sensor_data", {"race_id": "{race}", "distance": 1, "speed": None, "battery": 1}, "speed"),
        ("POST", "/sensor_data", {"race_id": "{race}", "distance": 1, "speed": 1, "battery": 1, "track": "a"}, "track"),
        ("POST", "/sensor_data", {"race_id": "{race}", "distance": 1, "speed": 1, "battery": 1, "date": "x"}, "date"),
        ("POST", "/sensor_data", {"race_id": "{race}", "distance": 1, "speed": 1, "battery": 1, "date": 12}, "date"),
        ("POST", "/sensor_data", {"race_id": "{race}", "distance": 1, "speed": 1, "battery": 1, "x": {}}, "x"),
        ("POST", "/sensor_data", [], ""),
        ("POST", "/stats_race", {**HAND, "race_id": "x"}, "race_id"),
        ("POST", "/stats_race", HAND, "race_id"),
        *(("PUT", "/stats_race/{race}", {**HAND, name: "much"}, name) for name in HAND if name != "date"),
        *(
            ("PUT", "/stats_race/{race}", {key: value for key, value in HAND.items() if key != name}, name)
            for name in HAND
        ),
        ("PUT", "/stats_race/{race}", {**HAND, "date": "yesterday"}, "date"),
    ],
)
def test_a_wrong_body_is_400_and_the_message_names_the_field(team, refused, method, path, body, field):
    body = {k: refused.get(v, v) if isinstance(v, str) else v for k, v in body.items()} if body else body
    answer = team.call(method, path.format(**{name.strip("{}"): value for name, value in refused.items()}), body)

    assert answer.status_code == 400, answer.text
    assert field in answer.json()["message"]


@pytest.fixture(scope="module")
def refused(team):
    """A race that is never changed, because every change of it is refused."""
    vehicle = team.vehicle()
    return {"{vehicle}": vehicle, "{race}": team.race(vehicle)}


@pytest.mark.parametrize("body", [b"", b"{", b'{"name": NaN}', b"\xff", b'"text"'])
@pytest.mark.parametrize("path", ["/vehicle", "/race", "/sensor_data", "/stats_race"])
def test_a_body_that_is_no_json_object_is_400_with_a_message(team, path, body):
    headers = {**team.editor, "Content-Type": "application/json"}
    answer = requests.post(f"{team.url}{path}", data=body, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method, f"/{thing}/2000000000") for thing in ("vehicle", "race") for method in ("GET", "PUT", "DELETE")),
        ("GET", "/vehicle/99999999999999999999999"),
        ("GET", "/vehicle/abc"),
        ("GET", "/race/-1"),
        ("PUT", "/stats_race/2000000000"),
        ("DELETE", "/stats_race/2000000000"),
        ("GET", "/stats_race?race_id=2000000000"),
    ],
)
def test_what_does_not_exist_is_404_with_a_message(team, method, path):
    for accept in ("application/json", "text/html"):
        headers = {**team.editor, "Accept": accept}
        answer = requests.request(method, f"{team.url}{path}", json={"name": "x", **HAND}, headers=headers)

        assert answer.status_code == 404
        assert answer.json()["message"]


def test_a_race_of_an_unknown_vehicle_and_data_of_an_unknown_race_are_404(team):
    unknown = {"race_id": 2_000_000_000}

    assert team.call("POST", "/race", {"vehicle_id": 2_000_000_000, "name": "x"}).status_code == 404
    assert team.send(2_000_000_000).json()["message"] == "Race not found"
    assert team.call("POST", "/stats_race", HAND | unknown).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/vehicle"),
        ("POST", "/vehicles"),
        ("PATCH", "/vehicle/1"),
        ("GET", "/race"),
        ("DELETE", "/races"),
        ("GET", "/sensor_data"),
        ("PUT", "/stats_race"),
        ("GET", "/stats_race/1"),
        ("POST", "/get_stats_races"),
        ("POST", "/stats_every_5_seconds"),
    ],
)
def test_a_wrong_method_is_405_with_a_message(team, method, path):
    answer = team.call(method, path, {})

    assert answer.status_code == 405
    assert answer.json()["message"]


def entries(team, race):
    """The race's row of /get_stats_races."""
    rows = team.call("GET", "/get_stats_races").json()
    return next((row for row in rows if row["sensor_data_race_id"] == race), None)


def test_the_statistics_are_what_the_samples_say(team):
    race = team.race()
    for second, (speed, distance, battery) in enumerate([(2.0, 0.0, 90.0), (4.0, 3.0, 89.0), (9.0, 10.0, 85.0)]):
        team.send(race, speed=speed, distance=distance, battery=battery, date=at(second * 2))

    row = entries(team, race)
    stats = team.call("GET", f"/stats_race?race_id={race}")

    assert row == {
        "sensor_data_race_id": race,
        "total_entries": 3,
        "average_distance": pytest.approx(13 / 3),
        "average_speed": 5.0,
        "max_distance": 10.0,
        "min_distance": 0.0,
        "average_battery": 88.0,
        "max_battery": 90.0,
        "start_time": "2026-06-01T12:00:00Z",
        "end_time": "2026-06-01T12:00:04Z",
        "time_difference": 4.0,
    }
    assert stats.status_code == 200
    (found,) = stats.json()["data"]
    assert found == found | {
        "id": race,
        "race_id": race,
        "distance": 10.0,
        "speed_max": 9.0,
        "speed_average": 5.0,
        "battery_max": 90.0,
        "battery_min": 85.0,
        "time": 4.0,
    }
    assert datetime.fromisoformat(found["date"]) <= START


def test_late_data_moves_the_statistics_at_once(team):
    race = team.race()
    team.send(race, date=at(100), speed=4)
    assert entries(team, race)["average_speed"] == 4.0

    team.send(race, date=at(0), speed=2)

    assert entries(team, race)["average_speed"] == 3.0
    assert entries(team, race)["time_difference"] == 100.0


def test_a_race_without_samples_has_no_statistics_and_is_in_neither_list(team):
    race = team.race()
    answer = team.call("GET", f"/stats_race?race_id={race}")

    assert (answer.status_code, answer.json()) == (404, {"message": "No statistics found for the given race_id"})
    assert entries(team, race) is None
    assert team.call("GET", f"/stats_every_5_seconds?race_id={race}").json() == []


@pytest.mark.parametrize("query", ["", "?race_id=", "?other=1"])
def test_statistics_without_a_race_are_400_in_the_contracts_words(team, query):
    answer = team.call("GET", f"/stats_race{query}")

    assert (answer.status_code, answer.json()) == (400, {"message": "race_id parameter is required"})


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_json_is_taken_under_any_media_type_or_none(team, media_type):
    headers = team.editor | ({"Content-Type": media_type} if media_type else {})
    vehicle = requests.post(f"{team.url}/vehicle", '{"name": "Car"}', headers=headers)
    body = json.dumps({"vehicle_id": vehicle.json()["data"]["id"], "name": "R"})
    race = requests.post(f"{team.url}/race", body, headers=headers)
    sent = requests.post(f"{team.url}/sensor_data", json.dumps(sample(race.json()["data"]["id"])), headers=headers)

    assert [vehicle.status_code, race.status_code, sent.status_code] == [201, 201, 201]


def test_a_race_is_named_by_a_whole_number_however_it_is_written(team):
    race = team.race(f"{team.vehicle()}.0")
    assert [team.send(written).status_code for written in (f"{race}.00", race, float(race))] == [201, 201, 201]

    assert team.call("GET", f"/stats_race?race_id={race}.00").json()["data"][0]["race_id"] == race
    assert team.call("GET", f"/stats_every_5_seconds?race_id={race}.0").json()[0]["race_id"] == race
    for wrong in (f"{race}.5", "1e3", "٣", ""):
        assert team.send(wrong).status_code == 400


@pytest.mark.parametrize("path", ["/sensor_data", "/get_broker_data", "/vehicle", "/stats_race"])
def test_every_route_says_which_methods_it_takes(team, path):
    answer = team.call("OPTIONS", path)

    assert answer.status_code == 200
    assert "OPTIONS" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/stats_race", "/stats_every_5_seconds"])
def test_a_race_that_is_no_number_is_400(team, path):
    assert team.call("GET", f"{path}?race_id=first").status_code == 400


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_correction_by_hand_survives_new_data_until_it_is_deleted(team, slash):
    race = team.race()
    team.send(race, date=at(0), speed=2)
    added = team.call("POST", f"/stats_race{slash}", {**HAND, "race_id": str(race)})
    put = team.call("PUT", f"/stats_race/{race}{slash}", {**HAND, "speed_max": 16})
    team.send(race, date=at(5), speed=100)
    stats = team.call("GET", f"/stats_race{slash}?race_id={race}").json()["data"]
    corrected = entries(team, race)
    deleted = team.call("DELETE", f"/stats_race/{race}{slash}")

    expected = {"id": race, "race_id": race, **HAND, "date": "2026-06-01T12:00:00Z"}
    assert (added.status_code, added.json()) == (
        201,
        {"message": "Stats race successfully added", "data": expected},
    )
    assert (put.status_code, put.json()) == (
        200,
        {"message": "Stats race successfully updated", "data": {**expected, "speed_max": 16}},
    )
    assert stats == [{**expected, "speed_max": 16}]
    assert (corrected["average_speed"], corrected["time_difference"]) == (9.5, 42.5)
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Stats race successfully deleted"})
    (computed,) = team.call("GET", f"/stats_race?race_id={race}").json()["data"]
    assert (computed["speed_max"], computed["speed_average"]) == (100.0, 51.0)


@pytest.mark.parametrize("slash", ["", "/"])
def test_five_seconds_of_a_sine_race_equal_the_closed_form(team, slash):
    race, rate_hz, omega = team.race(), 4, 0.3
    for tick in range(20 * rate_hz):
        t = tick / rate_hz
        speed = 10 + 5 * math.sin(omega * t)
        team.send(race, date=at(t), speed=speed, distance=10 * t, battery=100 - t, track=tick // 30)

    rows = team.call("GET", f"/stats_every_5_seconds{slash}?race_id={race}").json()

    # The sum of sines of equal steps: sin(n·h/2)·sin(a + (n-1)·h/2) / sin(h/2).
    n, h = 5 * rate_hz, omega / rate_hz
    for place, row in enumerate(rows):
        a = omega * 5 * place
        mean_sine = math.sin(n * h / 2) * math.sin(a + (n - 1) * h / 2) / math.sin(h / 2) / n
        last = 5 * place + 5 - 1 / rate_hz
        assert row == {
            "id": place + 1,
            "race_id": race,
            "date": f"2026-06-01T12:00:{5 * place:02}Z",
            "speed": pytest.approx(10 + 5 * mean_sine, rel=1e-12),
            "distance": pytest.approx(10 * last),
            "battery": pytest.approx(100 - (5 * place + last) / 2),
            "track": int(last * rate_hz) // 30,
        }
    assert len(rows) == 4


def test_every_statistic_is_a_number_for_a_client_that_formats_it(team):
    team.send(team.race(), date=at(0))
    rows = team.call("GET", "/get_stats_races").json() + team.call("GET", "/stats_every_5_seconds").json()

    assert rows
    for row in rows:
        for name, value in row.items():
            if name in {"date", "start_time", "end_time"}:
                assert datetime.fromisoformat(value).tzinfo is not None
            else:
                assert type(value) in {int, float}, name


def test_five_seconds_of_all_races_are_ordered_by_race_then_date(team):
    for race in (team.race(), team.race()):
        for second in (10, 0, 5):
            team.send(race, date=at(second))

    rows = team.call("GET", "/stats_every_5_seconds").json()

    order = [(row["race_id"], datetime.fromisoformat(row["date"])) for row in rows]
    assert order == sorted(order)
    assert [row["id"] for row in rows] == list(range(1, len(rows) + 1))


def test_two_vehicles_at_once_never_mix(team):
    races = [team.race(team.vehicle(f"Car {number}")) for number in range(2)]

    def drive(number):
        for tick in range(40):
            assert team.send(races[number], date=at(tick / 10), speed=10 * (number + 1)).status_code == 201

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(drive, range(2)))

    for number, race in enumerate(races):
        row = entries(team, race)
        assert (row["total_entries"], row["average_speed"]) == (40, 10.0 * (number + 1))


def test_two_races_of_one_vehicle_at_once_never_mix(team):
    vehicle = team.vehicle()
    races = [team.race(vehicle), team.race(vehicle)]
    for tick in range(5):
        for number, race in enumerate(races):
            team.send(race, date=at(tick), speed=number + 1)

    assert [entries(team, race)["average_speed"] for race in races] == [1.0, 2.0]
    assert [entries(team, race)["total_entries"] for race in races] == [5, 5]


def test_deleting_a_vehicle_deletes_its_races_and_no_reading(server, team):
    vehicle = team.vehicle()
    race = team.race(vehicle)
    reading = team.send(race, date=at(0)).json()["data"]["id"]

    team.call("DELETE", f"/vehicle/{vehicle}")

    assert team.call("GET", f"/race/{race}").status_code == 404
    assert server.query("SELECT count(*) FROM fresh_reading WHERE id = %s", int(reading)) == [(1,)]


def test_samples_join_the_car_that_drives_the_race_meanwhile(server, team):
    vehicle = team.vehicle()
    race = team.race(vehicle)
    assert team.call("POST", "/sensor_data", sample(race, speed="x")).status_code == 400
    assert team.call("POST", "/sensor_data", sample(race, date="x")).status_code == 400  # it is known, and undriven
    car = server.add_device("racing", team="Racers")
    assert team.call("POST", "/sensor_data", sample(race), headers=server.bearer(car)).status_code == 201

    answers = [team.send(race, date=at(second)) for second in range(4)]  # on either worker

    assert {answer.status_code for answer in answers} == {201}
    assert entries(team, race)["total_entries"] == 5


def test_numbers_may_be_text_and_dates_as_in_http_headers_everywhere(server):
    team = Team(server, "Numeric text")
    race = team.race()
    written = {
        name: f" {value} " if name != "date" else "Mon, 01 Jun 2026 12:00:00 GMT" for name, value in HAND.items()
    }

    sent = team.send(
        race, race_id=f"{race}", distance="18.5", speed="3", battery=".5e2", track="1", date=written["date"]
    )
    corrected = team.call("POST", "/stats_race", {"race_id": f"{race}", **written})

    assert sent.status_code == 201, sent.text
    data = sent.json()["data"]
    assert [data[name] for name in ("distance", "speed", "battery", "track")] == [18.5, 3, 50, 1]
    assert data["date"] == "2026-06-01T12:00:00Z"
    assert corrected.status_code == 201, corrected.text
    assert [corrected.json()["data"][name] for name in ("distance", "time")] == [120.5, 42.5]
    for field, wrong in (("distance", "far"), ("speed", "1_0"), ("battery", "nan"), ("date", "Someday, 2026")):
        refused = team.send(race, **{field: wrong})
        assert (refused.status_code, field in refused.json()["message"]) == (400, True), refused.text
