"""How a line of a file becomes a reading, and which lines are refused."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releve.cli.importing.file import BadFile, opened_file
from releve.cli.importing.reading import Rules, reading_of
from releve.protocol import cell
from releve.protocol.identity import exact, key_hash
from releve.protocol.problem import BadReading

VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
)


@given(VALUES)
def test_a_cell_reads_back_as_the_very_same_value(value):
    text = io.StringIO()
    csv.writer(text).writerow([cell.write(value), "x"])

    found = cell.read(next(csv.reader(io.StringIO(text.getvalue(), newline="")))[0])

    assert found == value
    assert type(found) is type(value)


@given(st.integers(-(2**63), 2**63 - 1))
def test_an_exported_identity_is_the_same_again(own_id):
    assert exact(f"releve:id:{own_id}") == own_id


@pytest.mark.parametrize("key", ["releve:id:", "releve:id:x", "releve:id:9223372036854775808", "releve:id:--1", "7"])
def test_a_key_that_only_looks_like_an_identity_is_hashed(key):
    assert exact(key) is None
    assert key_hash(key) != key_hash(f"{key}0")


def test_an_exported_line_keeps_its_identity_and_what_was_sent_and_not_when_the_old_place_received_it():
    line = {"time": "2026-06-01T12:00:00Z", "id": "-5", "received": "2026-06-01T12:00:01Z", "sent": "x", "speed": 1.5}

    assert reading_of(line, Rules()) == {
        "time": "2026-06-01T12:00:00Z",
        "id": "releve:id:-5",
        "sent": "x",
        "channels": {"speed": 1.5},
    }


def test_another_files_id_is_its_own_message_id_and_its_columns_are_channels():
    line = {"date": 1_767_225_600, "id": 7, "received": 1, "v": 2}

    assert reading_of(line, Rules("date", {"v": "speed"})) == {
        "time": 1_767_225_600,
        "id": "7",
        "channels": {"received": 1, "speed": 2},
    }


def test_nested_channels_are_taken_and_renamed_too():
    line = {"time": "2026-06-01T12:00:00Z", "channels": {"v": 2}}

    assert reading_of(line, Rules(None, {"v": "speed"})) == {"time": "2026-06-01T12:00:00Z", "channels": {"speed": 2}}


def test_a_channel_called_like_a_column_of_ours_has_a_prefix_in_the_file():
    assert reading_of({"time": "2026-06-01T12:00Z", "channel:time": 4}, Rules())["channels"] == {"time": 4}


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"speed": 1}, "time"),
        ({"time": None, "speed": 1}, "time"),
        ({"time": 12, "speed": 1}, "time"),
        ({"time": True, "speed": 1}, "time"),
        ({"time": "2026-06-01T12:00Z", "channels": 1}, "channels"),
        ({"time": "2026-06-01T12:00Z", "channels": {}, "speed": 1}, "speed"),
    ],
)
def test_a_line_without_a_date_or_with_strays_is_refused_and_the_field_is_named(line, field):
    with pytest.raises(BadReading) as refused:
        reading_of(line, Rules())

    assert refused.value.field == field


def lines_of(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with opened_file(path, None) as source:
        return [(line.number, line.values, str(line.problem or "")) for line in source.lines]


def test_a_csv_line_that_cannot_be_read_is_told_by_its_number_and_harms_no_other(tmp_path):
    content = b'time,v\r\n1,2\r\n3\r\n4,"5\n6"\r\n\r\n7,\xff\r\n8,9,10\r\n11,12\r\n'

    found = lines_of(tmp_path, "a.csv", content)

    assert [(number, dict(values)) for number, values, _ in found] == [
        (2, {"time": 1, "v": 2}), (3, {}), (4, {"time": 4, "v": "5\n6"}), (7, {}), (8, {}), (9, {"time": 11, "v": 12}),
    ]  # fmt: skip
    assert [problem for _, _, problem in found if problem] == [
        "1 cells under 2 columns", "is not UTF-8", "3 cells under 2 columns",
    ]  # fmt: skip


@pytest.mark.parametrize("delimiter", [b",", b";", b"\t"])
def test_the_first_line_tells_the_delimiter_and_may_begin_with_a_mark(tmp_path, delimiter):
    content = b"\xef\xbb\xbf" + delimiter.join([b"time", b"speed", b"note"]) + b"\n" + delimiter.join([b"1", b"", b"a"])

    assert lines_of(tmp_path, "a.csv", content) == [(2, {"time": 1, "speed": None, "note": "a"}, "")]


def test_an_ndjson_line_that_is_no_object_is_told_by_its_number(tmp_path):
    found = lines_of(tmp_path, "a.ndjson", b'{"time": 1}\n\n[1]\nnonsense\n{"time": NaN}\n{"time": 2}')

    assert [(number, values) for number, values, problem in found if not problem] == [
        (1, {"time": 1}), (6, {"time": 2}),
    ]  # fmt: skip
    assert [number for number, _, problem in found if problem] == [3, 4, 5]


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", b""), ("a.csv", b""), ("a.csv", b"a,a\n"), ("a.parquet", b"x")]
)
def test_a_file_that_cannot_be_read_at_all_says_so(tmp_path, name, content):
    with pytest.raises(BadFile):
        lines_of(tmp_path, name, content)
