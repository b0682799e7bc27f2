"""The head of a column of an export leads back to the channel, and a converted value to what was sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releve.protocol.column import OWN_COLUMNS
from releve.protocol.heading import Heading

NAMES = st.text(min_size=1, max_size=20) | st.sampled_from(
    [*OWN_COLUMNS, "a / b", "a / ", " / 1", "channel:x", "v (V)"]
)
UNITS = st.sampled_from(["", "°C", "km/h", "m/s²", "%", "µS/cm", "(rel)", "1/min"])
FACTORS = st.floats(1e-9, 1e9) | st.floats(-1e9, -1e-9)
SHIFTS = st.floats(-1e9, 1e9)


@given(NAMES, UNITS)
def test_a_head_without_conversion_is_read_back(name, unit):
    assert Heading.read(Heading(name, unit).written()) == Heading(name, unit)


@given(NAMES, UNITS, FACTORS, SHIFTS)
def test_a_head_with_conversion_is_read_back(name, unit, scale, offset):
    heading = Heading(name, unit, scale, offset)

    assert Heading.read(heading.written()) == heading


@given(NAMES)
def test_a_channel_without_unit_has_the_head_it_always_had(name):
    heading = Heading(name).written()

    assert heading.removeprefix("channel:").removesuffix(" / 1") in {name, name.removesuffix(" / 1")}
    assert Heading.read(heading).channel == name


@given(
    st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), st.sampled_from([0.001, 0.1, 3.6, 1 / 60, -2.0]), SHIFTS
)
def test_what_was_sent_is_found_again_from_what_is_shown(value, scale, offset):
    heading = Heading("v", "V", scale, round(offset / 1e6, 2))

    shown = value * heading.scale + heading.offset

    assert heading.sent(shown) * heading.scale + heading.offset == pytest.approx(shown, rel=1e-15, abs=1e-300)
    assert heading.sent(shown) == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_a_plain_decimal_is_found_again_to_the_last_digit():
    heading = Heading("battery", "V", 0.001)

    for value in range(5_000):
        assert heading.sent(value * 0.001) == value


@pytest.mark.parametrize("value", ["low", True, None])
def test_what_is_no_number_stays(value):
    assert Heading("v", "V", 2.0, 1.0).sent(value) is value
