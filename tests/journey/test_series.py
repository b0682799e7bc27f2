"""Charts over real HTTP: what is answered is what plain Python makes of the readings that were sent."""

import csv
import io
import json
import math
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

import httpx
import pytest

from releve.protocol import cell

START = datetime(2026, 3, 27, 12, tzinfo=UTC)  # two days before clocks change in Paris
START_US = int(START.timestamp()) * 1_000_000
N = 4_000
STEP = timedelta(seconds=67, microseconds=250_001)
SPIKE = 1_234
PARIS = ZoneInfo("Europe/Paris")


class Chart:
    """A device, its readings as they were sent, and its chart as it is answered."""

    def __init__(self, server, team, readings):
        self.server = server
        self.readings = readings
        self.editor = server.bearer(server.add_account("editor", team=team))
        device = server.add_device("generic", team=team)
        lines = [json.dumps({"time": when.isoformat(), **values}) for when, values in readings]
        for place in range(0, len(lines), 1_000):
            headers = {**server.bearer(device), "Content-Type": "application/x-ndjson"}
            body = "\n".join(lines[place : place + 1_000])
            httpx.post(f"{server.url}/api/v1/readings", content=body, headers=headers, timeout=60).raise_for_status()
        [(self.device,)] = server.query("SELECT id FROM fleet_device WHERE name = %s", device["name"])

    def get(self, path=None, headers=None, **asked):
        path = path or f"/api/v1/devices/{self.device}/series"
        headers = {**self.editor, **(headers or {})}
        return httpx.get(f"{self.server.url}{path}", params=asked, headers=headers, timeout=60)

    def ask(self, path=None, **asked):
        answer = self.get(path, **asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def values(self, channel, since=None, until=None):
        """Instants in microseconds, and values."""
        found = [(us(when), values[channel]) for when, values in self.readings if channel in values]
        return [(at, value) for at, value in found if (since or 0) <= at < (until or math.inf)]


def us(when):
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def reading(place):
    values = {
        "level": 900.0 if place == SPIKE else round(20 + 5 * math.sin(place / 40), 2),
        "counter": place % 500,
        "machine_id": place % 2,
    }
    if place % 10 == 0:
        values |= {"state": ("idle", "busy", "idle", "off")[place // 10 % 4], "on": place % 20 == 0}
    return START + place * STEP, values


@pytest.fixture(scope="module")
def chart(server):
    places = [place for place in range(N) if not 2_000 <= place < 2_100]  # it was silent for a while
    return Chart(server, "Charters", [reading(place) for place in places])


def shaped(values, start_of):
    """M4 with the number and the mean of each bucket, by hand."""
    lines = {name: [] for name in ("time", "n", "first", "low", "high", "last", "mean")}
    for start, group in groupby(values, key=lambda each: start_of(each[0])):
        numbers = [value for _, value in group]
        row = (start, len(numbers), numbers[0], min(numbers), max(numbers), numbers[-1])
        for name, value in zip(lines, (*row, math.fsum(numbers) / len(numbers)), strict=True):
            lines[name].append(value)
    return lines


def same(found, expected):
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-12, abs=1e-9), name


def of_day(at):
    local = datetime.fromtimestamp(at / 1e6, UTC).astimezone(PARIS)
    return us(datetime(local.year, local.month, local.day, tzinfo=PARIS).astimezone(UTC))


def test_many_readings_are_answered_as_buckets_that_say_what_all_of_them_did(chart):
    found = chart.ask(channel=["level", "counter"], points=100)

    values = chart.values("level")
    begin, end = values[0][0], values[-1][0] + 1
    width = -(-(end - begin) // 100)
    assert (found["device"], found["from"], found["to"]) == (chart.device, begin, end)
    assert (found["width_us"], found["raw"]) == (width, False)
    assert [line["channel"] for line in found["series"]] == ["level", "counter"]
    for line in found["series"]:
        same(line, shaped(chart.values(line["channel"]), lambda at: at - (at - begin) % width))
    assert max(found["series"][0]["high"]) == 900.0  # the one reading that nobody may miss


def test_few_readings_are_answered_as_they_are_whatever_their_type(chart):
    until = START + 100 * STEP
    asked = {"from": START.isoformat(), "to": until.isoformat()}

    found = chart.ask(channel=["level", "state", "on", "none"], points=100, **asked)

    assert found["raw"] is True
    assert (found["from"], found["to"]) == (us(START), us(until))
    for line in found["series"]:
        values = chart.values(line["channel"], until=us(until))
        assert (line["time"], line["value"]) == ([at for at, _ in values], [value for _, value in values])
    assert chart.ask(channel="level", points=99, **asked)["raw"] is False


def test_a_silence_is_a_gap_by_the_rhythm_of_the_device(chart):
    times = [at for at, _ in chart.values("level")]

    silences = [list(pair) for pair in pairwise(times) if pair[1] - pair[0] > 3 * (STEP // timedelta(microseconds=1))]

    assert chart.ask(channel="level")["gaps"] == silences
    assert len(silences) == 1


def test_a_day_lasts_from_midnight_to_midnight_of_its_zone_when_clocks_change(chart):
    found = chart.ask(channel="level", bucket="1d", zone="Europe/Paris")

    [line] = found["series"]
    same(line, shaped(chart.values("level"), of_day))
    assert (found["bucket"], found["zone"], found["width_us"]) == ("1d", "Europe/Paris", None)
    assert 23 * 3_600_000_000 in [after - before for before, after in pairwise(line["time"])]


def test_every_function_of_a_bucket_is_what_it_is_by_hand(chart):
    names = "n,mean,total,deviation,p50,p95,rate,time_weighted_mean"
    [line] = chart.ask(channel="counter", bucket="1h", fn=names)["series"]

    values = chart.values("counter")
    hours = {}
    for at, value in values:
        hours.setdefault(at - at % 3_600_000_000, []).append(value)
    assert line["time"] == list(hours)
    assert line["n"] == [len(each) for each in hours.values()]
    assert line["total"] == pytest.approx([sum(each) for each in hours.values()])
    means = [sum(each) / len(each) for each in hours.values()]
    squares = [sum((value - mean) ** 2 for value in each) for mean, each in zip(means, hours.values(), strict=True)]
    sizes = line["n"]
    assert line["deviation"] == pytest.approx([math.sqrt(s / n) for s, n in zip(squares, sizes, strict=True)])
    assert line["p50"] == pytest.approx([percentile(each, 0.5) for each in hours.values()])
    assert line["p95"] == pytest.approx([percentile(each, 0.95) for each in hours.values()])
    assert line["rate"] == pytest.approx(rates(values))
    assert "mean" in line
    assert len(line["time_weighted_mean"]) == len(hours)


def percentile(values, part):
    ordered = sorted(values)
    at = (len(ordered) - 1) * part
    low, high = ordered[math.floor(at)], ordered[min(math.floor(at) + 1, len(ordered) - 1)]
    return low + (high - low) * (at - math.floor(at))


def rates(values):
    """What the counter rose in each hour, a second, across its resets."""
    hours = {}
    for (before, earlier), (at, later) in pairwise(values):
        risen = hours.setdefault(at - at % 3_600_000_000, [0.0, 0.0])
        risen[0] += later - earlier if later >= earlier else later
        risen[1] += (at - before) / 1e6
    return [rise / seconds for rise, seconds in hours.values()]


def test_states_are_told_by_the_seconds_that_they_lasted(chart):
    [state, on] = chart.ask(channel=["state", "on"], bucket="1month", fn="duration")["series"]

    held = {}
    for (at, value), (until, _) in pairwise(chart.values("state")):
        held[value] = held.get(value, 0) + (until - at) / 1e6
    assert {name: sum(seconds) for name, seconds in state["duration"].items()} == pytest.approx(held)
    assert set(on["duration"]) == {"true", "false"}
    assert len(state["time"]) == 1  # all of it is March


def test_a_part_of_a_device_has_a_chart_of_its_own(chart):
    found = chart.ask(channel="level", part="machine_id=1", points=10_000)

    expected = [(us(when), values["level"]) for when, values in chart.readings if values["machine_id"] == 1]
    assert found["raw"] is True
    assert list(zip(found["series"][0]["time"], found["series"][0]["value"], strict=True)) == expected


def test_csv_says_what_json_says(chart):
    for asked in ({"points": 50}, {"points": 10_000}, {"bucket": "1d", "fn": "n,p95,rate,duration"}):
        asked |= {"channel": ["level", "state"]}
        text = chart.get(headers={"Accept": "text/csv"}, **asked)
        document = chart.ask(**asked)

        assert text.headers["content-type"] == "text/csv; charset=utf-8"
        assert from_csv(text.text) == from_json(document)


def from_csv(text):
    rows = []
    for row in csv.DictReader(io.StringIO(text)):
        moment = datetime.fromisoformat(row.pop("time"))
        values = {name: cell.read(value) for name, value in row.items() if value and name != "channel"}
        rows.append((row["channel"], us(moment), values))
    return rows


def from_json(document):
    rows = []
    for line in document["series"]:
        columns = {name: values for name, values in line.items() if name not in ("channel", "unit", "time", "duration")}
        columns |= {f"duration:{name}": values for name, values in line.get("duration", {}).items()}
        for place, at in enumerate(line["time"]):
            values = {name: column[place] for name, column in columns.items() if column[place] is not None}
            rows.append((line["channel"], at, values))
    return rows


def test_what_somebody_has_is_not_sent_again_until_a_reading_comes(server, chart):
    fresh = Chart(server, "Charters", [reading(place) for place in range(20)])
    first = fresh.get(channel="level")

    again = fresh.get(channel="level", headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")

    late = Chart.__new__(Chart)  # the same device, one reading more
    late.__dict__ |= fresh.__dict__
    server.query(
        "INSERT INTO fresh_reading (device_id, time, id, received, channels)"
        " SELECT device_id, time + interval '1 ms', id, received, channels FROM fresh_reading WHERE device_id = %s"
        " ORDER BY time DESC LIMIT 1 RETURNING id",
        fresh.device,
    )
    changed = late.get(channel="level", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert len(changed.json()["series"][0]["time"]) == 21


def test_a_long_answer_is_packed_where_that_is_asked_for(chart):
    packed = chart.get(channel="level", headers={"Accept-Encoding": "gzip"})
    plain = chart.get(channel="level", headers={"Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2


def test_several_devices_share_one_grid(server, chart):
    other = Chart(server, "Charters", [reading(place) for place in range(0, 600, 2)])

    found = chart.ask("/api/v1/series", device=[chart.device, other.device], channel="level", points=200)

    begin, width = found["from"], found["width_us"]
    assert [each["device"] for each in found["devices"]] == [chart.device, other.device]
    for each, of in zip(found["devices"], (chart, other), strict=True):
        assert each["raw"] is False
        same(each["series"][0], shaped(of.values("level"), lambda at: at - (at - begin) % width))


def test_a_run_is_drawn_from_its_start_without_what_was_left_out(server, chart):
    run = new_run(chart, 1_200, 1_300)
    out = {"since": (START + SPIKE * STEP).isoformat(), "until": (START + (SPIKE + 1) * STEP).isoformat()}
    before = chart.ask(f"/api/v1/runs/{run}/series", channel="level", points=10)
    made = httpx.post(
        f"{server.url}/api/v1/runs/{run}/exclusions", json={**out, "reason": "a spike"}, headers=chart.editor
    )
    assert made.status_code == 201, made.text

    found = chart.ask(f"/api/v1/runs/{run}/series", channel="level")

    started = us(START + 1_200 * STEP)
    expected = [each for each in chart.values("level", started, us(START + 1_300 * STEP)) if each[1] != 900.0]
    [line] = found["series"]
    assert max(before["series"][0]["high"]) == 900.0
    assert (found["run"], found["started"], found["raw"]) == (run, started, True)
    assert list(zip(line["time"], line["value"], strict=True)) == expected
    assert line["elapsed_us"] == [at - started for at, _ in expected]


def test_a_run_is_drawn_along_another_of_its_channels(chart):
    run = new_run(chart, 100, 1_100)  # the counter begins again twice

    found = chart.ask(f"/api/v1/runs/{run}/series", channel="level", by="counter", points=50)

    buckets = {}
    for place in range(100, 1_100):
        _, values = reading(place)
        buckets.setdefault(int(values["counter"] // (499 / 50)) if values["counter"] < 499 else 49, []).append(
            values["level"]
        )
    [line] = found["series"]
    expected = [buckets[number] for number in sorted(buckets)]
    assert (found["by"], found["raw"], found["width"]) == ("counter", False, pytest.approx(499 / 50))
    assert line["at"] == pytest.approx([number * 499 / 50 for number in sorted(buckets)])
    assert line["n"] == [len(each) for each in expected]
    assert line["first"] == [each[0] for each in expected]
    assert line["last"] == [each[-1] for each in expected]
    assert line["low"] == [min(each) for each in expected]
    assert line["high"] == [max(each) for each in expected]


def new_run(chart, first, last):
    bounds = {"started_at": (START + first * STEP).isoformat(), "ended_at": (START + last * STEP).isoformat()}
    body = {"device": chart.device, "kind": "series", "name": "Part", **bounds}
    made = httpx.post(f"{chart.server.url}/api/v1/runs", json=body, headers=chart.editor, timeout=60)
    assert made.status_code == 201, made.text
    return made.json()["id"]


def test_an_outsider_finds_neither_the_device_nor_the_run_and_a_device_may_only_write(server, chart):
    stranger = server.bearer(server.add_account("admin", team="Not charters"))
    device = server.bearer(server.add_device("generic", team="Charters"))
    run = new_run(chart, 3_900, 3_950)
    for path in (f"/api/v1/devices/{chart.device}/series", "/api/v1/series", f"/api/v1/runs/{run}/series"):
        asked = {"channel": "level", **({"device": chart.device} if path == "/api/v1/series" else {})}

        assert chart.get(path, **asked).status_code == 200
        assert chart.get(path, headers=stranger, **asked).status_code == 404
        assert chart.get(path, headers=device, **asked).status_code == 403
        assert httpx.get(f"{server.url}{path}", params=asked, timeout=60).status_code == 401
        assert httpx.post(f"{server.url}{path}", headers=chart.editor, timeout=60).status_code == 405


def test_a_device_that_moved_shows_each_team_its_own_side(server):
    moved = Chart(server, "Givers", [reading(place) for place in range(100)])
    taker = server.bearer(server.add_account("editor", team="Takers"))
    half = START + 50 * STEP
    [(team,)] = server.query("SELECT id FROM teams_team WHERE name = 'Takers'")
    server.query("UPDATE fleet_device SET team_id = %s WHERE id = %s RETURNING id", team, moved.device)
    server.query(
        "UPDATE device_ownership SET until = %s WHERE device_id = %s AND until IS NOT NULL RETURNING 1",
        half,
        moved.device,
    )
    server.query(
        "UPDATE device_ownership SET since = %s WHERE device_id = %s AND until IS NULL RETURNING 1", half, moved.device
    )

    given = moved.ask(channel="level")
    taken = moved.get(channel="level", headers=taker).json()
    several = moved.get("/api/v1/series", channel="level", device=moved.device, headers=taker).json()

    assert given["series"][0]["time"] == [at for at, _ in moved.values("level", until=us(half))]
    assert taken["series"][0]["time"] == [at for at, _ in moved.values("level", us(half))]
    assert several["devices"][0]["series"] == taken["series"]
    assert taken["from"] == us(half)


def test_a_parameter_that_is_wrong_is_named_and_so_is_a_state_too_many(server, chart):
    wrong = {
        "points": {"points": 5},
        "zone": {"bucket": "1d", "zone": "Mars/Olympus"},
        "bucket": {"bucket": "2h"},
        "fn": {"fn": "mode"},
        "speed": {"speed": 1},
    }
    for field, asked in wrong.items():
        answer = chart.get(channel="level", **asked)

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    wordy = Chart(server, "Charters", [(START + place * STEP, {"note": f"note {place}"}) for place in range(150)])
    answer = wordy.get(channel="note", bucket="1d", fn="duration")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "fn")


def test_a_device_that_sent_nothing_has_an_empty_chart(server, chart):
    silent = Chart(server, "Charters", [])

    found = silent.ask(channel="level")

    assert (found["from"], found["to"], found["gaps"]) == (None, None, [])
    assert found["series"] == [{"channel": "level", "unit": "", "time": [], "value": []}]
