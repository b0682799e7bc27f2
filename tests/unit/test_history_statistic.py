"""Every function of a bucket is what a plain loop over its readings finds, however the readings are cut into blocks."""

from collections import defaultdict
from itertools import pairwise
from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releve.history import statistic
from releve.history.block import Block
from releve.history.column import ABSENT_VALUE, Column
from releve.history.grid import Even
from releve.history.quantile import Quantiles
from releve.history.statistic import Statistics
from releve.protocol.run.statistic import statistic_of

SECOND_US = 1_000_000
values = st.one_of(
    st.integers(-50, 50), st.floats(-1e6, 1e6), st.just(ABSENT_VALUE), st.booleans(), st.sampled_from("ab")
)


@st.composite
def readings(draw, values=values):
    """Instants in order, a value each, and at which of them a block ends."""
    times = sorted(draw(st.lists(st.integers(0, 60), min_size=1, max_size=40)))
    return [time * SECOND_US for time in times], [draw(values) for _ in times], draw(st.integers(1, 4))


def collected(found, functions, grid, **about):
    times, held, count = found
    collecting = Statistics("v", grid, functions, **about)
    edges = np.linspace(0, len(times), count + 1).astype(int).tolist()
    for start, end in pairwise(edges):
        collecting.add(Block(np.array(times[start:end], np.int64), {"v": Column.of(held[start:end])}))
    return collecting


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def pairs_of(found):
    return [(time, value) for time, value in zip(*found[:2], strict=True) if is_number(value)]


def bucket_of(time, grid):
    return time - (time - grid.origin_us) % grid.width_us


def grouped(pairs, grid):
    found = defaultdict(list)
    for time, value in pairs:
        found[bucket_of(time, grid)].append(value)
    return dict(sorted(found.items()))


widths = st.integers(1, 70).map(lambda width: Even(width * SECOND_US, -3 * SECOND_US))


@settings(max_examples=60, deadline=None)
@given(readings(), widths)
def test_sums_and_percentiles_are_exact(found, grid):
    names = [*statistic.SUMS, *statistic.PERCENTILES]

    starts, answer = collected(found, names, grid).answer()

    expected = grouped(pairs_of(found), grid)
    assert starts.tolist() == list(expected)
    for place, held in enumerate(expected.values()):
        plain = statistic_of([float(value) for value in held])
        assert {name: answer[name][place] for name in ("n", "low", "high", "first", "last")} == {
            name: getattr(plain, name) for name in ("n", "low", "high", "first", "last")
        }
        assert answer["mean"][place] == pytest.approx(plain.mean, rel=1e-9, abs=1e-6)
        assert answer["total"][place] == pytest.approx(sum(held), rel=1e-9, abs=1e-6)
        assert answer["deviation"][place] == pytest.approx(plain.deviation, rel=1e-6, abs=1e-6)
        for name, part in statistic.PERCENTILES.items():
            assert answer[name][place] == pytest.approx(np.quantile(held, part), rel=1e-12, abs=1e-9)


def test_percentiles_of_a_bucket_that_many_blocks_share_are_exact(monkeypatch):
    monkeypatch.setattr("releve.history.quantile._MANY", 1000)
    rng = np.random.default_rng(2)
    held = np.round(rng.normal(0, 1, 20_000), 1)
    collecting = Quantiles(Even(10**12), [0, 0.5, 0.95, 0.99, 1])
    for start in range(0, 20_000, 700):
        collecting.add(np.arange(start, min(start + 700, 20_000)), held[start : start + 700])

    starts, found = collecting.answer()

    assert starts.tolist() == [0]
    assert found[0].tolist() == pytest.approx(np.quantile(held, [0, 0.5, 0.95, 0.99, 1]).tolist())


@settings(max_examples=60, deadline=None)
@given(readings(), widths, st.none() | st.integers(1, 30))
def test_a_value_counts_for_as_long_as_it_held(found, grid, longest_s):
    longest_us = None if longest_s is None else longest_s * SECOND_US

    _, answer = collected(found, ["time_weighted_mean"], grid, longest_us=longest_us).answer()

    pairs = pairs_of(found)
    weights = defaultdict(list)
    for (time, value), (until, _) in pairwise(pairs):
        for second in range(time, min(until, time + (longest_us or 10**12)), SECOND_US):
            weights[bucket_of(second, grid)].append(value)
    for place, (start, held) in enumerate(grouped(pairs, grid).items()):
        plain = weights[start] or held
        assert answer["time_weighted_mean"][place] == pytest.approx(sum(plain) / len(plain), rel=1e-9, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(readings(values=st.integers(0, 9)), widths)
def test_the_rate_of_a_counter_crosses_its_resets(found, grid):
    starts, answer = collected(found, ["rate"], grid).answer()

    risen, passed = defaultdict(float), defaultdict(float)
    for (time, before), (until, after) in pairwise(pairs_of(found)):
        risen[bucket_of(until, grid)] += after - before if after >= before else after
        passed[bucket_of(until, grid)] += (until - time) / SECOND_US
    for start, rate in zip(starts.tolist(), answer["rate"].tolist(), strict=True):
        assert isnan(rate) if passed[start] == 0 else rate == pytest.approx(risen[start] / passed[start])


@settings(max_examples=60, deadline=None)
@given(readings(), widths, st.none() | st.integers(1, 30))
def test_each_state_lasts_until_the_next(found, grid, longest_s):
    longest_us = None if longest_s is None else longest_s * SECOND_US

    starts, durations = collected(found, ["duration"], grid, longest_us=longest_us).durations()

    states = [(time, value) for time, value in zip(*found[:2], strict=True) if isinstance(value, bool | str)]
    expected = {state: defaultdict(float) for _, state in states}
    for (time, state), (until, _) in pairwise(states):
        for second in range(time, min(until, time + (longest_us or 10**12)), SECOND_US):
            expected[state][bucket_of(second, grid)] += 1
    assert starts.tolist() == list(grouped(states, grid))
    assert set(durations) == set(expected)
    for state, held in durations.items():
        assert held.tolist() == pytest.approx([expected[state][start] for start in starts.tolist()])
