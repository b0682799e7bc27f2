"""The one scan gives every reader the same readings in the same order, whatever lies sealed, late or fresh."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.history_readings import START_US, device, gym

from releve.history import segment, spelling
from releve.history.block import Row
from releve.history.exclusion import Exclusion
from releve.history.order import held, in_order
from releve.history.pivot import block_of
from releve.history.scan import Wanted, scan
from releve.protocol.identity import canonical, of_content

MACHINES = [4, 5, 4.0, "4", "out of order", True]


@st.composite
def stored(draw):
    """Readings and where each of them lies: 0 for fresh, else in one of the segments, which may overlap."""
    found = {}
    for number in range(draw(st.integers(1, 25))):
        time_us = START_US + draw(st.integers(0, 30))
        channels = canonical({"machine_id": draw(st.sampled_from(MACHINES)), "v": number % 4})
        row = Row(time_us, of_content(channels), time_us + 5, channels)
        found[row.time_us, row.id] = row
    rows = sorted(found.values(), key=lambda row: row[:2])
    return rows, [draw(st.integers(0, 3)) for _ in rows]


def blocks(rows, homes):
    """The segments in the order of their first reading, and the fresh readings."""
    parts = [[row for row, home in zip(rows, homes, strict=True) if home == number] for number in range(4)]
    sealed = [segment.decode(segment.encode(block_of(part))) for part in parts[1:] if part]
    return sorted(sealed, key=lambda block: block.time_us[0]), block_of(parts[0])


def read(rows, homes, **wanted):
    sealed, fresh = blocks(rows, homes)
    return [row for block in scan(sealed, fresh, wanted=Wanted(**wanted)) for row in spelling.rows(block)]


def is_of(row, part):
    name, _, value = part.partition("=")
    held = json.loads(row.channels).get(name)
    if held is None or isinstance(held, bool):
        return False
    return held == value or (not isinstance(held, str) and str(int(held)) == value)


def is_left_out(row, exclusion):
    within = exclusion.from_us <= row.time_us < exclusion.to_us
    one = exclusion.reading in (None, row.id)
    return within and one and (not exclusion.part or is_of(row, exclusion.part))


@settings(max_examples=60, deadline=None)
@given(stored())
def test_a_scan_finds_every_reading_in_order_wherever_it_lies(found):
    rows, homes = found

    assert read(rows, homes) == rows


@settings(max_examples=60, deadline=None)
@given(stored(), st.lists(st.booleans(), min_size=25, max_size=25))
def test_a_reading_that_is_met_twice_comes_once(found, again):
    rows, homes = found
    sealed, _ = blocks(rows, [max(home, 1) for home in homes])
    fresh = block_of([row for row, twice in zip(rows, again, strict=False) if twice])

    assert [row for block in scan(sealed, fresh, wanted=Wanted()) for row in spelling.rows(block)] == rows


@settings(max_examples=60, deadline=None)
@given(stored(), st.data())
def test_what_is_wanted_is_what_a_plain_list_would_give(found, data):
    rows, homes = found
    bound = st.integers(START_US - 2, START_US + 32)
    parts = st.sampled_from(["", "machine_id=4", "machine_id=out of order", "machine_id=9" * 40, "nothing=1"])
    exclusion = st.builds(
        Exclusion,
        from_us=bound,
        to_us=bound,
        reading=st.none() | st.sampled_from([row.id for row in rows]),
        part=parts,
    )
    exclusions = data.draw(st.lists(exclusion, max_size=4))
    from_us, to_us, part = data.draw(bound), data.draw(bound), data.draw(parts)

    expected = [
        row
        for row in rows
        if from_us <= row.time_us < to_us
        and (not part or is_of(row, part))
        and not any(is_left_out(row, each) for each in exclusions)
    ]

    assert read(rows, homes, from_us=from_us, to_us=to_us, part=part, exclusions=exclusions) == expected


def test_a_scan_holds_one_segment_at_a_time():
    readings = gym(1000)
    decoded = []

    def sealed():
        for start in range(0, 1000, 100):
            decoded.append(start)
            yield block_of(readings[start : start + 100])

    found = scan(sealed(), block_of(device(10, lambda _: {"v": 1}, start_us=START_US + 10**9)), wanted=Wanted())

    next(found)
    assert decoded == [0, 100]
    next(found)
    assert decoded == [0, 100, 200]


def test_segments_that_do_not_overlap_are_passed_on_as_they_are():
    sealed = [block_of(part) for part in (gym(1000)[:500], gym(1000)[500:])]

    assert [id(block.time_us) for block in scan(sealed, wanted=Wanted())] == [id(block.time_us) for block in sealed]


def test_blocks_with_some_channels_come_in_the_order_of_time_and_sealed_before_fresh():
    sealed = segment.decode_some(segment.encode(block_of(device(4, lambda number: {"v": number}))), ["v"])
    late = segment.decode_some(
        segment.encode(block_of(device(4, lambda number: {"v": 10 + number, "w": 1}, step_us=50_000))), ["v", "w"]
    )

    found = list(scan([sealed], late, wanted=Wanted()))
    values = np.concatenate([block.column("v").numbers for block in found])

    assert values.tolist() == [0, 10, 11, 1, 12, 13, 2, 3]
    assert np.concatenate([block.column("w").present for block in found]).tolist() == [
        *(False, True, True, False, True, True, False, False)
    ]


def test_one_reading_cannot_be_left_out_where_identities_are_unknown():
    block = segment.decode_some(segment.encode(block_of(gym(3))), ["machine_id"])
    wanted = Wanted(exclusions=[Exclusion(START_US, START_US + 10**6, reading=5)])

    with pytest.raises(ValueError, match="identities"):
        list(scan([block], wanted=wanted))


@settings(max_examples=60, deadline=None)
@given(stored())
def test_merging_blocks_gives_one_in_order_whatever_they_hold(found):
    rows, homes = found
    sealed, fresh = blocks(rows, homes)

    assert spelling.rows(in_order([fresh, *sealed, fresh])) == rows


@settings(max_examples=60, deadline=None)
@given(stored())
def test_a_repeat_is_known_by_its_instant_and_identity(found):
    rows, homes = found
    kept = [row for row, home in zip(rows, homes, strict=True) if home]
    if not kept:
        return
    block = segment.decode(segment.encode(block_of(kept)))

    known = held(block, np.array([row.time_us for row in rows]), np.array([row.id for row in rows]))

    assert known.tolist() == [home > 0 for home in homes]
