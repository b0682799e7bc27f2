"""A car's plain-text values become readings: race before every sample or once, both prefixes, nothing mixed up."""

import pytest

from releve.protocol.contract.racing import Assembler
from releve.protocol.problem import BadReading


def feed(car, *steps):
    """The readings that come of `quantity=text` steps."""
    taken = (
        car.take(*(part if index == 0 else part.encode() for index, part in enumerate(step.split("="))))
        for step in steps
    )
    return [reading for reading in taken if reading is not None]


def test_a_reading_is_complete_with_race_speed_distance_and_battery():
    assert feed(Assembler(), "race=12.00", "speed=12.3", "distance=40", "battery=81") == [
        {"race": 12, "track": 0, "speed": 12.3, "distance": 40, "battery": 81}
    ]


def test_race_may_come_before_every_sample_or_once():
    sample = ("speed=1", "distance=2", "battery=3")
    often = feed(Assembler(), *(("race=7", *sample) * 3))
    once = feed(Assembler(), "race=7", *(sample * 3))

    assert often == once
    assert len(once) == 3


def test_the_values_may_come_in_any_order_and_race_last():
    assert len(feed(Assembler(), "race=1", "battery=3", "distance=2", "speed=1")) == 1


def test_a_car_that_says_race_last_in_every_cycle_loses_no_sample():
    cycle = ("distance={0}", "battery=8", "speed=3", "track=1", "race=7")
    readings = feed(Assembler(), *(step.format(number) for number in (10, 20, 30) for step in cycle))

    assert [(each["race"], each["distance"]) for each in readings] == [(7, 10), (7, 20), (7, 30)]
    assert readings[0]["track"] == 1


def test_of_what_was_measured_before_the_first_word_on_a_race_the_newest_is_its_sample():
    (reading,) = feed(Assembler(), "speed=1", "distance=2", "battery=3", "speed=4", "distance=5", "race=1")

    assert reading == {"race": 1, "track": 0, "speed": 4, "distance": 5, "battery": 3}


def test_what_was_measured_between_races_belongs_to_none():
    sample = ("track=2", "speed=1", "distance=2", "battery=3")

    assert feed(Assembler(), "race=false", *sample, "race=1") == []
    assert feed(Assembler(), *sample, "race=false", "race=1") == []
    assert len(feed(Assembler(), "race=1", *sample, "race=false", *sample, "race=1")) == 1


@pytest.mark.parametrize("word", ["false", "False", "FALSE", " false "])
def test_false_ends_the_race(word):
    car = Assembler()
    readings = feed(
        car, "race=1", "speed=1", "distance=2", "battery=3", f"race={word}", "speed=9", "distance=9", "battery=9"
    )

    assert len(readings) == 1
    assert car.race is None


def test_the_next_race_starts_from_nothing():
    readings = feed(Assembler(), "race=1", "track=3", "speed=1", "race=2", "distance=2", "battery=3", "speed=5")

    assert readings == [{"race": 2, "track": 0, "speed": 5, "distance": 2, "battery": 3}]


def test_the_track_stays_until_it_changes_and_a_timer_goes_with_its_sample():
    readings = feed(
        Assembler(),
        *("race=1", "track=2", "timer=10", "speed=1", "distance=2", "battery=3"),
        *("speed=1", "distance=2", "battery=3"),
    )

    assert [(each["track"], each.get("timer")) for each in readings] == [(2, 10), (2, None)]


def test_a_repeated_value_replaces_the_first_when_a_sample_was_cut_short():
    assert feed(Assembler(), "race=1", "speed=1", "speed=2", "distance=2", "battery=3")[0]["speed"] == 2


@pytest.mark.parametrize("text", [b"", b"fast", b"nan", b"inf", b"1e400", b"1_0", b"\xff", b"1\x00", b"9" * 65])
def test_what_is_no_number_is_refused_with_its_name(text):
    car = Assembler()
    car.take("race", b"1")

    with pytest.raises(BadReading) as refused:
        car.take("speed", text)

    assert refused.value.field == "speed"


@pytest.mark.parametrize("word", ["manuel", "auto", "12:30", "nan", "1e400", "", "x" * 256])
def test_a_word_beside_the_sample_is_no_error_and_no_part_of_it(word):
    car = Assembler()
    readings = feed(car, "race=1", "mode=7", f"mode={word}", "speed=1", "distance=2", "battery=3")

    assert readings == [{"race": 1, "track": 0, "speed": 1, "distance": 2, "battery": 3}]


@pytest.mark.parametrize("text", [b"\xff", b"a\x00", b"x" * 257])
def test_a_word_that_can_be_shown_to_nobody_is_refused_with_its_name(text):
    with pytest.raises(BadReading) as refused:
        Assembler().take("mode", text)

    assert refused.value.field == "mode"


def test_no_car_fills_the_memory_with_made_up_quantities():
    car = Assembler()
    for number in range(1_000):
        car.take(f"made{number}", b"1")
    car.take("race", b"1")
    for number in range(1_000):
        car.take(f"made{number}", b"1")

    assert len(car._sample) <= 32
    assert feed(car, "speed=1", "distance=2", "battery=3")
