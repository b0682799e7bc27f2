"""Which segments are written anew for new readings, and that each reading is written again a few times only."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from releve.storage.placing import MOST_BYTES, MOST_READINGS, joins, rewrites
from releve.storage.segments import Sealed


def segment(number, n, first_us, last_us, size=1):
    return Sealed(number, n, first_us, last_us, size)


def instants(*us):
    return np.array(us, np.int64)


def test_a_late_reading_is_written_with_the_segment_that_it_lies_in_and_no_other():
    full = [segment(number, 32_768, number * 100, number * 100 + 99) for number in range(5)]

    found = rewrites(full, instants(250, 251, 310))

    assert [(each.first, each.last, [old.id for old in each.segments]) for each in found] == [(0, 2, [2]), (2, 3, [3])]


def test_readings_between_full_segments_become_a_segment_of_their_own():
    full = [segment(0, 32_768, 0, 99), segment(1, 32_768, 200, 299)]

    assert [(each.first, each.last, each.segments) for each in rewrites(full, instants(150, 151))] == [(0, 2, [])]


def test_a_segment_of_long_texts_is_not_joined():
    large = [segment(0, 10, 0, 9, size=MOST_BYTES), segment(1, 10, 10, 19, size=1)]

    assert joins(large) == []


def test_readings_that_come_for_a_year_are_written_a_few_times_each_and_leave_few_small_segments():
    sealed, written, at = [], 0, 0
    for _ in range(2_000):
        new = np.arange(at, at + 60)
        at += 60
        (each,) = rewrites(sealed, new)
        written += each.n
        gone = {old.id for old in each.segments}
        first = min([int(new[0]), *(old.first_us for old in each.segments)])
        sealed = [kept for kept in sealed if kept.id not in gone]
        sealed.append(segment(at, each.n, first, int(new[-1])))

    assert sum(each.n for each in sealed) == at
    assert written <= 10 * at
    assert len(sealed) <= at / 20_000 + 8


@given(
    st.lists(st.tuples(st.integers(1, 50_000), st.integers(0, 40), st.integers(0, 40)), max_size=12),
    st.lists(st.integers(0, 500), min_size=1, max_size=30),
)
def test_every_new_reading_is_written_once_and_no_segment_twice(lengths, new_us):
    sealed, at = [], 0
    for number, (n, before, length) in enumerate(lengths):
        sealed.append(segment(number, n, at + before, at + before + length))
        at += before + length // 2  # some overlap
    sealed.sort(key=lambda each: each.first_us)
    time_us = np.sort(np.array(new_us, np.int64))

    found = rewrites(sealed, time_us)

    assert [each.first for each in found] == [0, *(each.last for each in found[:-1])]
    assert found[-1].last == len(time_us)
    replaced = [old.id for each in found for old in each.segments]
    assert replaced == [old.id for old in sealed if old.id in set(replaced)]
    for each in found:
        assert each.last > each.first
        assert each.n <= MOST_READINGS or len(each.segments) <= 1
