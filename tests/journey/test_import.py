"""`releve import` against a real server: history comes in once, refused lines are told, exports come back the same."""

import csv
import io
import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from releve.history import spelling
from releve.storage import scan
from releve.storage.reader import ConnectionReader, each

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(2025, 3, 1, 8, 0, tzinfo=UTC)
TEAM = "Importers"
FOUND = Path(__file__).parent.parent / "captured" / "import"
LOGGED = datetime(2026, 6, 13, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def editor(server):
    return server.bearer(server.add_account("editor", team=TEAM))


@pytest.fixture
def device(server):
    return server.add_device(team=TEAM)["name"]


def rows(server, name):
    """What is stored of a device, wherever: instant, identity, channels and the timestamp as sent, in order."""
    ((device_id,),) = server.query("SELECT id FROM fleet_device WHERE name = %s", name)
    with psycopg.connect(server.database_url) as connection:
        blocks = each(scan.blocks(ConnectionReader(connection), device_id, scan.WHOLE, scan.EVER))
        return [
            (EPOCH + timedelta(microseconds=row.time_us), row.id, row.channels.decode(), row.sent)
            for block in blocks
            for row in spelling.rows(block)
        ]


def write_csv(path, lines, header="time,speed,note"):
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return str(path)


def seconds(count):
    return [f"{(START + timedelta(seconds=second)).isoformat()},{second}.5,lap" for second in range(count)]


def test_history_comes_in_with_a_progress_bar_and_a_second_time_counts_nothing_twice(server, device, tmp_path):
    file = write_csv(tmp_path / "history.csv", seconds(2_500))

    first = server.command("import", file, "--device", device)
    second = server.json("import", file, "--device", device)

    assert first.returncode == 0, first.stderr
    assert first.stdout == "2500 lines: 2500 stored\n"
    assert "Importing history.csv" in first.stderr
    assert (second["duplicate"], second["lines"]) == (2_500, 2_500)
    assert len(rows(server, device)) == 2_500
    time, _, channels, sent = rows(server, device)[1]
    assert (time, channels, sent) == (START + timedelta(seconds=1), '{"note":"lap","speed":1.5}', None)


def test_a_dry_run_checks_every_line_as_the_server_would_and_stores_nothing(server, device, tmp_path):
    lines = [*seconds(3), "1999-01-01T00:00:00Z,1,old", "yesterday,2,x", ",3,x"]
    file = write_csv(tmp_path / "history.csv", lines)

    rehearsed = server.command("import", file, "--device", device, "--dry-run", "--json")

    assert rehearsed.returncode == 1
    found = json.loads(rehearsed.stdout)
    assert (found["dry_run"], found["accepted"], found["quarantined"], found["refused"]) == (True, 3, 1, 2)
    assert [(line["line"], line["field"]) for line in found["not_taken"]] == [
        (5, "time"), (6, "time"), (7, "time"),
    ]  # fmt: skip
    assert rows(server, device) == []


def test_each_refused_line_is_reported_with_number_field_and_reason_and_harms_no_other(server, device, tmp_path):
    lines = [*seconds(2), "2025-03-01T09:00:00Z,1", "soon,2,x", f"2025-03-01T10:00:00Z,4,{'x' * 2000}", *seconds(3)[2:]]
    file = write_csv(tmp_path / "history.csv", lines)
    report = tmp_path / "refused.csv"

    done = server.command("import", file, "--device", device, "--report", str(report))

    assert done.returncode == 1
    assert "6 lines: 3 refused, 3 stored" in done.stdout
    refused = list(csv.DictReader(io.StringIO(report.read_text())))
    assert [(line["line"], line["field"]) for line in refused] == [("4", ""), ("5", "time"), ("6", "note")]
    assert all(line["outcome"] == "refused" and line["reason"] for line in refused)
    assert len(rows(server, device)) == 3


def test_columns_are_renamed_and_naive_times_are_in_the_devices_zone(server, tmp_path):
    device = server.add_device(team=TEAM, zone="Europe/Paris")["name"]
    file = write_csv(tmp_path / "a.csv", ["2025-07-01 14:00:00;3.5;"], header="when;v (m/s);note")

    done = server.command("import", file, "--device", device, "--time-column", "when", "--map", "v (m/s)=speed")

    assert done.returncode == 0, done.stdout + done.stderr
    ((time, _, channels, sent),) = rows(server, device)
    assert (time, json.loads(channels)) == (datetime(2025, 7, 1, 12, tzinfo=UTC), {"speed": 3.5})
    assert sent == "2025-07-01 14:00:00"


def test_an_import_that_is_killed_goes_on_where_it_was_when_it_is_run_again(server, device, tmp_path):
    file = write_csv(tmp_path / "history.csv", seconds(6_000))
    arguments = ["import", file, "--device", device, "--data-dir", str(server.data_dir)]
    killed = subprocess.Popen(
        [sys.executable, "-m", "releve", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while killed.poll() is None and not rows(server, device):
        pass
    killed.send_signal(signal.SIGKILL)
    killed.communicate()

    again = server.json("import", file, "--device", device)

    assert again["lines"] == again["stored"] + again.get("duplicate", 0) == 6_000
    assert len(rows(server, device)) == 6_000


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_an_exported_run_is_imported_as_the_very_same_rows(server, editor, tmp_path, form):
    race, driver = exported_race(server, editor)
    file = tmp_path / f"run.{form}"
    answer = httpx.get(f"{server.url}/api/v1/runs/{race}/export", params={"format": form}, headers=editor)
    file.write_bytes(answer.content)
    other = server.add_device("racing", team=TEAM)["name"]

    elsewhere = server.json("import", str(file), "--device", other)
    home = server.json("import", str(file), "--device", driver)

    original = rows(server, driver)
    assert rows(server, other) == original
    assert (elsewhere["stored"], home["duplicate"]) == (len(original), len(original))
    assert len(original) == 5


def exported_race(server, editor):
    """A race with every kind of value, and a sample that had its sender's own id; its number and its device's name."""
    vehicle = httpx.post(f"{server.url}/vehicle", json={"name": "Car"}, headers=editor).json()["data"]["id"]
    race = httpx.post(f"{server.url}/race", json={"vehicle_id": vehicle, "name": "R"}, headers=editor).json()["data"][
        "id"
    ]
    more = [
        {"note": "7"},
        {"note": 'said "go", then\nleft; é', "ready": True},
        {"mixed": 1, "wide": 1e22, "small": 1.5e-9, "time": 3},
        {"mixed": "two", "whole": 12.0},
        {"id": "lap-7", "mixed": 2.5},
    ]
    for second, extra in enumerate(more):
        date = (START + timedelta(seconds=second, microseconds=second)).isoformat()
        sample = {"race_id": race, "distance": second, "speed": 0.1 * second, "battery": 90, "date": date, **extra}
        assert httpx.post(f"{server.url}/sensor_data", json=sample, headers=editor).status_code == 201
    return race, f"vehicle:{vehicle}"


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_an_exported_capture_keeps_what_its_device_sent_as_its_time(server, editor, tmp_path, form):
    pi = server.add_device("profilometre", team=TEAM, zone="Europe/Paris")
    headers = server.bearer(pi)
    times = [
        "2025-07-01T10:00:00",
        "2025-07-01T10:00:01.250000",
        "2025-07-01T10:10:00",
        "2025-10-26T02:30:00",
        86_400_000,
    ]
    for place, timestamp in enumerate(times):
        channels = {"temperature": 20.5, "state": "on", "ok": place > 1} if place != 3 else {"humidite": 40}
        body = {**channels, "timestamp": timestamp}
        assert httpx.post(f"{server.url}/api/send/data/", json=body, headers=headers).status_code == 200
    bounds = {"started_at": "2025-07-01T00:00:00Z", "ended_at": None}
    capture = {"device": pi["id"], "kind": "capture", **bounds}
    run = httpx.post(f"{server.url}/api/v1/runs", json=capture, headers=editor).json()["id"]
    file = tmp_path / f"capture.{form}"
    address = f"{server.url}/api/v1/runs/{run}/export"
    file.write_bytes(httpx.get(address, params={"format": form}, headers=editor).content)
    other = server.add_device("profilometre", team=TEAM)["name"]

    elsewhere = server.json("import", str(file), "--device", other)
    home = server.json("import", str(file), "--device", pi["name"])

    original = rows(server, pi["name"])
    assert sorted(row[3] for row in original) == sorted(map(str, times))
    assert rows(server, other) == original
    assert (elsewhere["stored"], home["duplicate"]) == (len(times), len(times))


def test_a_page_of_readings_is_imported_as_the_very_same_rows_too(server, editor, device, tmp_path):
    headers = server.bearer(sender := server.add_device(team=TEAM))
    sent = [{"time": START.isoformat(), "id": "a", "channels": {"speed": 1.5}}, {"time": 1_740_000_000, "v": 2}]
    httpx.post(f"{server.url}/api/v1/readings", json=sent, headers=headers).raise_for_status()
    address = f"{server.url}/api/v1/devices/{sender['id']}/readings"
    for media, name in (("text/csv", "a.csv"), ("application/x-ndjson", "a.ndjson")):
        file = tmp_path / name
        file.write_bytes(httpx.get(address, headers={**editor, "Accept": media}).content)

        assert server.json("import", str(file), "--device", device)["lines"] == 2
        assert rows(server, device) == rows(server, sender["name"])


TEXTS = {
    "lap": "007", "serial": "241408E4", "flag": "true", "empty": "", "formula": "=1+1", "phone": "+33 6", "at": "@a",
    "minus": "-", "tab": "\tx", "lines": "a\r\nb", "quoted": '"7"', "whole": 12, "real": 12.0, "small": 1.5e-9,
    "yes": True, "no": False, "sent": 1,
}  # fmt: skip


@pytest.mark.parametrize("media", ["text/csv", "application/x-ndjson"])
def test_what_a_device_sent_comes_back_from_its_page_to_the_byte(server, editor, tmp_path, media):
    sender = server.add_device(team=TEAM, zone="Europe/Paris")
    sent = [{"time": "2025-07-01T10:00:00", "channels": TEXTS}, {"time": START.isoformat(), "channels": {"lap": 7}}]
    headers = server.bearer(sender)
    httpx.post(f"{server.url}/api/v1/readings", json=sent, headers=headers).raise_for_status()
    address = f"{server.url}/api/v1/devices/{sender['id']}/readings"
    file = tmp_path / ("a.csv" if media == "text/csv" else "a.ndjson")
    file.write_bytes(httpx.get(address, headers={**editor, "Accept": media}).content)
    other = server.add_device(team=TEAM)["name"]

    server.json("import", str(file), "--device", other)
    home = server.json("import", str(file), "--device", sender["name"])

    assert rows(server, other) == rows(server, sender["name"])
    assert json.loads(rows(server, other)[1][2]) == TEXTS
    assert home["duplicate"] == 2


def test_an_unclosed_quote_costs_its_own_line_and_not_the_three_thousand_behind_it(server, device, tmp_path):
    lines = seconds(3_000)
    lines[1] = lines[1].replace("lap", '"lap')
    file = write_csv(tmp_path / "history.csv", lines)

    done = server.command("import", file, "--device", device)

    assert (done.returncode, len(rows(server, device))) == (1, 2_999)
    assert "3000 lines: 1 refused, 2999 stored\nline 3: refused: a quote in it is not closed" in done.stdout


def test_a_loggers_file_is_understood_said_with_its_first_readings_and_stored_so(server, tmp_path):
    device = server.add_device(team=TEAM, zone="Europe/Paris")["name"]
    file = str(FOUND / "logger-fr-cp1252.csv")

    rehearsed = server.command("import", file, "--device", device, "--dry-run")
    nothing = rows(server, device)
    stored = server.command("import", file, "--device", device, "--rename", "Température (°C)=temperature")

    assert rehearsed.returncode == 0, rehearsed.stderr
    said = "Understood: CSV, encoding cp1252, separated by semicolon, decimal comma, columns named in line 5"
    assert said in rehearsed.stdout
    assert "time: Horodatage, day-first" in rehearsed.stdout
    assert "line 6: 2026-06-13T06:00:00Z  Température (°C)=21.5, Humidité (%)=40" in rehearsed.stdout
    assert nothing == []
    assert stored.stdout == "3 lines: 3 stored\n", stored.stderr
    assert [(time, json.loads(channels)) for time, _, channels, _ in rows(server, device)] == [
        (LOGGED, {"temperature": 21.5, "Humidité (%)": 40, "Remarque": "porte fermée"}),
        (LOGGED + timedelta(minutes=10), {"temperature": 21.75, "Humidité (%)": 41}),
        (LOGGED + timedelta(minutes=20), {"temperature": 22, "Remarque": "fenêtre ouverte côté été"}),
    ]


@pytest.mark.parametrize("options", [["--dry-run"], []], ids=["rehearsed", "imported"])
def test_what_a_file_holds_never_steers_the_terminal_of_whoever_imports_it(server, device, tmp_path, options):
    file = tmp_path / "odd.csv"
    file.write_text(
        "time,\x1b]0;owned\x07red,v\u202e\n2026-06-01T12:00:00Z,1,N/A\n\x1b[2J,2,3\n2026-06-01T12:00:01Z,-1-,1\n"
    )

    said = server.command("import", file, "--device", device, *options)

    assert not {"\x1b", "\x07", "\u202e"} & set(said.stdout), said.stdout
    assert r"\x1b[2J" in said.stdout
    assert "1 cell with 'N/A' was taken for not measured" in said.stdout


def test_dates_that_may_be_two_are_refused_until_somebody_says_which(server, device):
    file = str(FOUND / "day-or-month.csv")

    asked = server.command("import", file, "--device", device)
    told = server.json("import", file, "--device", device, "--time-format", "month-first")

    assert (asked.returncode, "--time-format day-first or --time-format month-first" in asked.stderr) == (1, True)
    assert told["stored"] == 2
    assert [time for time, *_ in rows(server, device)] == [
        datetime(2026, 1, 6, 12, tzinfo=UTC), datetime(2026, 2, 6, 12, tzinfo=UTC),
    ]  # fmt: skip


def test_a_tall_table_of_a_house_is_stored_channel_by_channel(server, device):
    done = server.json("import", str(FOUND / "home-assistant.csv"), "--device", device)

    assert (done["stored"], done["empty"], done["lines"]) == (3, 2, 5)
    assert [json.loads(channels) for _, _, channels, _ in rows(server, device)] == [
        {"sensor.living_temperature": 21.5}, {"sensor.living_humidity": 40}, {"binary_sensor.door": "on"},
    ]  # fmt: skip


def test_what_cannot_be_imported_at_all_is_said_in_one_line(server, device, tmp_path):
    file = write_csv(tmp_path / "a.csv", seconds(1))
    odd = tmp_path / "a.txt"
    odd.write_text("x")

    nobody = server.command("import", file, "--device", "nobody")
    unknown = server.command("import", str(odd), "--device", device)
    away = server.command("import", file, "--device", device, "--url", "http://127.0.0.1:9")
    missing = server.command("import", str(tmp_path / "none.csv"), "--device", device)

    assert (nobody.returncode, "no device is called nobody" in nobody.stderr) == (1, True)
    assert (unknown.returncode, "--format" in unknown.stderr) == (1, True)
    assert (away.returncode, "nothing counts twice" in away.stderr) == (1, True)
    assert missing.returncode == 2
