"""A capture cut into stretches by time and by distance, held against values computed by hand."""

import numpy as np
import pytest

from releve.history.block import Block
from releve.history.column import ABSENT_VALUE, Column
from releve.history.stretch import Along, Stretches, width_for

SECOND_US = 1_000_000


def block(times_s, **channels):
    times = np.array([round(second * SECOND_US) for second in times_s], np.int64)
    return Block(times, {name: Column.of(list(values)) for name, values in channels.items()})


def cut(width, along, *blocks):
    found = Stretches(width, along)
    for each in blocks:
        found.add(each)
    return found.answer()


WALK = block(
    [100, 101, 102, 103, 104],
    accelerometre=[3.0, -4.0, 1.0, -1.0, 2.0],
    temperature=[20.0, 22.0, 21.0, 21.0, ABSENT_VALUE],
    humidite=[50.0, 60.0, 55.0, 57.0, ABSENT_VALUE],
    distance=[7.0, 8.0, 9.5, 12.0, 12.0],
)


def test_stretches_of_two_seconds_tell_rms_peak_and_climate():
    first, second, third = cut(2, Along.TIME, WALK)

    assert (first.begin, first.n, first.peak, first.low, first.high) == (0, 2, 4, -4, 3)
    assert first.rms == pytest.approx(np.sqrt((9 + 16) / 2))
    assert (first.temperature, first.humidity) == (21, 55)
    assert (second.begin, second.rms, second.time_us) == (2, 1, 102 * SECOND_US)
    assert (third.n, third.peak, third.temperature, third.humidity) == (1, 2, None, None)


def test_stretches_by_distance_begin_where_the_capture_did():
    # 0, 1, 2.5, 5 and 5 m since the first reading.
    first, second, third = cut(2, Along.DISTANCE, WALK)

    assert [(each.begin, each.n) for each in (first, second, third)] == [(0, 2), (2, 1), (4, 2)]
    assert third.rms == pytest.approx(np.sqrt((1 + 4) / 2))


def test_a_reading_that_tells_no_distance_lies_where_the_one_before_did():
    known = block([0], accelerometre=[1.0], distance=[10.0])
    following = block([1, 2], accelerometre=[3.0, 5.0], distance=[ABSENT_VALUE, 14.0])

    first, second = cut(3, Along.DISTANCE, known, following)

    assert (first.n, first.high, second.n, second.high) == (2, 3, 1, 5)


def test_without_any_distance_there_is_no_stretch_by_distance():
    assert cut(2, Along.DISTANCE, block([0, 1], accelerometre=[1.0, 2.0])) == []


def test_somebody_who_walks_back_comes_through_the_same_stretch_again():
    there_and_back = block([0, 1, 2], accelerometre=[1.0, 2.0, 5.0], distance=[0.0, 3.0, 1.0])

    first, second = cut(2, Along.DISTANCE, there_and_back)

    assert (first.n, first.peak, first.time_us) == (2, 5, 0)
    assert (second.n, second.peak) == (1, 2)


def test_how_the_readings_come_in_blocks_changes_nothing():
    times = np.arange(0, 60, 0.1)
    whole = block(times.tolist(), accelerometre=np.sin(times).tolist(), temperature=np.cos(times).tolist())
    pieces = [whole.within(0, 9_300_000), whole.within(9_300_000, 9_400_000), whole.within(9_400_000, 60 * SECOND_US)]

    one, many = cut(7, Along.TIME, whole), cut(7, Along.TIME, *pieces)

    assert [each.begin for each in one] == [each.begin for each in many] == [7 * place for place in range(9)]
    assert [each.rms for each in one] == pytest.approx([each.rms for each in many])
    assert [each.n for each in one] == [each.n for each in many]


def test_a_stretch_without_a_profile_tells_its_climate_alone():
    [found] = cut(10, Along.TIME, block([0, 1], temperature=[20.0, 21.0]))

    assert (found.rms, found.peak, found.temperature) == (None, None, 20.5)


@pytest.mark.parametrize(
    ("length", "along", "width"),
    [
        (0.0, Along.TIME, 1),
        (120.0, Along.TIME, 1),
        (121.0, Along.TIME, 2),
        (86_400.0, Along.TIME, 1800),
        (12.0, Along.DISTANCE, 0.1),
        (13.0, Along.DISTANCE, 0.2),
        (50_000.0, Along.DISTANCE, 500),
    ],
)
def test_the_width_is_a_round_one(length, along, width):
    assert width_for(length, along) == pytest.approx(width)


def test_more_stretches_than_anybody_can_see_are_cut_off_and_said_so():
    found = Stretches(1, Along.TIME)
    times = np.arange(10_050, dtype=np.int64) * SECOND_US
    found.add(Block(times, {"accelerometre": Column.of_numbers(np.ones(10_050))}))

    assert len(found.answer()) == 10_000
    assert found.is_cut_off
