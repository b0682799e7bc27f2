"""Buckets, ladders and charts say what a plain loop over the readings would, and draw the same line."""

from collections import defaultdict
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.history_readings import START_US

from releve.history import ladder
from releve.history.block import Block
from releve.history.bucket import Buckets, buckets_of, merged
from releve.history.column import ABSENT_VALUE, Column
from releve.history.grid import Even
from releve.history.series import Series

WIDTH, HEIGHT = 1_000, 300
numbers = st.floats(-1e9, 1e9, allow_nan=False)


def block_from(time_us, **columns):
    return Block(np.array(time_us, np.int64), {name: Column.of(values) for name, values in columns.items()})


def cut_into(count, block):
    edges = np.linspace(0, len(block), count + 1).astype(int).tolist()
    return [block.take(slice(start, end)) for start, end in pairwise(edges)]


def by_hand(pairs, grid):
    """A bucket's start to (n, first, low, high, last, total, squares)."""
    found = defaultdict(list)
    for time_us, value in pairs:
        found[time_us - (time_us - grid.origin_us) % grid.width_us].append(value)
    shown = {}
    for start, held in found.items():
        mean = sum(map(Fraction, held)) / len(held)
        squares = float(sum((Fraction(value) - mean) ** 2 for value in held))
        shown[start] = (len(held), held[0], min(held), max(held), held[-1], float(sum(map(Fraction, held))), squares)
    return shown


def shown(buckets):
    fields = (buckets.n, buckets.first, buckets.low, buckets.high, buckets.last, buckets.total, buckets.squares)
    each = zip(*(field.tolist() for field in fields), strict=True)
    return dict(zip(buckets.start_us.tolist(), each, strict=True))


def assert_alike(found, expected):
    assert found.keys() == expected.keys()
    for start, values in expected.items():
        assert found[start][:5] == values[:5]
        scale = max(abs(values[2]), abs(values[3])) ** 2 * values[0]
        assert found[start][5] == pytest.approx(values[5], rel=1e-9, abs=1e-12 * scale**0.5)
        assert found[start][6] == pytest.approx(values[6], rel=1e-6, abs=1e-12 * scale)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), numbers), max_size=80), st.integers(1, 600), st.integers(1, 5))
def test_buckets_of_any_width_and_of_any_blocks_are_those_of_a_plain_loop(pairs, width, count):
    pairs.sort(key=lambda pair: pair[0])
    grid = Even(width, -7)
    whole = block_from([time for time, _ in pairs], v=[value for _, value in pairs])

    parts = [
        buckets_of(part.time_us, part.column("v").numbers, grid, with_squares=True) for part in cut_into(count, whole)
    ]

    assert_alike(shown(merged(parts)), by_hand(pairs, grid))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5_000), numbers), min_size=1, max_size=80), st.integers(1, 40))
def test_wider_buckets_are_made_of_narrower_ones(pairs, times):
    pairs.sort(key=lambda pair: pair[0])
    narrow, wide = Even(20), Even(20 * times)
    time_us, values = (np.array(each) for each in zip(*pairs, strict=True))

    found = merged([buckets_of(time_us, values, narrow, with_squares=True)], wide)

    assert ladder.divides(20, wide)
    assert_alike(shown(found), by_hand(pairs, wide))


def test_a_large_offset_costs_the_deviation_no_digits():
    values = np.array([1e9 + 1, 1e9 + 3] * 1000)
    time_us = np.arange(2000)
    parts = [
        buckets_of(time_us[place : place + 100], values[place : place + 100], Even(10**6), with_squares=True)
        for place in range(0, 2000, 100)
    ]

    assert merged(parts).deviation.tolist() == [1.0]


def test_no_reading_is_no_bucket():
    assert merged([]).n.tolist() == []
    assert merged([Buckets.none(), buckets_of(np.zeros(0, np.int64), np.zeros(0), Even(5))]).mean.tolist() == []


def test_a_segment_has_at_most_64_rungs_and_its_neighbours_join():
    rng = np.random.default_rng(3)
    time_us = START_US + np.cumsum(rng.integers(1, 2_000_000, 6_000))
    values = rng.normal(0, 1, 6_000)
    blocks = [
        Block(time_us[start:end], {"v": Column.of_numbers(values[start:end])})
        for start, end in ((0, 4_000), (4_000, 4_200), (4_200, 6_000))
    ]
    ladders = [ladder.ladder_of(block) for block in blocks]
    hour = Even(3_600_000_000)

    found = merged([each.channels["v"] for each in ladders], hour)
    expected = buckets_of(time_us, values, hour)

    assert all(len(each.channels["v"].n) <= 64 for each in ladders)
    assert len({each.width_us for each in ladders}) > 1
    for one, other in zip(found[:6], expected[:6], strict=True):
        assert one.tolist() == other.tolist()
    assert found.total == pytest.approx(expected.total)


