"""How a race is going, held against values computed by hand: the delta at the same place, the battery of a lap."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from releve.history.block import Block
from releve.history.column import ABSENT_VALUE, Column
from releve.history.pace import Race, Way, best, delta_s, laps_left, last_of, per_lap, used_in, way
from releve.protocol.run.race import Lap

SECOND_US = 1_000_000
START = datetime(2026, 6, 1, tzinfo=UTC)


def block(times_s, **channels):
    times = np.array([round(second * SECOND_US) for second in times_s], np.int64)
    return Block(times, {name: Column.of(list(values)) for name, values in channels.items()})


def lap(number, time_s):
    return Lap(track=number, started_at=START, ended_at=START + timedelta(seconds=time_s), distance=None)


def test_the_delta_is_told_at_the_same_place_and_not_at_the_same_time():
    # The reference: 10 m/s for ten seconds. Now: 8 m/s; after 5 s the car is at 40 m, where the reference was at 4 s.
    driven = block(range(16), distance=[10.0 * second for second in range(11)] + [108.0, 116.0, 124.0, 132.0, 140.0])
    reference = way(driven, 0, 10 * SECOND_US + 1)

    assert delta_s(way(driven, 10 * SECOND_US, 15 * SECOND_US + 1), reference) == pytest.approx(1.0)


def test_a_quicker_lap_has_a_delta_below_nought():
    driven = block([0, 4, 8, 9, 10], distance=[0.0, 40.0, 80.0, 100.0, 120.0])
    reference = way(driven, 0, 8 * SECOND_US + 1)

    # 40 m into the lap: 2 s against 4 s.
    assert delta_s(way(driven, 8 * SECOND_US, 10 * SECOND_US + 1), reference) == pytest.approx(-2.0)


def test_where_the_reference_never_was_there_is_no_delta():
    reference = Way(np.array([0.0, 10.0]), np.array([0.0, 100.0]))
    beyond = Way(np.array([0.0, 12.0]), np.array([0.0, 101.0]))
    nothing = Way(np.zeros(0), np.zeros(0))

    assert delta_s(beyond, reference) is None
    assert delta_s(nothing, reference) is None
    assert delta_s(Way(np.array([1.0]), np.array([5.0])), nothing) is None


def test_a_car_that_stood_still_is_timed_from_its_first_arrival():
    stood = Way(np.array([0.0, 2.0, 6.0, 8.0]), np.array([0.0, 20.0, 20.0, 40.0]))

    assert stood.time_at(20.0) == 2.0
    assert stood.time_at(30.0) == 7.0
    assert stood.time_at(0.0) == 0.0


def test_a_distance_that_jumps_back_never_makes_the_way_shorter():
    found = way(block([0, 1, 2, 3], distance=[0.0, 10.0, 9.0, 20.0]), 0, 4 * SECOND_US)

    assert found.distance.tolist() == [0, 10, 10, 20]


def test_what_a_lap_takes_is_the_fall_of_the_battery_over_it():
    driven = block([0, 5, 10, 15, 20], battery=[100.0, 98.0, 96.5, 95.0, 92.0])

    assert used_in(driven, 0, 10 * SECOND_US) == pytest.approx(3.5)
    assert used_in(driven, 10 * SECOND_US, 20 * SECOND_US) == pytest.approx(4.5)
    assert used_in(driven, 0, 60 * SECOND_US) is None


def test_the_mean_of_the_last_three_laps_says_how_many_are_left():
    energy = per_lap([9.0, None, 3.5, 4.5, 4.0])

    assert energy == pytest.approx(4.0)
    assert laps_left(30.0, energy) == pytest.approx(7.5)
    assert per_lap([None]) is None


@pytest.mark.parametrize(("battery", "energy"), [(None, 4.0), (30.0, None), (30.0, 0.0), (30.0, -1.0)])
def test_a_battery_that_is_not_known_or_is_being_charged_tells_no_laps(battery, energy):
    assert laps_left(battery, energy) is None


def test_the_best_lap_is_the_quickest_and_the_earlier_of_two():
    assert best([lap(1, 30.0), lap(2, 28.5), lap(3, 28.5)]).track == 2
    assert best([]) is None


def test_a_channel_that_comes_now_and_then_keeps_its_last_number():
    race = Race()
    race.add(block([0, 1], speed=[3.0, 4.0]))
    race.add(block([2, 3], battery=[80.0, ABSENT_VALUE]))

    assert last_of(race.whole, "speed") == 4.0
    assert last_of(race.whole, "battery") == 80.0
    assert last_of(race.whole, "track") is None
    assert len(race.whole) == 4
