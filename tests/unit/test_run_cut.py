"""The rules that cut readings into runs, without a database."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from releve.protocol.run.cut import CaptureRule, Point, SeriesRule

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def points(*pairs):
    return [Point(START + timedelta(seconds=second), repetitions) for second, repetitions in pairs]


def seconds(stretches):
    return [((stretch.start - START).total_seconds(), (stretch.last - START).total_seconds()) for stretch in stretches]


def test_a_fall_of_the_count_opens_the_next_series():
    assert seconds(SeriesRule().cut(points((0, 1), (2, 2), (4, 1), (6, 2)))) == [(0, 2), (4, 6)]


def test_a_pause_longer_than_the_gap_opens_the_next_series_and_one_as_long_does_not():
    assert seconds(SeriesRule().cut(points((0, 1), (60, 2), (121, 3)))) == [(0, 60), (121, 121)]


def test_rest_without_a_repetition_is_no_series():
    assert seconds(SeriesRule().cut(points((0, 0), (10, 0)))) == []


def test_the_rest_before_a_series_opens_it_up_to_the_gap():
    resting = points(*((second, 0) for second in range(0, 200, 10)), (200, 1))

    assert seconds(SeriesRule().cut(resting)) == [(140, 200)]


def test_a_reading_without_a_count_neither_cuts_nor_counts():
    assert seconds(SeriesRule().cut(points((0, 1), (2, None), (4, 2)))) == [(0, 4)]


def test_a_series_that_has_begun_goes_on():
    found = SeriesRule().cut(points((10, 3), (12, 4)), begun=START)

    assert seconds(found) == [(0, 12)]


def test_a_capture_ends_at_a_gap():
    assert seconds(CaptureRule().cut(points((0, None), (300, None), (601, None)))) == [(0, 300), (601, 601)]


def test_nothing_cuts_into_nothing():
    assert list(CaptureRule().cut([])) == list(SeriesRule().cut([])) == []


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 5)), unique_by=lambda pair: pair[0]).map(sorted),
    st.integers(0, 40),
)
def test_cutting_again_from_inside_a_series_gives_the_same_series(pairs, skipped):
    whole = list(SeriesRule().cut(points(*pairs)))
    if not whole:
        return
    first = whole[skipped % len(whole)]
    inside = [point for point in points(*pairs) if first.start <= point.time]
    counted = next(number for number, point in enumerate(inside) if point.repetitions)

    assert list(SeriesRule().cut(inside[counted:], begun=first.start)) == whole[skipped % len(whole) :]
