"""Files as people really have them: what is understood of each, and the readings that come of it."""

import gzip
import json
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from releve.cli.importing import wish
from releve.cli.importing.file import BadFile, opened_file
from releve.cli.importing.history import carry
from releve.cli.importing.meaning import meaning_of
from releve.cli.importing.report import Report
from releve.cli.importing.sending import Rehearsal
from releve.cli.importing.understanding import sentences, understood
from releve.cli.importing.wish import Wishes
from releve.protocol.twice import Passes

FOUND = Path(__file__).parent.parent / "captured" / "import"


def rehearse(path, *, zone=UTC, **said):
    """What a dry run says: the understanding, its sentences, and the report."""
    wishes = Wishes(**said)
    with opened_file(path, None, wishes) as source, Report(None) as report:
        rules = meaning_of(source, wishes)
        carry(source, Rehearsal(zone), rules=rules, passes=Passes(zone), report=report, progress=lambda *_: None)
        report.missing = dict(source.missing)
        return understood(source, rules), report


def readings(report):
    return [(each["time"], each["channels"]) for each in report.readings]


def written(tmp_path, text, name="a.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


EXPECTED = {
    "american.csv": (
        {"separator": ",", "time": {"column": "Date Time", "format": "month-first"}},
        [("2026-06-12T13:05:00Z", {"Temp (F)": 71.5}), ("2026-06-13T13:05:00Z", {"Temp (F)": 72.0})],
    ),
    "blanks.csv": (
        {"separator": ",", "decimal": ".", "header_line": 1},
        [("2026-06-01T12:00:00Z", {"speed": 12.5, "battery": 80})],
    ),
    "chronograf.csv": ({"separator": ","}, [("2026-06-01T12:00:00Z", {"weather.mean_temperature": 21.5})]),
    "codes.csv": (
        {"columns": {"time": "time", "lap": "text", "serial": "text", "ready": "true or false", "comment": "text"}},
        [
            ("2026-06-01T12:00:00Z", {"lap": "007", "serial": "241408E4", "ready": True, "comment": "=1+1"}),
            ("2026-06-01T12:00:01Z", {"lap": "12", "serial": "241409A1", "ready": False, "comment": "-"}),
        ],
    ),
    "cyrillic-cp1251.csv": (
        {"encoding": "cp1251", "separator": ";", "decimal": ","},
        [("2026-06-01T12:00:00Z", {"скорость": 12.5, "примечание": "первый круг"})],
    ),
    "date-and-time.csv": (
        {"time": {"column": "Heure", "date_column": "Date", "format": "day-first"}},
        [("2026-06-14T08:00:00Z", {"Vitesse": 12.5}), ("2026-06-14T08:00:01Z", {"Vitesse": 13.5})],
    ),
    "excel-sep-utf8.csv": (
        {"separator": ";", "decimal": ",", "header_line": 2, "encoding": "utf-8"},
        [
            ("2026-06-01T12:00:00Z", {"vitesse": 12.5, "tour": 1}),
            ("2026-06-01T12:00:01Z", {"vitesse": 13.25, "tour": 1}),
            ("2026-06-01T12:00:02Z", {"vitesse": 1013.5, "tour": 2}),
        ],
    ),
    "home-assistant.csv": (
        {"tall": {"name": "entity_id", "value": "state"}, "time": {"column": "last_changed"}},
        [
            ("2026-06-01T12:00:00.123000Z", {"sensor.living_temperature": 21.5}),
            ("2026-06-01T12:01:30.500000Z", {"sensor.living_humidity": 40}),
            ("2026-06-01T12:02:00Z", {"binary_sensor.door": "on"}),
        ],
    ),
    "influx-annotated.csv": (
        {"tall": {"name": "_field", "value": "_value"}, "left_out": ["_start", "_stop", "result", "table"]},
        [
            ("2026-06-01T12:00:00Z", {"temperature": 21.5, "_measurement": "weather", "host": "pi1"}),
            ("2026-06-01T12:00:10Z", {"temperature": 21.6, "_measurement": "weather", "host": "pi1"}),
            ("2026-06-01T12:00:00Z", {"serial": "007", "_measurement": "weather", "host": "pi1"}),
        ],
    ),
    "labview-utf16.csv": (
        {"encoding": "utf-16", "separator": "\t", "decimal": ",", "time": {"column": "Zeit", "format": "day-first"}},
        [("2026-06-01T12:00:00.250000Z", {"Temperatur": 21.5, "Druck": 1013.2})],
    ),
    "log.csv.gz": ({"compression": "gzip"}, [("2026-06-01T12:00:00Z", {"speed": 12.5})]),
    "logger-fr-cp1252.csv": (
        {"encoding": "cp1252", "separator": ";", "decimal": ",", "header_line": 5},
        [("2026-06-13T08:00:00Z", {"Température (°C)": 21.5, "Humidité (%)": 40, "Remarque": "porte fermée"})],
    ),
    "same-column-twice.csv": (
        {"renamed": ["speed 2"]},
        [("2026-06-01T12:00:00Z", {"speed": 12.5, "speed 2": 3.5, "note": "a"})],
    ),
    "torque.csv": (
        {"time": {"column": "GPS Time"}},
        [
            (
                "2026-06-01T12:00:00Z",
                {
                    "Device Time": "01-Jun-2026 14:00:00.119",
                    "Longitude": 2.3522,
                    "Latitude": 48.8566,
                    "GPS Speed (Meters/second)": 12.5,
                    "Engine RPM(rpm)": 1800,
                },
            )
        ],
    ),
    "units-row.csv": (
        {"units": {"Time": "s", "Speed": "km/h", "Torque": "N·m"}, "header_line": 1},
        [("2026-06-01T12:00:00Z", {"Speed": 12.5, "Torque": 80, "Gear": 1})],
    ),
    "weather-utf16le-nomark.csv": ({"encoding": "utf-16-le"}, [("2026-06-01T12:00:00Z", {"temp": 21.5})]),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_as_people_have_it_is_understood_and_every_line_of_it_taken(name):
    expected, first = EXPECTED[name]

    document, report = rehearse(FOUND / name)

    assert {key: document.get(key) for key in expected} == expected
    assert readings(report)[: len(first)] == first
    assert not report.is_partial, report.first
    assert sentences(document)[0].startswith("Understood: CSV")


def test_the_header_that_a_logger_repeats_is_no_reading_and_a_dash_is_not_measured():
    _, report = rehearse(FOUND / "torque.csv")

    assert report.document()["lines"] == 3
    assert report.missing == {"-": 1}
    assert "Engine RPM(rpm)" not in report.readings[1]["channels"]


def test_a_date_that_may_be_two_is_refused_with_the_option_that_settles_it():
    with pytest.raises(BadFile, match=r"'01/06/2026 12:00:00' may begin with the day or with the month.*--time-format"):
        rehearse(FOUND / "day-or-month.csv")

    _, day = rehearse(FOUND / "day-or-month.csv", time_format="day-first")
    _, month = rehearse(FOUND / "day-or-month.csv", time_format="month-first")

    assert [time for time, _ in readings(day)] == ["2026-06-01T12:00:00Z", "2026-06-02T12:00:00Z"]
    assert [time for time, _ in readings(month)] == ["2026-01-06T12:00:00Z", "2026-02-06T12:00:00Z"]


def test_the_last_line_of_a_long_file_may_be_the_one_that_tells_the_order(tmp_path):
    lines = [f"01/06/2026 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02},1" for n in range(5_000)]
    path = written(tmp_path, "\n".join(["time,v", *lines, "06/13/2026 00:00:00,2"]))

    document, report = rehearse(path)

    assert document["time"]["format"] == "month-first"
    assert readings(report)[0][0] == "2026-01-06T00:00:00Z"


def test_a_file_whose_dates_contradict_each_other_is_refused_and_names_both_lines(tmp_path):
    path = written(tmp_path, "time,v\n13/06/2026 12:00,1\n06/14/2026 12:00,2\n")

    with pytest.raises(BadFile, match="line 2 has '13/06/2026 12:00' and line 3 '06/14/2026 12:00'"):
        rehearse(path)


def test_a_time_that_the_clocks_do_not_name_is_in_the_devices_zone(tmp_path):
    _, report = rehearse(FOUND / "logger-fr-cp1252.csv", zone=ZoneInfo("Europe/Paris"))

    assert readings(report)[0][0] == "2026-06-13T06:00:00Z"


def test_numbers_that_stay_text_are_told_with_the_line_and_the_option():
    _, report = rehearse(FOUND / "decimal-mixed.csv")

    assert report.document()["numbers_left_text"] == [{"channel": "speed", "count": 1, "line": 4, "text": "14,5"}]
    assert "speed: 1 value looks like a number and stays text, the first '14,5' in line 4" in report.sentences()[-1]
    assert "--decimal comma" in report.sentences()[-1]


def test_text_in_a_column_of_numbers_is_told_with_its_line(tmp_path):
    lines = ["time,humidity,note", *(f"2026-06-01 12:00:0{n},4{n},ok" for n in range(8)), "2026-06-01 12:00:08,x,late"]

    _, report = rehearse(written(tmp_path, "\n".join(lines) + "\n"))

    assert report.document()["text_among_numbers"] == [{"channel": "humidity", "count": 1, "line": 10, "text": "x"}]
    told = "humidity: 1 value is text among numbers and counts in no sum, the first 'x' in line 10"
    assert report.sentences()[-1] == told


def test_numbers_that_stay_text_in_json_are_told_too(tmp_path):
    path = written(tmp_path, '{"time": "2026-06-01T12:00:00Z", "v": "12,5", "note": "lap 3"}\n', "a.ndjson")

    _, report = rehearse(path)

    assert [each["channel"] for each in report.document()["numbers_left_text"]] == ["v"]


@pytest.mark.parametrize(
    ("said", "text", "expected"),
    [
        ({"separator": "~"}, "time~v\n2026-06-01T12:00:00Z~1\n", {"v": 1}),
        ({"decimal": ","}, "time;v\n2026-06-01T12:00:00Z;1,234\n", {"v": 1.234}),
        ({"decimal": "."}, "time;v\n2026-06-01T12:00:00Z;1,234,567\n", {"v": 1234567}),
        ({"skip": 1}, "1,2\ntime,v\n2026-06-01T12:00:00Z,1\n", {"v": 1}),
        ({"time_column": "b"}, "a,b,v\n2026-06-02,2026-06-01T12:00:00Z,1\n", {"a": "2026-06-02", "v": 1}),
        ({"date_column": "d", "time_column": "c"}, "c,d,v\n12:00:00Z,2026-06-01,1\n", {"v": 1}),
        ({"time_format": "%d|%m|%Y %Hh"}, "time;v\n01|06|2026 12h;1\n", {"v": 1}),
        ({"time_format": "excel"}, "time,v\n46174.5,1\n", {"v": 1}),
        ({"names": {"v": "speed", "x": ""}}, "time,v,x\n2026-06-01T12:00:00Z,1,2\n", {"speed": 1}),
        ({"names": {"when": "time"}}, "when,v\n2026-06-01T12:00:00Z,1\n", {"v": 1}),
        ({"tall": wish.tall("n,w,t")}, "n,w,t\nspeed,1,2026-06-01T12:00:00Z\n", {"speed": 1}),
    ],
)  # fmt: skip
def test_each_option_says_what_would_have_been_found_out(tmp_path, said, text, expected):
    _, report = rehearse(written(tmp_path, text), **said)

    assert readings(report) == [("2026-06-01T12:00:00Z", expected)]


def test_the_encoding_that_is_said_is_used(tmp_path):
    path = written(tmp_path, "time,note\n2026-06-01T12:00:00Z,été\n", encoding="cp850")

    _, report = rehearse(path, encoding="cp850")

    assert readings(report)[0][1] == {"note": "été"}


@pytest.mark.parametrize(
    ("said", "option"),
    [
        ({"time_column": "when"}, "--time-column"),
        ({"date_column": "day"}, "--date-column"),
        ({"names": {"sped": "speed"}}, "--rename"),
        ({"tall": wish.tall("a,b,c")}, "--tall"),
    ],
)
def test_a_column_that_is_named_and_not_there_is_told_with_those_that_are(tmp_path, said, option):
    with pytest.raises(BadFile, match=f"{option}: there is no column .*; there are time, speed"):
        rehearse(written(tmp_path, "time,speed\n2026-06-01T12:00:00Z,1\n"), **said)


def test_an_option_about_csv_is_refused_for_another_format(tmp_path):
    with pytest.raises(BadFile, match="--separator, --skip says something about CSV"):
        rehearse(written(tmp_path, "{}", "a.ndjson"), separator=";", skip=1)


def test_ndjson_may_be_compressed_and_begin_with_a_mark(tmp_path):
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(gzip.compress(b'\xef\xbb\xbf{"time": 1780315200, "v": 1}\n{"timestamp": 1780315201, "v": 2}\n'))

    _, report = rehearse(path)

    assert [channels for _, channels in readings(report)] == [{"v": 1}, {"v": 2}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["a.ndjson", "a.csv"])
def test_a_file_longer_than_what_is_looked_at_first_is_read_to_its_end(tmp_path, name, encoding):
    form = '{{"time": {}, "v": {}}}' if name == "a.ndjson" else "{},{}"
    lines = [form.format(1_780_315_200 + second, second) for second in range(3_000)]
    head = [] if name == "a.ndjson" else ["time,v"]

    _, report = rehearse(written(tmp_path, "\n".join([*head, *lines]), name, encoding))

    assert report.document() == {"lines": 3_000, "accepted": 3_000, "not_taken": []}


def test_a_compressed_file_that_breaks_off_is_said_to_be_damaged(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes((FOUND / "log.csv.gz").read_bytes()[:-12])

    with pytest.raises(BadFile, match="damaged"):
        rehearse(path)


@pytest.mark.parametrize("text", ["1,2\n3,4\n", "x\ny\n", "\n\n", "speed,battery\n1,2\n"])
def test_a_file_whose_columns_nobody_names_is_refused_with_what_to_say(tmp_path, text):
    with pytest.raises(BadFile, match=r"--skip|--time-column|empty"):
        rehearse(written(tmp_path, text))


def test_a_preamble_as_wide_as_the_table_is_none_of_it(tmp_path):
    text = "Device,Logger 3\nStart,2026-06-01 12:00:00\ntime,v\n2026-06-01 12:00:00,1\n"

    document, report = rehearse(written(tmp_path, text))

    assert document["header_line"] == 3
    assert readings(report) == [("2026-06-01T12:00:00Z", {"v": 1})]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("time,date,v\n0.0,2026-06-01 12:00:00,1\n0.1,2026-06-01 12:00:01,2\n", "date"),
        ("when,v\n2026-06-01 12:00:00,1\n", "when"),
        ("ts,label\n1780315200,time\n1780315201,date\n", "ts"),
    ],
)
def test_the_column_of_the_time_is_the_one_that_holds_instants(tmp_path, text, column):
    document, report = rehearse(written(tmp_path, text))

    assert document["time"] == {"column": column}
    assert readings(report)[0][0] == "2026-06-01T12:00:00Z"


def test_a_line_in_which_nothing_was_measured_is_empty_and_not_refused(tmp_path):
    _, report = rehearse(written(tmp_path, "time,v,w\n1780315200,NaN,\n1780315201,1.5,2\n1780315202,,\n"))

    assert report.document() == {"lines": 3, "empty": 2, "accepted": 1, "not_taken": []}


def test_what_was_understood_is_json_for_programs():
    document, report = rehearse(FOUND / "influx-annotated.csv")

    assert json.loads(json.dumps(document)) == document
    assert json.loads(json.dumps(report.document()))["lines"] == 3