def test_each_width_of_a_ladder_divides_the_next():
    widths = ladder.WIDTHS_US

    assert all(wide % narrow == 0 and wide // narrow <= 6 for narrow, wide in pairwise(widths))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 8 * 10**15), st.integers(0, 8 * 10**15))
def test_a_stretch_of_any_length_has_few_rungs_and_a_long_one_not_too_few(first_us, length_us):
    width = ladder.width_us(first_us, first_us + length_us)
    rungs = (first_us + length_us) // width - first_us // width + 1

    assert rungs <= 64
    assert rungs >= 10 or width == ladder.WIDTHS_US[0]


def test_a_ladder_has_rungs_for_numbers_alone():
    block = block_from([1, 2, 3], v=[1, ABSENT_VALUE, 2.5], mode=["auto", "auto", "off"], none=[True, False, "x"])

    found = ladder.ladder_of(block)

    assert list(found.channels) == ["v"]
    assert found.channels["v"].total.tolist() == [3.5]


def zigzag(time_us, values, *, from_us, to_us, low, high):
    """The pixels of the line through points, each drawn at its pixel; as a chart does it with whole pixels."""
    x = np.minimum((time_us - from_us) * WIDTH // (to_us - from_us), WIDTH - 1).tolist()
    y = np.clip(np.floor((values - low) / (high - low) * HEIGHT), 0, HEIGHT - 1).astype(int).tolist()
    picture = np.zeros((WIDTH, HEIGHT), bool)
    for x0, y0, x1, y1 in zip(x, y, x[1:] or x, y[1:] or y, strict=False):
        if x0 == x1:
            picture[x0, min(y0, y1) : max(y0, y1) + 1] = True
            continue
        columns = np.arange(x0, x1 + 1)
        middle = np.rint(y0 + (columns - x0) * (y1 - y0) / (x1 - x0)).astype(int)
        for column, start, end in zip(columns.tolist(), middle.tolist(), [*middle[1:].tolist(), y1], strict=True):
            picture[column, min(start, end) : max(start, end) + 1] = True
    return picture


@pytest.mark.slow
def test_the_line_of_the_buckets_is_pixel_for_pixel_the_line_of_all_readings():
    rng = np.random.default_rng(11)
    n = 15_000
    time_us = START_US + np.cumsum(rng.exponential(100_000, n).astype(np.int64) + (rng.random(n) < 0.001) * 60_000_000)
    values = np.round(np.cumsum(rng.normal(0, 1, n)) + (rng.random(n) < 0.0005) * 200, 2)
    low, high = values.min(), values.max()
    different = 0

    for _ in range(200):
        width_us = int(rng.integers(1, (time_us[-1] - time_us[0]) // WIDTH)) if rng.random() < 0.8 else 5_000
        from_us = int(rng.integers(time_us[0], time_us[-1] - width_us * WIDTH // 2))
        to_us = from_us + width_us * WIDTH
        first, last = np.searchsorted(time_us, [from_us, to_us])
        inside, held = time_us[first:last], values[first:last]
        found = buckets_of(inside, held, Even.of(from_us, to_us, WIDTH))
        corners = np.stack([found.first, found.low, found.high, found.last], axis=1).ravel()
        view = {"from_us": from_us, "to_us": to_us, "low": low, "high": high}
        drawn = zigzag(np.repeat(found.start_us, 4), corners, **view)
        different += int(np.count_nonzero(drawn != zigzag(inside, held, **view)))

    assert different == 0


def test_every_spike_of_one_reading_is_in_the_chart():
    rng = np.random.default_rng(5)
    time_us = START_US + np.arange(300_000) * 100_000
    values = rng.normal(0, 1, 300_000)
    spikes = rng.choice(300_000, 40, replace=False)
    values[spikes] = 50 + np.arange(40)
    chart = Series.even(["v"], from_us=START_US, to_us=int(time_us[-1]) + 1, points=2_000)
    for start in range(0, 300_000, 32_768):
        here = slice(start, start + 32_768)
        chart.add(Block(time_us[here], {"v": Column.of_numbers(values[here])}))

    found = chart.buckets("v")
    place = np.searchsorted(found.start_us, time_us[spikes], side="right") - 1

    assert not chart.is_raw
    assert len(found.n) == 2_000
    assert (found.high[place] == [values[spikes][place == each].max() for each in place]).all()
    assert found.n.sum() == 300_000


def test_fewer_readings_than_points_are_answered_as_they_are():
    blocks = [
        block_from([1, 2], v=[12, 12.0], mode=["auto", ABSENT_VALUE]),
        block_from([3, 4], v=[ABSENT_VALUE, -0.5], mode=[True, "off"]),
    ]
    chart = Series.even(["v", "mode", "other"], from_us=0, to_us=100, points=4)
    for block in blocks:
        chart.add(block)

    assert chart.is_raw
    assert chart.raw("v").time_us.tolist() == [1, 2, 4]
    assert list(map(repr, chart.raw("v").column.values())) == ["12", "12.0", "-0.5"]
    assert chart.raw("mode").column.values() == ["auto", True, "off"]
    assert chart.raw("other").column.values() == []


def test_more_readings_than_points_are_answered_in_buckets():
    chart = Series.even(["v"], from_us=0, to_us=100, points=4)
    for start in (0, 3):
        chart.add(block_from([start, start + 1, start + 2], v=[1.0, 2.0, 3.0]))

    assert not chart.is_raw
    assert chart.buckets("v").n.tolist() == [6]


def test_a_long_chart_is_the_same_from_ladders_as_from_the_readings():
    rng = np.random.default_rng(9)
    time_us = START_US + np.cumsum(rng.integers(1, 2_000_000, 40_000))
    values = np.round(rng.normal(0, 1, 40_000), 2)
    values[12_345] = 99.0
    blocks = [
        Block(time_us[start : start + 4_000], {"v": Column.of_numbers(values[start : start + 4_000])})
        for start in range(0, 40_000, 4_000)
    ]
    rung_us = max(ladder.ladder_of(block).width_us for block in blocks)
    span = int(time_us[100]), int(time_us[-100])
    grid = Even.aligned(*span, 50, step_us=rung_us)
    quick, exact = Series(["v", "w"], grid, 50), Series(["v", "w"], grid, 50)
    for place, block in enumerate(blocks):
        within = block.within(*span)
        exact.add(within)
        if place in (0, len(blocks) - 1):  # cut by the span
            quick.add(within)
        else:
            quick.add_ladder(ladder.ladder_of(block), len(block))

    one, other = quick.buckets("v"), exact.buckets("v")

    assert not quick.is_raw
    assert 10 < len(one.n) <= 50
    for name in ("start_us", "n", "first", "low", "high", "last"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    assert one.mean == pytest.approx(other.mean)
    assert 99.0 in one.high
    assert quick.buckets("w").n.tolist() == []


def test_a_ladder_that_comes_before_earlier_readings_stands_behind_them():
    later = Block(np.arange(2_000, 4_000) * 1_000_000, {"v": Column.of_numbers(np.arange(2_000.0, 4_000.0))})
    earlier = Block(np.arange(2_500) * 1_000_000, {"v": Column.of_numbers(np.arange(2_500.0))})
    chart = Series(["v"], Even(300_000_000), 10)

    chart.add_ladder(ladder.ladder_of(later), len(later))
    chart.add(earlier)
    found = chart.buckets("v")

    assert found.start_us.tolist() == [start * 300_000_000 for start in range(14)]
    assert found.n.sum() == 4_500
    assert found.low.tolist() == [float(start * 300) for start in range(14)]


def test_rungs_that_buckets_would_cut_are_refused():
    block = Block(np.arange(100) * 1_000_000, {"v": Column.of_numbers(np.arange(100))})
    chart = Series.even(["v"], from_us=0, to_us=100_000_001, points=50)

    with pytest.raises(ValueError, match="rungs"):
        chart.add_ladder(ladder.ladder_of(block), len(block))


@given(st.integers(0, 10**12), st.integers(1, 10**12), st.integers(1, 5_000), st.sampled_from(ladder.WIDTHS_US[:15]))
def test_aligned_buckets_cover_the_span_and_are_no_more_than_the_points(from_us, length_us, points, step_us):
    grid = Even.aligned(from_us, from_us + length_us, points, step_us=step_us)

    assert ladder.divides(step_us, grid)
    assert grid.origin_us <= from_us
    assert grid.origin_us + points * grid.width_us >= from_us + length_us
