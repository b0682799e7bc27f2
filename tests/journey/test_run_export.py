"""Export and comparison of runs over real HTTP: every reading, every format, and deltas that a hand computes."""

import csv
import io
import json
import re
import socket
import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import requests
from pyarrow import parquet

# ruff: noqa: S113 - the published clients give no timeout either

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def editor(server):
    return server.bearer(server.add_account("editor", team="Exporters"))


@pytest.fixture(scope="module")
def stranger(server):
    return server.bearer(server.add_account("admin", team="Not exporters"))


@pytest.fixture(scope="module")
def race(server, editor):
    """Drive a race: one sample a second with the speeds given, the distance their sum."""
    vehicle = requests.post(f"{server.url}/vehicle", json={"name": "Car"}, headers=editor).json()["data"]["id"]

    def drive(speeds, *, late_s=0.0, **more):
        body = {"vehicle_id": vehicle, "name": "Race"}
        number = requests.post(f"{server.url}/race", json=body, headers=editor).json()["data"]["id"]
        distance = 0.0
        for second, speed in enumerate(speeds):
            date = (START + timedelta(seconds=second + late_s)).isoformat()
            sample = {"race_id": number, "distance": distance, "speed": speed, "battery": 90, "date": date, **more}
            assert requests.post(f"{server.url}/sensor_data", json=sample, headers=editor).status_code == 201
            distance += speed
        return number

    return drive


@pytest.fixture
def export(server, editor):
    def ask(number, accept="", query=""):
        headers = {**editor, "Accept": accept}
        return requests.get(f"{server.url}/api/v1/runs/{number}/export{query}", headers=headers)

    return ask


@pytest.fixture
def compare(server, editor):
    def ask(headers=None, **query):
        return requests.get(f"{server.url}/api/v1/runs/compare", params=query, headers=headers or editor)

    return ask


def test_a_run_is_exported_as_ndjson_line_by_line_in_the_order_of_time(race, export):
    number = race([1.0, 2.5, 4.0], note="7")

    answer = export(number, "application/x-ndjson")

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.headers["x-total-readings"] == "3"
    assert [line["time"] for line in lines] == [f"2026-06-01T12:00:0{second}Z" for second in range(3)]
    assert lines[1]["channels"] == {
        "race": number,
        "distance": 1.0,
        "speed": 2.5,
        "battery": 90,
        "track": 0,
        "note": "7",
    }


def test_a_run_is_exported_as_csv_whose_cells_tell_text_from_numbers(race, export):
    number = race([1.0, 2.5], note="7", ready=True)

    answer = export(number, "text/csv")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == [
        "time", "id", "received", "sent", "battery", "distance", "note", "race", "ready", "speed", "track",
    ]  # fmt: skip
    assert (rows[1]["note"], rows[1]["speed"], rows[1]["ready"]) == ('"7"', "2.5", "true")
    assert "attachment" in answer.headers["content-disposition"]


def test_a_run_is_exported_as_parquet_with_typed_columns(race, export):
    number = race([1.0, 2.5], note="7")

    answer = export(number, "application/vnd.apache.parquet")

    table = parquet.read_table(io.BytesIO(answer.content))
    assert table["speed"].to_pylist() == [1.0, 2.5]
    assert str(table.schema.field("battery").type) == "int64"
    assert table["note"].to_pylist() == ["7", "7"]
    assert table["time"].to_pylist()[0] == START


def test_a_described_run_is_exported_and_compared_in_its_teams_units_and_as_sent_where_that_is_asked(
    server, editor, race, export, compare
):
    number, other = race([10.0, 20.0]), race([30.0, 50.0], late_s=50)
    device = requests.get(f"{server.url}/api/v1/runs/{number}", headers=editor).json()["device"]["id"]
    channels = f"{server.url}/api/v1/devices/{device}/channels"
    kmh = {"speed": {"unit": "km/h", "scale": 3.6}, "battery": {"unit": "%"}}
    assert requests.patch(channels, json=kmh, headers=editor).status_code == 200

    taken_back = {"unit": None, "scale": None}
    try:
        shown, sent = export(number, query="?format=csv").text, export(number, query="?format=csv&as=sent").text
        lines = export(number, query="?format=ndjson").text.splitlines()
        wrong = export(number, query="?format=ndjson&as=shown")
        compared = compare(runs=f"{number},{other}", step="1").json()
    finally:
        requests.patch(channels, json=dict.fromkeys(kmh, taken_back), headers=editor)

    assert shown.startswith("time,id,received,sent,battery / %,distance,race,speed / km/h (sent * 3.6),track\r\n")
    assert [float(row[7]) for row in csv.reader(shown.splitlines()[1:])] == [36.0, 72.0]
    assert sent == export(number, query="?format=csv").text
    assert [row[1] for row in csv.reader(shown.splitlines())][1:] == [row[1] for row in csv.reader(sent.splitlines())][
        1:
    ]
    assert [json.loads(line)["channels"]["speed"] for line in lines] == [10.0, 20.0]
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "as")
    assert [run["unit"] for run in compared["runs"]] == ["km/h", "km/h"]
    assert compared["runs"][1]["delta"] == pytest.approx([72.0, 108.0])


