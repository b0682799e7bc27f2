"""Gaps, laps and comparisons from columns are those of the rules for rows, however the readings are cut into blocks."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releve.history.block import Block
from releve.history.column import ABSENT_VALUE, Column
from releve.history.compare import Curve, Extent
from releve.history.effort import AXES, TOTAL, Effort, acceleration_total
from releve.history.gap import Gaps
from releve.history.lap import Laps
from releve.protocol.run import completeness, race, series
from releve.protocol.run.race import TrackPoint
from releve.protocol.run.series import SeriesPoint
from releve.query.run.curve import grid as grid_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_US = 1_000_000


def at(time_us):
    return EPOCH + timedelta(microseconds=time_us)


def pieces(count, times, **columns):
    """Blocks of readings."""
    edges = np.linspace(0, len(times), count + 1).astype(int).tolist()
    for start, end in pairwise(edges):
        cut = {name: Column.of(values[start:end]) for name, values in columns.items()}
        yield Block(np.array(times[start:end], np.int64), cut)


instants = st.lists(st.integers(0, 10**9), min_size=1, max_size=300, unique=True).map(sorted)


@settings(max_examples=60, deadline=None)
@given(instants, st.integers(1, 4))
def test_gaps_are_those_that_the_rhythm_shows(times, count):
    found = Gaps()
    for block in pieces(count, times):
        found.add(block.time_us)

    rhythm_s = completeness.rhythm_s([at(time) for time in times])
    assert (found.n, found.first_us, found.last_us) == (len(times), times[0], times[-1])
    assert (found.rhythm_us is None) == (rhythm_s is None)
    if rhythm_s is not None:
        assert found.rhythm_us == pytest.approx(rhythm_s * SECOND_US, abs=1)
        limit_s = completeness.PATIENCE * found.rhythm_us / SECOND_US
        gaps = completeness.longest(completeness.gaps_of([at(time) for time in times], longer_than_s=limit_s))
        assert [(at(since), at(until)) for since, until in found.longer()] == [(gap.since, gap.until) for gap in gaps]


def test_the_edges_of_a_run_count_as_readings():
    found = Gaps()
    found.add(np.arange(100, 110) * SECOND_US)

    assert found.longer(edges_us=(0, 200 * SECOND_US)) == [(0, 100 * SECOND_US), (109 * SECOND_US, 200 * SECOND_US)]
    assert found.longer(edges_us=(99 * SECOND_US, 110 * SECOND_US)) == []


def test_no_reading_has_no_rhythm_and_no_gap():
    found = Gaps()
    found.add(np.zeros(0, np.int64))

    assert found.rhythm_us is None
    assert found.longer(edges_us=(0, 5)) == []


def test_only_the_longest_gaps_are_kept_whatever_their_number():
    found = Gaps()
    steps = np.ones(5_000, np.int64)
    steps[2_000::10] = 50 + np.arange(300)
    times = np.cumsum(steps) * SECOND_US
    for start in range(0, 5_000, 700):
        found.add(times[start : start + 700])

    lengths = sorted((until - since) // SECOND_US for since, until in found.longer())

    assert lengths == list(range(250, 350))


numbers = st.integers(0, 3) | st.sampled_from([ABSENT_VALUE, "lap"])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30), st.integers(1, 4))
def test_laps_are_those_of_the_readings_one_by_one(readings, count):
    times = list(range(0, len(readings) * SECOND_US, SECOND_US))
    found = Laps()
    for block in pieces(count, times, track=[one for one, _ in readings], distance=[two for _, two in readings]):
        found.add(block)

    points = [
        TrackPoint(at(time), track, distance if isinstance(distance, int) else None)
        for time, (track, distance) in zip(times, readings, strict=True)
        if isinstance(track, int)
    ]
    distances = [distance for _, distance in readings if isinstance(distance, int)]
    several = len({point.track for point in points}) > 1
    last = TrackPoint(at(times[-1]), points[-1].track if points else 0, distances[-1] if distances else None)
    assert found.answer() == (race.laps(points, last=last) if several else [])


class PlainCurve:
    """The rule, point by point."""

    def __init__(self, grid):
        self._grid = grid
        self._slack = 1e-9 * max(1.0, abs(grid[0]), abs(grid[-1]))
        self._before = None
        self.values = []
        self.elapsed_s = []

    def add(self, x, value, elapsed_s):
        if self._before is not None and x <= self._before[0]:
            return
        start = self._before or (x, value, elapsed_s)
        while len(self.values) < len(self._grid) and self._grid[len(self.values)] <= x + self._slack:
            share = _share(start[0], x, self._grid[len(self.values)])
            self.values.append(start[1] + share * (value - start[1]))
            self.elapsed_s.append(start[2] + share * (elapsed_s - start[2]))
        self._before = x, value, elapsed_s


def _share(start, end, place):
    return min(max((place - start) / (end - start), 0.0), 1.0) if end > start else 0.0


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40) | st.just(ABSENT_VALUE), st.floats(-9, 9)), min_size=1, max_size=40),
    st.integers(1, 4),
    st.booleans(),
    st.floats(0.1, 5),
)
def test_a_curve_is_interpolated_as_point_by_point(readings, count, is_along, step):
    along = "distance" if is_along else None
    times = list(range(0, len(readings) * SECOND_US, SECOND_US))
    grid = grid_of(0.0, 40.0, step)
    found, extent, expected = Curve("v", along, np.array(grid)), Extent("v", along), PlainCurve(grid)
    for block in pieces(count, times, distance=[one for one, _ in readings], v=[two for _, two in readings]):
        found.add(block)
        extent.add(block)

    points = [
        (distance, value, time)
        for time, (distance, value) in zip(times, readings, strict=True)
        if not is_along or distance is not ABSENT_VALUE
    ]
    for distance, value, time in points:
        elapsed_s = (time - points[0][2]) / SECOND_US
        expected.add(distance if is_along else elapsed_s, value, elapsed_s)
    assert found.values.tolist() == pytest.approx(expected.values)
    assert found.elapsed_s.tolist() == pytest.approx(expected.elapsed_s)
    if points:
        assert (extent.first_us, extent.last_us) == (points[0][2], points[-1][2])
        places = [distance for distance, _, _ in points]
        elapsed_s = (points[-1][2] - points[0][2]) / SECOND_US
        assert (extent.low, extent.high) == ((min(places), max(places)) if is_along else (0, elapsed_s))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30), st.integers(1, 4))
def test_the_effort_of_a_series_is_that_of_the_readings_one_by_one(readings, count):
    times = list(range(0, len(readings) * 7 * SECOND_US, 7 * SECOND_US))
    found = Effort()
    columns = {"repetitions": [one for one, _ in readings], "asymmetry": [two for _, two in readings]}
    for block in pieces(count, times, **columns):
        found.add(block)

    points = [
        SeriesPoint(at(time), *(value if isinstance(value, int) else None for value in pair))
        for time, pair in zip(times, readings, strict=True)
    ]
    trend = series.asymmetry_trend_per_min(points)
    slower = series.trend(list(enumerate(series.tempos_s(points))))
    assert (found.tempo_trend_s is None) == (slower is None)
    if slower is not None:
        assert found.tempo_trend_s == pytest.approx(slower, abs=1e-9)
    assert (found.asymmetry_trend_per_min is None) == (trend is None)
    if trend is not None:
        assert found.asymmetry_trend_per_min == pytest.approx(trend, abs=1e-9)


def test_acceleration_as_a_whole_is_as_sent_else_of_all_three_axes():
    block = Block(
        np.arange(5),
        {
            AXES[0]: Column.of([2, 2, 2, 1e149, 2]),
            AXES[1]: Column.of([3.0, 3.0, "none", 1e149, 3]),
            AXES[2]: Column.of([6, ABSENT_VALUE, 6, 1e149, 6]),
            TOTAL: Column.of([ABSENT_VALUE, ABSENT_VALUE, ABSENT_VALUE, ABSENT_VALUE, 5]),
        },
    )

    found = acceleration_total(block).values()

    assert found == [7.0, ABSENT_VALUE, ABSENT_VALUE, pytest.approx(1.7320508075688772e149), 5]
