"""Numbers with either decimal sign, and what may be two numbers is none; and the encodings that text comes in."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releve.cli.importing import number
from releve.cli.importing.encoding import encoding_of


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("12", ".", 12),
        ("12.0", ".", 12.0),
        ("12,5", ",", 12.5),
        ("-0,5", ",", -0.5),
        ("1,5e-3", ",", 0.0015),
        ("1 234,5", ",", 1234.5),
        ("1\u202f234\u202f567", ",", 1234567),
        ("1'234.5", ".", 1234.5),
        ("1.234,5", ",", 1234.5),
        ("1,234.5", ".", 1234.5),
        ("1,234,567", ".", 1234567),
        ("\u22125", ".", -5),
        ("+0012.50", ".", 12.5),
        ("12.5", ",", 12.5),
        ("1,234", ",", 1.234),
        ("1.234", ".", 1.234),
    ],
)
def test_a_number_is_read_as_it_is_written(text, decimal, value):
    found = number.read(text, decimal)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("1,234", "."),
        ("1.234", ","),
        ("12,5", "."),
        ("1,2,3", "."),
        ("1.2.3", "."),
        ("1.2,3", ","),
        ("12:30", "."),
        ("01.06.2026", ","),
        ("007", "."),
        ("241408E4", "."),
        ("9007199254740993", "."),
        ("5 V", "."),
        ("", "."),
        ("-", "."),
        ("\u0661\u0662", "."),
        ("1" * 5000, "."),
        ("nan", "."),
        ("inf", "."),
        ('"12"', "."),
    ],
)
def test_what_may_be_another_number_or_a_code_is_none(text, decimal):
    assert number.read(text, decimal) is None


@pytest.mark.parametrize(
    ("cells", "separator", "sign"),
    [
        (["12,5", "lap"], ";", ","),
        (["12.5"], ";", "."),
        (["1,234"], ",", "."),
        (["1,234"], ";", ","),
        (["0,125"], ",", ","),
        (["1.234,5"], ";", ","),
        (["1,234.5"], ";", "."),
        (["12"], ",", "."),
        ([], ",", "."),
        (["01.06.2026", "1,5"], ";", ","),
    ],
)
def test_the_decimal_sign_is_told_from_the_cells(cells, separator, sign):
    assert number.decimal_of(cells, separator) == sign


@given(st.floats(-1e12, 1e12).map(lambda value: round(value, 3)))
def test_a_number_with_a_comma_is_the_same_number(value):
    text = f"{value:.6f}"

    assert number.read(text.replace(".", ","), ",") == number.read(text, ".") == value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize(
    "text", ["time;Température (°C)\n1;été\n", "time;µg/m³\n1;5\n", "time;prix €\n1;2 € à payer\n"]
)
def test_the_encoding_of_a_western_table_is_found_out(encoding, text):
    found = encoding_of(io.BytesIO(text.encode(encoding)))

    assert text.encode(encoding).decode(found) == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "время;скорость;примечание\n1;2;первый круг по трассе\n" * 5),
        ("cp932", "時刻;温度;備考\n1;2;正常に動作しています\n" * 5),
    ],
)
def test_other_scripts_are_left_to_the_library(encoding, text):
    found = encoding_of(io.BytesIO(text.encode(encoding)))

    assert text.encode(encoding).decode(found) == text


def test_one_damaged_line_does_not_make_utf8_another_encoding():
    assert encoding_of(io.BytesIO("time;note\n1;été\n".encode() + b"2;\xe9\n")) == "utf-8-sig"
