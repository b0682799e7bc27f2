"""A segment gives back every reading to the byte, each of its columns alone, and notices what is damaged."""

import json
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.history_readings import START_US, device, gym, naive, odd_texts, rows, values

from releve.history import segment, spelling
from releve.history.block import Row, joined
from releve.history.column import Column
from releve.history.pivot import block_of, block_of_columns
from releve.history.segment import Damaged, Holds
from releve.protocol.identity import canonical, key_hash, of_content


def sealed(readings):
    return segment.encode(block_of(readings))


def back(found):
    return spelling.rows(segment.decode(found))


@settings(max_examples=60, deadline=None)
@given(rows())
def test_what_is_sealed_comes_back_to_the_byte(readings):
    assert back(sealed(readings)) == readings


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(rows(channels=odd_texts()))
def test_channels_in_another_spelling_come_back_to_the_byte(readings):
    assert back(sealed(readings)) == readings


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(rows(), rows(), st.data())
def test_blocks_that_are_cut_and_joined_are_what_their_readings_are(some, others, data):
    kept = data.draw(st.lists(st.booleans(), min_size=len(others), max_size=len(others)))
    blocks = [segment.decode(sealed(some)), block_of(others).take(np.array(kept, bool))]

    expected = some + [row for row, keep in zip(others, kept, strict=True) if keep]

    assert spelling.rows(joined(blocks)) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(values, min_size=1, max_size=60))
def test_a_column_keeps_every_type_apart(found):
    readings = device(len(found), lambda number: {"value": found[number]})

    assert [json.loads(row.channels)["value"] for row in back(sealed(readings))] == found
    assert back(sealed(readings)) == readings


def test_12_and_12_0_and_minus_zero_stay_what_they_are():
    spelled = [b'{"v":12}', b'{"v":12.0}', b'{"v":-0.0}', b'{"v":0.0}', b'{"v":0}', b'{"v":"12"}', b'{"v":true}']
    readings = [Row(START_US + place, of_content(text), START_US, text) for place, text in enumerate(spelled)]

    assert [row.channels for row in back(sealed(readings))] == spelled


def test_extremes_come_back():
    extremes = [2**53, -(2**53), 9.999999999999999e149, -9.999999999999999e149, 5e-324, 2.2250738585072014e-308, 1e-5]
    readings = device(len(extremes), lambda number: {"v": extremes[number], "w": float(number)})

    assert back(sealed(readings)) == readings


def test_256_channels_come_back():
    readings = device(300, lambda number: {f"channel {each}": each + number / 7 for each in range(256)})

    assert back(sealed(readings)) == readings


def test_one_reading_is_a_segment():
    readings = gym(1)

    assert back(sealed(readings)) == readings
    assert sealed(readings).size < 200


def test_readings_of_one_instant_come_back_in_the_order_of_their_identities():
    texts = [canonical({"v": number}) for number in range(100)]
    readings = sorted(Row(START_US, of_content(text), START_US + 5, text) for text in texts)

    assert back(sealed(readings)) == readings


def test_readings_out_of_order_are_no_segment():
    with pytest.raises(ValueError, match="order"):
        block_of(gym(3)[::-1])


def test_numbers_that_javascript_writes_cost_no_more_than_numbers():
    steady = [number / 2 for number in range(4000)]
    mixed = device(4000, lambda number: {"v": int(steady[number]) if steady[number].is_integer() else steady[number]})

    found = sealed(mixed)

    assert back(found) == mixed
    assert len(found.channels["v"]) < 200


def test_a_gym_device_takes_less_than_a_byte_a_value():
    readings = gym(20_000)

    found = sealed(readings)

    assert found.size / (len(readings) * 9) < 1
    assert back(found) == readings


def test_random_doubles_take_less_than_seven_bytes_a_value():
    noise = np.random.default_rng(1).uniform(20, 30, 20_000).tolist()
    readings = device(20_000, lambda number: {"temperature": noise[number]})

    assert sealed(readings).size / (len(readings) * 3) < 7


def test_a_small_segment_is_smaller_than_its_rows_by_far():
    assert sealed(gym(100)).size < 15 * 100