def test_the_format_may_stand_in_the_address_and_anything_else_is_refused(race, export):
    number = race([1.0])

    assert export(number, "*/*").headers["content-type"].startswith("text/csv")
    assert export(number, "text/html", "?format=ndjson").headers["content-type"].startswith("application/x-ndjson")
    assert export(number, "application/json").status_code == 406
    assert export(number, "", "?format=xlsx").status_code == 400
    assert export(number, "", "?speed=1").status_code == 400
    assert export(number, "", "?as=raw").status_code == 400


def test_what_is_excluded_and_what_is_another_runs_is_not_exported(server, race, export):
    number, other = race([1.0, 2.0, 3.0]), race([9.0, 9.0, 9.0])
    server.query(
        "INSERT INTO runs_exclusion (device_id, part, since, until, reason, created_at) "
        "SELECT device_id, part, %s::timestamptz, %s::timestamptz, 'bump', now() FROM runs_run WHERE id = %s "
        "RETURNING id",
        START + timedelta(seconds=1), START + timedelta(seconds=2), number,
    )  # fmt: skip

    assert [
        json.loads(line)["channels"]["speed"] for line in export(number, "", "?format=ndjson").text.splitlines()
    ] == [1, 3]
    assert len(export(other, "", "?format=ndjson").text.splitlines()) == 3


def test_an_exclusion_counts_alike_for_every_reader_however_the_number_of_the_race_is_written(
    server, editor, export, compare
):
    car = server.add_device("generic", team="Exporters")
    sent = [
        {"time": (START + timedelta(seconds=second)).isoformat(), "race": race, "speed": float(second)}
        for second, race in enumerate([13, 13.0, 13, 13.0, 13, 13.0, 13, 13.0, 13, 14.0])
    ]
    taken = requests.post(f"{server.url}/api/v1/readings", json=sent, headers=server.bearer(car))
    assert [each["outcome"] for each in taken.json()["readings"]] == ["stored"] * 10
    (number,) = server.query("SELECT id FROM fleet_device WHERE name = %s", car["name"])[0]
    body = {"device": number, "kind": "race", "part": "race=13.0", "started_at": START.isoformat()}
    made = requests.post(f"{server.url}/api/v1/runs", json=body, headers=editor).json()
    run = f"{server.url}/api/v1/runs/{made['id']}"
    left_out = {"since": START.isoformat(), "until": (START + timedelta(seconds=5)).isoformat(), "reason": "towed"}

    assert requests.post(f"{run}/exclusions", json=left_out, headers=editor).status_code == 201

    counting = [5.0, 6.0, 7.0, 8.0]
    summary = requests.get(run, headers=editor).json()["summary"]
    assert summary["completeness"]["received"] == summary["channels"]["speed"]["n"] == len(counting)
    lines = export(made["id"], "", "?format=ndjson").text.splitlines()
    assert [json.loads(line)["channels"]["speed"] for line in lines] == counting
    assert len(export(made["id"], "text/csv").text.splitlines()) == 1 + len(counting)
    assert export(made["id"]).headers["x-total-readings"] == str(len(counting))
    buckets = requests.get(f"{run}/buckets?bucket=1s&fn=mean", headers=editor).json()["data"]
    assert [bucket["channels"]["speed"]["mean"] for bucket in buckets] == counting
    other = race_of_ten_seconds(server, editor, number)
    assert compare(runs=f"{made['id']},{other}", step="1").json()["runs"][0]["values"] == counting


def race_of_ten_seconds(server, editor, device):
    """The one reading of race 14 and nine more, as a run of its own."""
    for second in range(10, 19):
        time = START + timedelta(seconds=second)
        server.query(
            "INSERT INTO fresh_reading VALUES (%s, %s, %s, now(), %s) RETURNING id",
            device, time, second, f'{{"race":14,"speed":{float(second)}}}',
        )  # fmt: skip
    body = {"device": device, "kind": "race", "part": "race=14", "started_at": START.isoformat()}
    return requests.post(f"{server.url}/api/v1/runs", json=body, headers=editor).json()["id"]


def test_a_run_without_readings_is_an_empty_export(race, export):
    number = race([])

    assert export(number, "", "?format=ndjson").text == ""
    assert export(number, "", "?format=csv").text == "time,id,received,sent\r\n"
    assert parquet.read_table(io.BytesIO(export(number, "", "?format=parquet").content)).num_rows == 0


