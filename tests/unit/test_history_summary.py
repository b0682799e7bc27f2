"""A summary in one pass is that of the readings one by one, however they are cut into blocks and what is left out."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releve.history.block import Block
from releve.history.column import ABSENT_VALUE, Column
from releve.history.grid import Even
from releve.history.lap import MOST_LAPS, Laps
from releve.history.summary import Pieces, Summary, with_total
from releve.protocol.run.race import TrackPoint, lap
from releve.protocol.run.statistic import statistic_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_US = 1_000_000
NAMES = ("speed", "acceleration_x", "acceleration_y", "acceleration_z", "acceleration_total")


def at(second):
    return EPOCH + timedelta(seconds=second)


def blocks(readings, count, *, every_us=SECOND_US):
    """Blocks of readings, each a dictionary of its channels."""
    edges = np.linspace(0, len(readings), count + 1).astype(int).tolist()
    for start, end in pairwise(edges):
        part = readings[start:end]
        names = {name for reading in part for name in reading}
        columns = {name: Column.of([reading.get(name, ABSENT_VALUE) for reading in part]) for name in names}
        yield start, Block(np.arange(start, end, dtype=np.int64) * every_us, columns)


def told_laps(readings, left_out, last_track=ABSENT_VALUE):
    """The laps by the rule in words: a lap ends with the first reading of another, be that left out or not."""
    counted = [(second, one) for second, one in enumerate(readings) if second not in left_out]
    told = [(second, one["track"], one.get("distance")) for second, one in counted if "track" in one]
    begun = [each for before, each in pairwise([(0, None, None), *told]) if each[1] != before[1]]
    if len({track for _, track, _ in begun}) < 2:
        return []
    distances = [one["distance"] for _, one in counted if "distance" in one]
    final = (counted[-1][0], told[-1][1], distances[-1] if distances else None)
    found = []
    for first, end in pairwise([*begun, final]):
        is_last = end is final
        until = len(readings) if is_last else end[0]
        latest = [each for each in told if first[0] <= each[0] < until and each[1] == first[1]][-1]
        others = [
            second
            for second in range(latest[0] + 1, until)
            if second in left_out and readings[second].get("track", first[1]) != first[1]
        ]
        stop = TrackPoint(at(others[0]), end[1], latest[2]) if others else TrackPoint(at(end[0]), *end[1:])
        found.append(lap(TrackPoint(at(first[0]), *first[1:]), stop))
    return found


racing = st.lists(
    st.fixed_dictionaries({}, optional={"track": st.integers(0, 2), "distance": st.integers(0, 9)}),
    min_size=1,
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(racing, st.integers(1, 4), st.sets(st.integers(0, 29)))
def test_no_lap_is_longer_for_what_is_left_out(readings, count, left_out):
    found = Laps()
    for start, block in blocks(readings, count):
        if len(block):
            found.add(block, np.array([start + place not in left_out for place in range(len(block))]))

    assert found.answer() == told_laps(readings, left_out)


def test_laps_without_end_are_told_up_to_a_thousand():
    found = Laps()
    for _, block in blocks([{"track": second % 7, "distance": second} for second in range(5_000)], 3):
        found.add(block)

    laps = found.answer()

    assert len(laps) == MOST_LAPS
    assert {(lap.time_s, lap.distance) for lap in laps} == {(1, 1)}


values = st.one_of(
    st.floats(-1e6, 1e6, width=32), st.integers(-5, 5), st.sampled_from([1e149, 1e151, -1e200, True, "12"])
)
channels = st.lists(st.dictionaries(st.sampled_from(NAMES), values, max_size=4), min_size=1, max_size=40)


def measurements(reading):
    found = {
        name: float(value) for name, value in reading.items() if type(value) in {int, float} and abs(value) < 1e150
    }
    axes = [found.get(f"acceleration_{axis}") for axis in "xyz"]
    if "acceleration_total" not in reading and None not in axes:
        found["acceleration_total"] = math.sqrt(sum(axis * axis for axis in axes))
    return found


def assert_says(found, values):
    wanted = statistic_of(values)
    scale = max(abs(wanted.low), abs(wanted.high))
    assert found.shown() == {
        name: pytest.approx(value, rel=1e-9, abs=1e-9 * scale) for name, value in wanted.shown().items()
    }
    assert found.low <= found.mean <= found.high


@settings(max_examples=200, deadline=None)
@given(channels, st.integers(1, 4), st.sets(st.integers(0, 39)))
def test_every_channel_is_summed_as_the_readings_one_by_one(readings, count, left_out):
    found = Summary(derives_total=True)
    for start, block in blocks(readings, count):
        if len(block):
            found.add(block, np.array([start + place not in left_out for place in range(len(block))]))

    told = [measurements(reading) for second, reading in enumerate(readings) if second not in left_out]
    said = found.channels.answer()
    assert list(said) == sorted({name for one in told for name in one})
    assert found.gaps.n == len(told)
    for name, statistic in said.items():
        assert_says(statistic, [one[name] for one in told if name in one])


@settings(max_examples=100, deadline=None)
@given(channels, st.integers(1, 4), st.integers(1, 9))
def test_buckets_of_any_width_hold_each_number_once(readings, count, width_s):
    found = Pieces(Even(width_s * SECOND_US), with_squares=True)
    for _, block in blocks(readings, count):
        found.add(with_total(block) if len(block) else block)

    assert found.starts_us.tolist() == sorted(
        {second // width_s * width_s * SECOND_US for second in range(len(readings))}
    )
    told = [(second, measurements(reading)) for second, reading in enumerate(readings)]
    pieces = found.answer()
    assert set(pieces) == {name for _, one in told for name in one}
    for name, buckets in pieces.items():
        for place, start_us in enumerate(buckets.start_us.tolist()):
            inside = [
                one[name] for second, one in told if name in one and second // width_s * width_s * SECOND_US == start_us
            ]
            wanted = statistic_of(inside)
            scale = max(abs(wanted.low), abs(wanted.high))
            assert (buckets.n[place], buckets.low[place], buckets.high[place]) == (wanted.n, wanted.low, wanted.high)
            assert (buckets.first[place], buckets.last[place]) == (wanted.first, wanted.last)
            assert buckets.mean[place] == pytest.approx(wanted.mean, rel=1e-9, abs=1e-9 * scale)
            assert buckets.deviation[place] == pytest.approx(wanted.deviation, rel=1e-6, abs=1e-6 * scale)


def test_asymmetry_that_was_told_for_next_to_no_time_has_no_trend():
    short, long = (Summary(tells_effort=True) for _ in range(2))
    for summary, every_us in ((short, 100), (long, SECOND_US)):
        for _, block in blocks([{"asymmetry": float(place)} for place in range(5)], 2, every_us=every_us):
            summary.add(block)

    assert short.effort.asymmetry_trend_per_min is None
    assert long.effort.asymmetry_trend_per_min == pytest.approx(60)