@pytest.mark.parametrize("timespec", ["auto", "milliseconds", "microseconds"])
def test_naive_timestamps_cost_nothing_across_a_change_of_clocks(timespec):
    readings = []
    for number, row in enumerate(device(1000, lambda number: {"v": number}, step_us=1_001_000)):
        local = naive(row.time_us, 7_200_000_000 if number < 500 else 3_600_000_000)
        readings.append(row._replace(sent=local.isoformat(timespec=timespec)))

    found = sealed(readings)

    assert back(found) == readings
    assert len(found.own[Holds.SENT]) < 100


@pytest.mark.parametrize("unit_us", [1_000, 1_000_000])
def test_uptimes_cost_nothing_between_two_boots(unit_us):
    readings = []
    for number, row in enumerate(device(1000, lambda number: {"v": number % 3}, step_us=2_000_000)):
        uptime = (number % 700) * 2_000_000 // unit_us
        own_id = of_content(row.channels, count=uptime * unit_us // 1000, sent=str(uptime))
        readings.append(row._replace(sent=str(uptime), id=own_id))

    found = sealed(readings)

    assert back(found) == readings
    assert len(found.own[Holds.SENT]) < 100
    assert len(found.own[Holds.IDENTITIES]) < 40


def test_identities_of_the_senders_own_are_kept():
    readings = [row._replace(id=key_hash(str(number))) for number, row in enumerate(gym(500))]

    assert back(sealed(readings)) == readings


def test_a_column_is_read_without_the_others():
    found = sealed(gym(1000))
    alone = found._replace(
        own={Holds.TIME: found.own[Holds.TIME]}, channels={"acceleration_z": found.channels["acceleration_z"]}
    )

    block = segment.decode_some(alone, ["acceleration_z", "unknown"])

    assert block.column("acceleration_z").values() == [json.loads(row.channels)["acceleration_z"] for row in gym(1000)]
    assert not block.column("unknown").present.any()


@settings(max_examples=60, deadline=None)
@given(rows(), st.data())
def test_a_byte_that_changed_is_noticed(readings, data):
    found = sealed(readings)
    columns = {**found.own, **found.channels}
    name = data.draw(st.sampled_from(list(columns)))
    place = data.draw(st.integers(0, len(columns[name]) - 1))
    broken = bytearray(columns[name])
    broken[place] ^= data.draw(st.integers(1, 255))
    kind = "own" if isinstance(name, Holds) else "channels"

    damaged = found._replace(**{kind: {**getattr(found, kind), name: bytes(broken)}})

    with pytest.raises(Damaged):
        segment.decode(damaged)


def test_a_later_version_of_the_format_is_refused_by_its_number():
    found = sealed(gym(3))
    later = b"\x02" + found.own[Holds.TIME][1:-4]
    column = later + crc32(later).to_bytes(4, "little")

    with pytest.raises(Damaged, match="version 2"):
        segment.decode(found._replace(own={**found.own, Holds.TIME: column}))


def test_columns_of_two_segments_are_not_taken_for_one():
    short, long = sealed(gym(3)), sealed(gym(4))

    with pytest.raises(Damaged, match="readings"):
        segment.decode(short._replace(channels=long.channels))


def test_a_waveform_becomes_a_segment_without_being_rows_first():
    time_us = START_US + np.arange(3_000) * 10
    wave = np.round(np.sin(np.arange(3_000) / 50), 4)
    block = block_of_columns(time_us, {"v": Column.of_numbers(wave)}, received_us=START_US + 10**6)

    found = back(segment.encode(block))

    texts = [canonical({"v": value}) for value in wave.tolist()]
    assert found == [
        Row(time, of_content(text), START_US + 10**6, text) for time, text in zip(time_us.tolist(), texts, strict=True)
    ]


def test_columns_of_which_two_share_an_instant_are_no_block():
    with pytest.raises(ValueError, match="instant"):
        block_of_columns(np.array([1, 1]), {"v": Column.of_numbers(np.zeros(2))}, received_us=5)
