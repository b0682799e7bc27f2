"""What a machine does at a moment, and the repetitions of a set, held against values computed by hand."""

import numpy as np
import pytest

from releve.history.block import Block
from releve.history.column import ABSENT_VALUE, Column
from releve.history.repetition import Repetitions
from releve.history.working import Phase, working

SECOND_US = 1_000_000


def readings(times_s, **channels):
    """A block of readings; times in seconds."""
    times = np.array([round(second * SECOND_US) for second in times_s], np.int64)
    return Block(times, {name: Column.of([_plain(value) for value in values]) for name, values in channels.items()})


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def seen(block, now_s, **more):
    return working(block, now_us=round(now_s * SECOND_US), **more)


SET = {  # five repetitions of two seconds, then six seconds of rest by the machine's own watch
    "times_s": range(17),
    "repetitions": [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 5, 5, 5, 5],
    "series_time": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10, 10, 10, 10],
    "rest_time": [40.0] * 11 + [1, 2, 3, 4, 5, 6],
}


def test_a_machine_whose_count_rises_is_worked_on():
    found = seen(readings(**{name: list(values)[:8] for name, values in SET.items()}), 7.5)

    assert (found.phase, found.repetitions) == (Phase.WORKING, 3)
    assert found.rest_since_us is None


def test_the_rest_begins_with_the_last_of_the_work_by_the_machines_own_watch():
    found = seen(readings(**SET), 16.4)

    assert found.phase == Phase.RESTING
    assert found.rest_since_us == 10 * SECOND_US
    assert (found.repetitions, found.ended_us) == (5, 10 * SECOND_US)


def test_a_machine_without_watches_rests_once_a_repetition_takes_much_too_long():
    block = readings([0, 2, 4, 6, 7, 8, 9, 10, 11], repetitions=[1, 2, 3, 4, 4, 4, 4, 4, 4])

    assert seen(block, 10.5).phase == Phase.WORKING  # 2.5 times the two seconds of a repetition have not passed
    assert seen(block, 11.5).phase == Phase.RESTING
    assert seen(block, 11.5).rest_since_us == 6 * SECOND_US


def test_a_count_that_goes_back_to_nought_does_not_start_the_rest_again():
    block = readings([0, 2, 4, 6, 8, 20, 40], repetitions=[1, 2, 3, 4, 0, 0, 0])

    found = seen(block, 41)

    assert (found.phase, found.rest_since_us, found.repetitions) == (Phase.RESTING, 6 * SECOND_US, 4)


def test_a_rest_of_more_than_three_minutes_frees_the_machine():
    block = readings([0, 2, 4], repetitions=[1, 2, 3])

    assert seen(block, 4 + 180).phase == Phase.RESTING
    assert seen(block, 4 + 181).phase == Phase.FREE


def test_a_machine_that_only_lies_there_was_not_worked_on():
    assert seen(readings(range(60), repetitions=[7] * 60), 60) is None
    assert seen(readings([0, 1], temperature=[1.0, 2.0]), 2) is None


def test_the_first_reading_after_a_silence_begins_a_set():
    block = readings([100], repetitions=[3])

    assert seen(block, 101, since_us=0).phase == Phase.WORKING
    assert seen(block, 101) is None


def test_a_reading_without_a_count_is_left_aside():
    block = readings([0, 1, 2, 3], repetitions=[1, ABSENT_VALUE, 2, ABSENT_VALUE])

    assert seen(block, 3).repetitions == 2


def collected(*blocks):
    found = Repetitions()
    for block in blocks:
        found.add(block)
    return found


def test_the_tempo_lost_is_the_last_two_repetitions_against_the_first_two():
    block = readings([0, 2, 4, 6.5, 9.5, 12.5], repetitions=[1, 2, 3, 4, 5, 6])

    found = collected(block)

    assert found.tempos_s.tolist() == [2, 2, 2.5, 3, 3]
    assert found.tempo_loss_percent == pytest.approx(50)


def test_three_repetitions_say_nothing_of_tempo_lost():
    assert collected(readings([0, 2, 4, 9], repetitions=[1, 2, 3, 4])).tempo_loss_percent is None
    assert collected().tempo_loss_percent is None


def moved(x, y, z, count):
    n = len(count)
    return readings(
        np.arange(n) / 10, repetitions=count, acceleration_x=list(x), acceleration_y=list(y), acceleration_z=list(z)
    )


COUNT = [each for count in range(1, 7) for each in [count] * 8]


def test_a_movement_on_a_slanted_line_has_nothing_sideways_however_gravity_points():
    swing = np.sin(np.arange(48) * np.pi / 4)

    found = collected(moved(3 * swing + 1.0, 4 * swing + 9.0, 0 * swing + 3.0, COUNT))

    assert found.sideways_percent == pytest.approx(0, abs=1e-4)


def test_a_movement_with_a_sideways_part_is_told_by_how_large_that_is():
    along, across = np.sin(np.arange(48) * np.pi / 4), np.cos(np.arange(48) * np.pi / 4)

    found = collected(moved(4 * along, 3 * across, 0 * along + 9.81, COUNT))

    assert found.sideways_percent == pytest.approx(60, abs=1e-6)  # 3 of the hypotenuse of 3 and 4


def test_a_sensor_that_lies_still_moves_nowhere():
    assert collected(moved([0.0] * 48, [0.0] * 48, [9.81] * 48, COUNT)).sideways_percent is None


def test_odd_repetitions_that_are_stronger_are_told_in_percent():
    # Whoever has done 1 is at the second repetition: even ones (2, 4, 6) swing by 2 m/s², odd ones (3, 5) by 3.
    swing = np.array([(2.0 if count % 2 else 3.0) * (-1) ** place for place, count in enumerate(COUNT)])

    found = collected(moved(0 * swing, 0 * swing, 9.81 + swing, COUNT))

    assert found.odd_even_percent == pytest.approx(200 * (3 - 2) / (3 + 2))


def test_odd_and_even_are_not_told_of_readings_that_are_too_few():
    count = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6]
    assert collected(moved(range(11), range(11), range(11), count)).odd_even_percent is None


def test_how_the_readings_come_in_blocks_changes_nothing():
    along, across = np.sin(np.arange(48)), np.cos(np.arange(48) * 0.7)
    whole = moved(4 * along, 3 * across, along * across, COUNT)
    pieces = [whole.within(0, 1_700_000), whole.within(1_700_000, 1_800_000), whole.within(1_800_000, 9_000_000)]

    one, many = collected(whole), collected(*pieces)

    assert one.sideways_percent == many.sideways_percent
    assert one.odd_even_percent == many.odd_even_percent
    assert one.tempos_s.tolist() == many.tempos_s.tolist()