def test_two_runs_aligned_at_their_start_differ_as_a_hand_computes(race, compare):
    one, two = race([1.0, 2.0, 3.0, 4.0]), race([2.0, 6.0, 4.0], late_s=100)

    found = compare(runs=f"{one},{two}", align="start", channel="speed", step="0.5").json()

    assert found["x"] == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert found["reference"] == one
    assert found["runs"][0]["values"] == [1.0, 1.5, 2.0, 2.5, 3.0]
    assert found["runs"][1]["values"] == [2.0, 4.0, 6.0, 5.0, 4.0]
    assert found["runs"][1]["delta"] == [1.0, 2.5, 4.0, 2.5, 1.0]
    assert found["runs"][0]["delta"] == [0.0] * 5


def test_two_runs_along_the_distance_differ_as_a_hand_computes(race, compare):
    slow, fast = race([2.0, 2.0, 2.0, 2.0]), race([3.0, 3.0, 3.0], late_s=7)

    found = compare(runs=f"{slow},{fast}", align="distance", channel="speed", step="3").json()

    assert found["x"] == [0.0, 3.0, 6.0]
    assert found["runs"][1]["delta"] == [1.0, 1.0, 1.0]
    assert found["runs"][0]["elapsed_s"] == [0.0, 1.5, 3.0]
    assert found["runs"][1]["elapsed_s"] == [0.0, 1.0, 2.0]
    assert found["runs"][1]["time_delta_s"] == [0.0, -0.5, -1.0]


def test_a_grid_is_chosen_when_none_is_asked_for(race, compare):
    numbers = [race([1.0, 2.0, 3.0]) for _ in range(3)]

    found = compare(runs=",".join(map(str, numbers))).json()

    assert len(found["x"]) == 500
    assert (found["x"][0], found["x"][-1]) == (0.0, pytest.approx(2.0))
    assert all(len(run["values"]) == len(run["delta"]) == 500 for run in found["runs"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "runs"),
        ({"runs": "{run}"}, "runs"),
        ({"runs": "{run},{run}"}, "runs"),
        ({"runs": "1,2,3,4,5,6,7,8,9"}, "runs"),
        ({"runs": "{run},{other}", "channel": "altitude"}, "channel"),
        ({"runs": "{run},{other}", "align": "altitude"}, "channel"),
        ({"runs": "{run},{other}", "step": "0"}, "step"),
        ({"runs": "{run},{other}", "step": "0.0000001"}, "step"),
        ({"runs": "{run},{other}", "speed": "1"}, "speed"),
    ],
)
def test_a_wrong_comparison_is_400_and_the_field_is_named(race, compare, pair, query, field):
    answer = compare(**{name: value.format(**pair) for name, value in query.items()})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


@pytest.fixture(scope="module")
def pair(race):
    return {"run": race([1.0, 2.0]), "other": race([2.0, 3.0])}


def test_who_is_not_of_the_team_finds_no_run(server, race, compare, stranger, pair):
    address = f"{server.url}/api/v1/runs/{pair['run']}/export"
    device = server.bearer(server.add_device("racing", team="Exporters"))

    assert requests.get(address, headers=stranger).status_code == 404
    assert requests.get(address).status_code == 401
    assert requests.get(address, headers=device).status_code == 403
    assert requests.post(address, headers=stranger).status_code == 405
    runs = f"{pair['run']},{pair['other']}"
    assert compare(headers=stranger, runs=runs).status_code == 404
    assert compare(headers={"Accept": "*/*"}, runs=runs).status_code == 401
    assert compare(headers=device, runs=runs).status_code == 403
    assert compare(runs=f"{pair['run']},999999999999999999999999").status_code == 404


def test_who_brings_no_token_is_told_what_to_bring_and_a_device_that_it_may_not(server, race):
    number = race([1.0])
    device = server.bearer(server.add_device("racing", team="Exporters"))

    for path in (f"{number}/export", f"compare?runs={number},1"):
        missing = requests.get(f"{server.url}/api/v1/runs/{path}")
        wrong = requests.get(f"{server.url}/api/v1/runs/{path}", headers={"Authorization": "Bearer nonsense"})

        assert (missing.status_code, wrong.status_code) == (401, 401)
        assert missing.headers["www-authenticate"].startswith("Bearer")
        assert missing.json()["detail"]
        assert requests.get(f"{server.url}/api/v1/runs/{path}", headers=device).status_code == 403


def test_what_an_export_will_be_is_told_without_it(race, server, editor):
    number = race([1.0, 2.0])

    answer = requests.head(f"{server.url}/api/v1/runs/{number}/export?format=csv", headers=editor)

    assert (answer.status_code, answer.headers["x-total-readings"]) == (200, "2")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"


