"""The arithmetic of runs: channels, rhythm and gaps, laps, tempo and trends."""

from datetime import UTC, datetime, timedelta
from math import sqrt

import pytest

from releve.protocol.run import capture, completeness, race, series
from releve.protocol.run.race import TrackPoint
from releve.protocol.run.series import SeriesPoint
from releve.protocol.run.statistic import statistic_of

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(second):
    return START + timedelta(seconds=second)


def test_the_deviation_is_the_population_s():
    assert statistic_of([1.0, 3.0]).deviation == 1


def test_rms_and_peak_see_both_signs():
    found = statistic_of([-3.0, 4.0])

    assert found.rms == pytest.approx(sqrt(12.5))
    assert found.peak == 4


def test_one_value_has_no_deviation():
    assert statistic_of([7.0]).shown() == {
        "n": 1,
        "low": 7,
        "high": 7,
        "mean": 7,
        "deviation": 0,
        "first": 7,
        "last": 7,
    }


def test_a_large_offset_costs_no_digits():
    assert statistic_of([1e9 + 1, 1e9 + 3]).deviation == 1


def test_the_rhythm_is_the_median_gap():
    assert completeness.rhythm_s([at(0), at(1), at(2), at(60), at(61)]) == 1


def test_one_reading_shows_no_rhythm_and_promises_no_more():
    assert completeness.rhythm_s([at(0)]) is None
    assert completeness.expected(received=1, span_s=100, rhythm_s=None) == 1


def test_gaps_are_listed_with_their_length():
    (gap,) = completeness.gaps_of([at(0), at(1), at(9)], longer_than_s=3)

    assert (gap.since, gap.until, gap.length_s) == (at(1), at(9), 8)


def test_only_the_hundred_longest_gaps_are_kept():
    times = [at(number * (number + 1) // 2 * 10) for number in range(150)]

    found = completeness.longest(completeness.gaps_of(times, longer_than_s=1))

    assert len(found) == completeness.MOST_GAPS
    assert min(gap.length_s for gap in found) == 500


def test_a_run_without_a_reading_lacks_none():
    nothing = completeness.Completeness(received=0, expected=0, rhythm_s=None, gaps=[])

    assert nothing.ratio == 1


def test_a_race_shows_what_its_car_measured():
    channels = {"speed": statistic_of([10.0, 30.0]), "battery": statistic_of([90.0, 80.0])}

    assert race.statistics(channels, time_s=60) == {
        "time": 60,
        "speed_max": 30,
        "speed_average": 20,
        "battery_max": 90,
        "battery_min": 80,
        "battery_used": 10,
    }


def test_laps_follow_the_track():
    points = [TrackPoint(at(0), 0, 0.0), TrackPoint(at(10), 1, 100.0), TrackPoint(at(12), 1, 120.0)]

    found = race.laps(points, last=TrackPoint(at(30), 1, None))

    assert [(lap.track, lap.time_s, lap.distance) for lap in found] == [(0, 10, 100), (1, 20, None)]


def test_tempo_is_the_time_from_one_repetition_to_the_next():
    points = [SeriesPoint(at(second), count, None) for second, count in ((0, 0), (2, 1), (3, 1), (5, 2), (11, 4))]

    assert series.tempos_s(points) == [3, 3]


def test_a_trend_needs_two_different_places():
    assert series.trend([]) is None
    assert series.trend([(1.0, 5.0), (1.0, 6.0)]) is None


def test_asymmetry_grows_per_minute():
    points = [SeriesPoint(at(second), 1, second / 30) for second in (0, 30, 60)] + [SeriesPoint(at(70), 1, None)]

    assert series.asymmetry_trend_per_min(points) == pytest.approx(2)


def test_without_a_watch_the_clock_tells_work_and_rest():
    worked = series.series_time({"repetitions": statistic_of([1.0, 8.0])}, elapsed_s=24)

    assert (worked.work_s, worked.tempo_s) == (24, 3)
    assert series.rest_s({}, pause_s=30) == 30


@pytest.mark.parametrize(
    ("shown", "rest_s"), [([24.0, 24.0], 24), ([24.0, 24.0, 0.5, 31.0], 24), ([0.0, 0.5, 31.0], 9)]
)
def test_the_rest_before_a_series_is_not_the_one_that_follows_it(shown, rest_s):
    assert series.rest_s({"rest_time": statistic_of(shown)}, pause_s=9) == rest_s


def test_a_capture_shows_profile_and_climate():
    channels = {"accelerometre": statistic_of([-2.0, 2.0]), "humidite": statistic_of([40.0, 55.0])}

    assert capture.statistics(channels) == {
        "profile_rms": 2,
        "profile_peak": 2,
        "humidity_low": 40,
        "humidity_high": 55,
    }
