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
        ("k=nan", "nan"),
        ("k=Infinity", "Infinity"),
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


@pytest.mark.parametrize("argument", ["speed", "=1", ""])
def test_an_argument_without_a_name_is_refused_with_an_example(argument):
    with pytest.raises(click.BadParameter, match=r"temperature=21\.5"):
        channel(argument)


def test_a_time_of_digits_is_an_epoch_and_all_else_is_text():
    assert instant("1767225600000") == 1_767_225_600_000
    assert instant("2026-01-01T00:00:00Z") == "2026-01-01T00:00:00Z"