def test_an_export_ends_when_its_client_hangs_up_and_its_connection_is_free(start_server):
    server = start_server("--workers", "1")
    editor = server.bearer(server.add_account("editor"))
    device = server.add_device("racing")["id"]
    body = {"device": device, "kind": "race", "started_at": START.isoformat()}
    number = requests.post(f"{server.url}/api/v1/runs", json=body, headers=editor).json()["id"]
    with psycopg.connect(server.database_url) as holder:
        holder.execute("LOCK TABLE reading IN ACCESS EXCLUSIVE MODE")  # so that the export's statement waits
        for _ in range(6):  # more than the worker has connections for reading
            client = ask(server, f"/api/v1/runs/{number}/export", editor)
            wait_until_waiting(server, 1)
            client.close()
            wait_until_waiting(server, 0)

        address = f"{server.url}/api/v1/devices/{device}/quarantine"
        assert requests.get(address, headers=editor, timeout=30).status_code == 200


def test_a_page_of_readings_or_quarantine_ends_when_its_client_hangs_up(start_server):
    server = start_server("--workers", "1")
    editor = server.bearer(server.add_account("editor"))
    device = server.add_device()["id"]
    with psycopg.connect(server.database_url) as holder:
        holder.execute("LOCK TABLE reading, quarantine IN ACCESS EXCLUSIVE MODE")
        for what in ("readings", "quarantine") * 3:  # more than the worker has connections for reading
            client = ask(server, f"/api/v1/devices/{device}/{what}", editor)
            wait_until_waiting(server, 1)
            client.close()
            wait_until_waiting(server, 0)

        address = f"{server.url}/api/v1/devices/{device}/config"
        assert requests.get(address, headers=editor, timeout=30).status_code < 500


def ask(server, path, headers):
    host, port = server.url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)))
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", *(f"{name}: {value}" for name, value in headers.items())]
    client.sendall("\r\n".join([*lines, "", ""]).encode())
    return client


def wait_until_waiting(server, count):
    """Wait until so many statements of the worker's reading connections wait for the lock."""
    sql = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'releve pool%%' "
        "AND state = 'active' AND wait_event_type = 'Lock'"
    )
    deadline_s = time.monotonic() + 30
    while (found := server.query(sql)[0][0]) != count:
        assert time.monotonic() < deadline_s, f"{found} statements wait, not {count}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def sensor(server):
    """The address of a device with ten readings."""
    added = server.add_device("generic", team="Exporters")
    readings = [{"time": (START + timedelta(seconds=n)).isoformat(), "n": n, "note": "a;b"} for n in range(10)]
    sent = requests.post(f"{server.url}/api/v1/readings", json=readings, headers=server.bearer(added))
    assert sent.status_code == 200
    [[number]] = server.query("SELECT id FROM fleet_device WHERE name = %s", added["name"])
    return f"{server.url}/api/v1/devices/{number}/export"


def test_everything_of_a_device_is_one_file_in_each_format(sensor, editor):
    lines, table, columns = [
        requests.get(sensor, params={"format": form}, headers=editor) for form in ("ndjson", "csv", "parquet")
    ]

    assert [json.loads(line)["channels"]["n"] for line in lines.text.splitlines()] == list(range(10))
    assert [row["note"] for row in csv.DictReader(io.StringIO(table.text))] == ["a;b"] * 10
    assert parquet.read_table(io.BytesIO(columns.content)).column("n").to_pylist() == list(range(10))
    assert {each.headers["x-total-readings"] for each in (lines, table, columns)} == {"10"}
    assert re.fullmatch(r'attachment; filename="device-[0-9]+.csv"', table.headers["content-disposition"])
    head = requests.head(sensor, headers=editor)
    assert (head.status_code, head.headers["x-total-readings"], head.text) == (200, "10", "")


def test_of_a_device_a_span_is_exported_and_what_is_no_parameter_is_named(sensor, editor, stranger):
    span = {"from": (START + timedelta(seconds=3)).isoformat(), "to": (START + timedelta(seconds=5)).isoformat()}

    found = requests.get(sensor, params={"format": "ndjson", **span}, headers=editor)
    wrong = [requests.get(sensor, params=asked, headers=editor) for asked in ({"limit": "5"}, {"from": "soon"})]

    assert [json.loads(line)["channels"]["n"] for line in found.text.splitlines()] == [3, 4]
    assert [(each.status_code, each.json()["errors"][0]["field"]) for each in wrong] == [(400, "limit"), (400, "from")]
    assert requests.get(sensor, headers=stranger).status_code == 404
    assert requests.get(sensor).status_code == 401
