"""Best laps: what a hand computes from a few readings, however they are cut into blocks."""

from itertools import pairwise

import numpy as np
import pytest

from releve.history.block import Block
from releve.history.column import Column
from releve.history.sector import SECTORS, Sectors, together

SECOND_US = 1_000_000


def best(readings, *, blocks=1):
    """Of (seconds, lap, distance)."""
    times, track, distance = zip(*readings, strict=True)
    found = Sectors()
    for start, end in pairwise(np.linspace(0, len(times), blocks + 1).astype(int).tolist()):
        columns = {"track": Column.of(list(track[start:end])), "distance": Column.of(list(distance[start:end]))}
        found.add(Block(np.array([int(at * SECOND_US) for at in times[start:end]], np.int64), columns))
    return found.answer()


# Lap 0: its first half in 10 s, its second in 30 s. Lap 1: 20 s each. Lap 2 is under way. Each lap is 100 m.
DRIVEN = [(0, 0, 0.0), (10, 0, 50.0), (40, 1, 100.0), (60, 1, 150.0), (80, 2, 200.0), (85, 2, 220.0)]


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_the_theoretical_best_takes_the_best_half_of_each_lap(blocks):
    found = best(DRIVEN, blocks=blocks)

    assert (found.laps, found.best_s) == (2, 40.0)
    assert found.sectors_s == pytest.approx([10 / (SECTORS / 2)] * 5 + [20 / (SECTORS / 2)] * 5)
    assert found.theoretical_s == pytest.approx(30.0)


def test_of_several_races_the_best_sector_of_any_counts():
    other = best([(0, 0, 0.0), (25, 0, 50.0), (40, 1, 100.0), (41, 1, 101.0)])

    assert other.theoretical_s == pytest.approx(40.0)
    assert together([best(DRIVEN), other]) == pytest.approx(10.0 + 15.0)


def test_a_lap_under_way_is_no_lap_and_without_distance_there_is_a_best_lap_alone():
    assert best([(0, 0, 0.0), (10, 0, 50.0)]) == (0, None, None)
    without = best([(0, 0, None), (30, 1, None), (50, 2, None)])

    assert (without.laps, without.best_s, without.theoretical_s) == (2, 20.0, None)
    assert together([without]) is None


def test_a_car_that_counts_anew_in_each_lap_has_no_theoretical_best():
    found = best([(0, 0, 0.0), (10, 0, 90.0), (20, 1, 0.0), (30, 1, 80.0), (45, 2, 0.0)])

    assert (found.best_s, found.theoretical_s) == (20.0, None)
