"""The promises hold in every universe that a seed makes, and a fault in the code is found by one of them."""

import pytest
from tests.simulation.planted import PLANTS
from tests.simulation.universe import Broken, Universe, least

IN_CI = 300
FOUND_WITHIN = 2_000
PART = 50


@pytest.mark.parametrize("first", range(0, IN_CI, PART))
def test_the_promises_hold_in_every_universe(first):
    verdicts = 0
    for seed in range(first, first + PART):
        verdicts += lived(seed)

    assert verdicts > 20 * PART  # they were not empty


@pytest.mark.slow
def test_the_promises_hold_in_as_many_universes_as_were_asked_for(request):
    for seed in range(IN_CI, IN_CI + request.config.getoption("--simulate")):
        lived(seed)


def lived(seed):
    universe = Universe(seed)
    try:
        universe.run()
    except Broken as broken:
        size, smallest = least(seed) or ({}, broken)
        pytest.fail(f"in the universe of seed {seed}: {broken}\nthe smallest is Universe({seed}, **{size}): {smallest}")
    return universe.verdicts


@pytest.mark.parametrize("name", PLANTS)
def test_a_fault_that_we_plant_is_found(name):
    with PLANTS[name]():
        for seed in range(FOUND_WITHIN):
            try:
                Universe(seed).run()
            except Broken:
                return
    pytest.fail(f"nobody noticed in {FOUND_WITHIN} universes that the code {name.replace('_', ' ')}")


def test_a_universe_is_the_same_each_time():
    one, other = Universe(11), Universe(11)
    one.run()
    other.run()

    assert (one.clock.now_s, one.verdicts) == (other.clock.now_s, other.verdicts)
    assert one.database.rows | one.database.sealed == other.database.rows | other.database.sealed
