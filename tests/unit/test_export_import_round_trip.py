"""What an export writes, `releve import` reads back as the very same reading: identity, values and their types."""

import csv
import io
import string
from datetime import UTC

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from releve.cli.importing.file import opened_file
from releve.cli.importing.reading import Rules, reading_of
from releve.history import text
from releve.history.block import Row
from releve.history.pivot import block_of
from releve.history.table import kinds_in
from releve.protocol import cell
from releve.protocol.contract import GENERIC
from releve.protocol.decode import Arrival, read_one
from releve.protocol.described import Description
from releve.protocol.identity import canonical
from releve.protocol.sender import Sender
from releve.query.device import found as device_page
from releve.query.export.parquet import ParquetWriter
from releve.query.export.writer import CsvWriter, NdjsonWriter

SENDER = Sender(
    principal="x",
    sign_in="",
    name="",
    device_id=1,
    team_id=None,
    contract=GENERIC.name,
    zone=UTC,
    roles={},
    is_device=True,
    expires_s=0.0,
)
START_US = 1_780_000_000_000_000
TRAPS = (
    "007", "241408E4", "12", "12.0", "-1", "+5", ".5", "5.", "1e5", "12,5", "1 234", "true", "True", "", " ", " 12",
    "12 ", "\t", '"', '""', '"12"', "'", "'=1", "=1+1", "+33 6", "-", "@SUM(A1)", "\r=1", "\tx", "a\nb", "a\r\nb",
    "a;=1+1", 'a;"=1', "\uff1d1", "NaN", "null", "None", "nan", "Infinity", "#REF!", "x,y", "a;b", "\u2028", "\x85",
    "\ufeff", "é", "🚗", "1" * 1000, "١٢", "{}", "[1]", "sep=;", "#datatype", "2026-06-01 12:00:00", "01/06/2026",
)  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(TRAPS),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    st.text("=+-@\t\r\n;,'\" 0123456789.eE", max_size=12),
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-9.9e149, max_value=9.9e149)
VALUES = st.one_of(TEXTS, st.booleans(), st.integers(-(2**53), 2**53), NUMBERS)
AWKWARD = ("time", "id", "received", "sent", "channels", "channel:time", "timestamp", "device", "=x", " a ", "7")
NAMES = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20),
)
CHANNELS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=5)
SENT = st.none() | st.sampled_from(["2026-05-28T22:26:40", "4294967295", "12.5", "=1+1", '"', "01/06/2026"])
ROWS = st.lists(st.tuples(CHANNELS, st.integers(-(2**63), 2**63 - 1), SENT), min_size=1, max_size=4)
EVERY_TRAP = [({"a": text, "b": None if place % 2 else 1}, place, None) for place, text in enumerate(TRAPS)]


def stored(drawn):
    """Rows as the database holds them."""
    return [
        Row(START_US + place, own_id, START_US, canonical(present(channels)), sent)
        for place, (channels, own_id, sent) in enumerate(drawn)
    ]


def present(channels):
    return {name: value for name, value in channels.items() if value is not None}


def kinds(block):
    """What kinds of values each channel has."""
    return {name: kinds_in(block.channels[name]) for name in sorted(block.channels)}


def run_csv(rows):
    return written(CsvWriter(dict.fromkeys(sorted(kinds(block_of(rows))), Description())), rows)


def run_ndjson(rows):
    return written(NdjsonWriter(), rows)


def run_parquet(rows):
    return written(ParquetWriter(kinds(block_of(rows))), rows)


def written(writer, rows):
    half = len(rows) // 2
    blocks = [block_of(part) for part in (rows[:half], rows[half:]) if part]
    return b"".join([writer.head(), *map(writer.page, blocks), writer.tail()])


@pytest.mark.parametrize("later", [12.5, "12", True])
def test_a_value_of_another_kind_that_comes_while_columns_are_written_ends_the_file_and_is_not_bent(later):
    first, second = (block_of([Row(START_US, 1, START_US, canonical({"n": value}))]) for value in (12, later))
    writer = ParquetWriter(kinds(first))
    writer.page(first)

    with pytest.raises(ValueError, match="n is of another kind"):
        written_to_its_end(writer, second)


def written_to_its_end(writer, block):
    writer.page(block)
    return writer.tail()


def device_csv(rows):
    return device_page._table([block_of(rows)], None)


def device_ndjson(rows):
    return b"".join(line + b"\n" for line in text.objects(block_of(rows)))


DESCRIBED = {
    "a": Description(unit="V", scale=0.001, offset=-2.0),
    "b": Description(unit="°C"),
    "a / b": Description(scale=0.5),
}


def described_csv(rows):
    return written(CsvWriter({name: DESCRIBED[name] for name in sorted(kinds(block_of(rows)))}), rows)


