"""How `releve send` reads its arguments."""

import click
import pytest

from releve.cli.send import channel, instant


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("k=1", 1),
        ("k=-2", -2),
        ("k=+3", 3),
        ("k=1.50", 1.5),
        ("k=.5", 0.5),
        ("k=5.", 5.0),
        ("k=1e3", 1000.0),
        ("k=true", True),
        ("k=false", False),
        ("k=True", "True"),
        ('k="nan"', "nan"),
        ('k="21,5"', "21,5"),
        ("k=lap 12", "lap 12"),
        ("k=2026-06-01", "2026-06-01"),
        ("k=12:30", "12:30"),
        ("k=0x10", "0x10"),
        ("k=1_000", "1_000"),
        ("k=", ""),
        ("k=a b", "a b"),
        ("k=a=b", "a=b"),
        ('k="12"', "12"),
        ('k="true"', "true"),
        ('k="', '"'),
    ],
)
def test_a_value_is_what_it_looks_like(argument, value):
    name, read = channel(argument)

    assert name == "k"
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["21,5", "1 234,5", "NaN", "-inf", "Infinity", "12.5 km/h", "80%", "1.234,5"])
def test_what_only_looks_like_a_number_is_refused_and_told_how_to_write_it(text):
    with pytest.raises(click.BadParameter) as refusal:
        channel(f"temperature={text}")

    assert "temperature=21.5" in str(refusal.value)
    assert f"'temperature=\"{text}\"'" in str(refusal.value)


@pytest.mark.parametrize("text", ["1e999", "9" * 5000])
def test_a_number_that_is_too_large_is_refused(text):
    with pytest.raises(click.BadParameter, match="larger"):
        channel(f"temperature={text}")


@pytest.mark.parametrize("argument", ["speed", "=1", ""])
def test_an_argument_without_a_name_is_refused_with_an_example(argument):
    with pytest.raises(click.BadParameter, match=r"temperature=21\.5"):
        channel(argument)


def test_a_time_of_digits_is_an_epoch_and_all_else_is_text():
    assert instant("1767225600000") == 1_767_225_600_000
    assert instant("2026-01-01T00:00:00Z") == "2026-01-01T00:00:00Z"
