"""Blocks are written as CSV and NDJSON exactly as readings would be one by one, and read back as they were."""

import csv
import io

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.history_readings import START_US, gym, names, rows, texts, values

from releve.history import instant, number, text
from releve.history.block import Row
from releve.history.matrix import lines, only_where
from releve.history.matrix import texts as texts_of
from releve.history.pivot import block_of
from releve.protocol import cell
from releve.protocol.column import OWN_COLUMNS, column
from releve.protocol.identity import canonical
from releve.protocol.instant import iso

strange = st.sampled_from(
    ["007", "true", "=1+1", "-2", "+a", "@x", 'say "hi", you', "a;=b", "", " x ", "12", "1e5", "2é"]
)
plain_channels = st.dictionaries(
    st.one_of(names, st.sampled_from(["time", "id", "=cmd", "a,b"])), st.one_of(values, strange), min_size=1, max_size=5
).map(canonical)


def one_by_one(readings, channels):
    """The export as the csv module and the rule for cells write it."""
    found = io.StringIO()
    writer = csv.writer(found, lineterminator="\r\n")
    writer.writerow([*OWN_COLUMNS, *(cell.write_text(column(name)) for name in channels)])
    for row in readings:
        held = msgspec.json.decode(row.channels)
        own = [iso(row.time_us), str(row.id), iso(row.received_us), cell.write_text(row.sent or "")]
        writer.writerow([*own, *(cell.write(held.get(name)) for name in channels)])
    return found.getvalue().encode()


def names_of(readings):
    return sorted({name for row in readings for name in msgspec.json.decode(row.channels)})


@settings(max_examples=80, deadline=None)
@given(rows(channels=plain_channels))
def test_csv_is_to_the_byte_what_the_rule_for_cells_writes(readings):
    channels = [*names_of(readings), "never measured"]

    found = text.csv_head(channels) + text.csv_lines(block_of(readings), channels)

    assert found == one_by_one(readings, channels)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(texts, strange, values), min_size=1, max_size=20))
def test_a_cell_reads_back_as_the_value_that_it_was(held):
    readings = [Row(START_US + place, 1, START_US, canonical({"v": value})) for place, value in enumerate(held)]

    lines = text.csv_lines(block_of(readings), ["v"]).decode()
    cells = [row[4] for row in csv.reader(io.StringIO(lines, newline=""))]

    assert [repr(cell.read(each)) for each in cells] == [repr(value) for value in held]


@settings(max_examples=60, deadline=None)
@given(rows())
def test_ndjson_holds_the_canonical_channels_and_what_was_sent(readings):
    found = text.ndjson_lines(block_of(readings)).splitlines()

    for line, row in zip(found, readings, strict=True):
        document = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        assert msgspec.json.decode(document["time"]) == iso(row.time_us)
        assert msgspec.json.decode(document["id"]) == str(row.id)
        assert msgspec.json.decode(document["received"]) == iso(row.received_us)
        assert bytes(document["channels"]) == row.channels
        assert msgspec.json.decode(document.get("sent", b"null")) == row.sent


def test_no_reading_is_no_line():
    empty = block_of([])

    assert text.csv_lines(empty, ["v"]) == text.ndjson_lines(empty) == b""


def test_a_gym_device_is_exported_as_it_was_sent():
    readings = gym(5_000)

    assert text.csv_head(names_of(readings)) + text.csv_lines(block_of(readings), names_of(readings)) == one_by_one(
        readings, names_of(readings)
    )


@given(st.lists(st.integers(946_684_800_000_000, 4_102_444_800_000_000), min_size=1))
def test_instants_are_spelled_as_one_by_one(times):
    assert instant.iso(np.array(times)).tolist() == [iso(time_us).encode() for time_us in times]


@given(st.lists(st.floats(-1e150, 1e150) | st.integers(-9999, 9999).map(lambda whole: whole / 100), min_size=1))
def test_numbers_are_spelled_as_json_spells_them(held):
    assert number.spelled(np.array(held)).tolist() == [msgspec.json.encode(value) for value in held]


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-(10**17), 10**17), min_size=1))
def test_identities_are_spelled_as_whole_numbers(held):
    spelled = lines([number.spelled_long(np.array(held)), b";"], len(held))

    assert spelled == b"".join(b"%d;" % value for value in held)


@pytest.mark.parametrize("longest", [1, 60, 70, 5_000])
def test_a_line_is_whole_however_long_a_text_in_it_is(longest):
    words = [b"", b"a", b"b" * longest] * 1_000

    found = lines([b"<", texts_of(words), b">", only_where(b"!", np.array([True, False, True] * 1_000))], len(words))

    assert found == b"<>!<a><%b>!" % words[2] * 1_000


@settings(max_examples=40, deadline=None)
@given(rows(channels=plain_channels), st.booleans())
def test_pages_hold_the_canonical_channels(readings, narrow):
    names = names_of(readings)[:1] if narrow else None

    found = [msgspec.json.decode(line) for line in text.objects(block_of(readings), names)]

    for document, row in zip(found, readings, strict=True):
        held = msgspec.json.decode(row.channels)
        wanted = held if names is None else {name: held[name] for name in names if name in held}
        assert (document["id"], document.get("sent"), document["channels"]) == (str(row.id), row.sent, wanted)