def described_parquet(rows):
    return written(ParquetWriter(kinds(block_of(rows)), DESCRIBED), rows)


@pytest.mark.parametrize(("suffix", "write"), [("csv", described_csv), ("parquet", described_parquet)])
def test_an_export_in_other_units_is_read_back_as_what_was_sent_under_its_own_identity(folder, suffix, write):
    drawn = [({"a": 3704 + place / 8, "b": 20 + place, "a / b": place - 3.5}, place, None) for place in range(64)]
    rows = stored([*drawn, ({"a": "low", "b": True}, 100, "x")] if suffix == "csv" else drawn)
    file = folder / f"described.{suffix}"
    file.write_bytes(write(rows))

    found = list(imported(file))

    assert found == [(row.time_us, row.id, row.sent, row.channels.decode()) for row in rows]


def test_a_table_says_its_units_and_shows_numbers_in_them():
    rows = stored([({"a": 3704, "b": 20}, 7, None)])

    head, line = described_csv(rows).decode().splitlines()

    assert head == "time,id,received,sent,a / V (sent * 0.001 - 2.0),b / °C"
    assert line.startswith("2026-05-28T20:26:40Z,7,")
    assert [float(cell) for cell in line.split(",")[4:]] == pytest.approx([1.704, 20])


def test_the_fields_of_a_parquet_file_say_their_units():
    schema = parquet.read_table(io.BytesIO(described_parquet(stored([({"a": 3704, "b": 20}, 7, None)])))).schema

    assert schema.field("a").metadata == {b"unit": b"V", b"releve.scale": b"0.001", b"releve.offset": b"-2.0"}
    assert (str(schema.field("a").type), str(schema.field("b").type)) == ("double", "int64")
    assert schema.field("b").metadata == {b"unit": "°C".encode()}


EXPORTS = {
    "run.csv": run_csv,
    "run.ndjson": run_ndjson,
    "run.parquet": run_parquet,
    "device.csv": device_csv,
    "device.ndjson": device_ndjson,
}


def imported(path):
    """What the server would store of a file."""
    arrival = Arrival(received_us=START_US + 10**9, transport="http")
    with opened_file(path, None) as source:
        for line in source.lines:
            assert line.problem is None, line
            payload = msgspec.json.encode(reading_of(line.values, Rules()))
            found = read_one(payload, contract=GENERIC, sender=SENDER, arrival=arrival, key=None)
            yield found.instant.time_us, found.id, found.sent, found.channels.decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


@pytest.mark.parametrize("name", EXPORTS)
@settings(deadline=None)
@given(ROWS)
@example(EVERY_TRAP)
@example([({"n": 12}, -1, None), ({"n": 12.0}, 0, None), ({"n": -0.0}, 1, None), ({"n": 1e22}, 2, None)])
@example([({"n": 5e-324}, -1, None), ({"n": 2**53}, 0, None), ({"n": "12"}, 1, None), ({"n": False}, 2, "x")])
def test_an_export_is_read_back_to_the_byte_whatever_a_channel_holds(folder, name, drawn):
    rows = stored(drawn)
    file = folder / name
    file.write_bytes(EXPORTS[name](rows))

    found = list(imported(file))

    assert found == [(row.time_us, row.id, row.sent, row.channels.decode()) for row in rows]


@pytest.mark.parametrize("write", [run_csv, device_csv])
@settings(deadline=None)
@given(ROWS)
@example(EVERY_TRAP)
def test_no_cell_of_an_export_is_a_formula_to_a_spreadsheet_and_each_reading_is_one_line(write, drawn):
    table = write(stored(drawn)).decode()

    for separator in ",;\t":
        for line in csv.reader(io.StringIO(table, newline=""), delimiter=separator):
            cells = [found.rstrip("\r\n") for found in line]  # a quote that another separator cut in two opens one more
            assert not [found for found in cells if looks_like_a_formula(found)]
    assert table.count("\n") == table.count("\r") == len(drawn) + 1


def looks_like_a_formula(text):
    """By OWASP's list; a number may have its sign."""
    return text[:1] in set("=+-@\t\r\uff1d\uff0b\uff0d\uff20") - {""} and not cell.NUMBER.fullmatch(text)


@given(st.text(string.printable, max_size=30))
def test_text_that_needs_no_quotes_has_none(text):
    written = cell.write(text)

    assert written == text or written.startswith('"')
    assert cell.read(written) == text


@pytest.mark.parametrize("text", ["lap A", "12 km/h", "é", "a;b", "x=1", "a-b", "2026-06-01", "C'est", "don't", "v1.2"])
def test_ordinary_text_stands_as_it_is(text):
    assert cell.write(text) == text
