"""An object with arrays is that many readings: each stored once, whatever is sent again, and none without a word."""

import asyncio
import json
import time

import pytest
from tests.postgres.conftest import NOW_US
from tests.postgres.test_homes import everything, move

from releve.ingest.verdict import spelt_all, verdict
from releve.protocol.problem import BadReading, Problem

NOON = "2026-06-01T12:00:00Z"
NOON_MS = 1_780_315_200_000


def body(*documents):
    return json.dumps(documents[0] if len(documents) == 1 else documents).encode()


def wave(count, **more):
    return {"time": NOON, "step_ms": 10, "z": [number / 2 for number in range(count)], "temperature": 21.5} | more


async def counts(path, sender, document, **more):
    [receipt] = await path.send(sender, body(document), **more)
    told = verdict(receipt)
    return told["outcome"], told["readings"], told["stored"], told["duplicate"]


async def test_a_waveform_is_a_reading_each_step_and_its_scalars_belong_to_the_first(path_into, device):
    pi = device()
    async with path_into() as path:
        assert await counts(path, pi, wave(3, x=[1, 2, 3.5])) == ("stored", 3, 3, 0)

        assert [(time.isoformat(timespec="milliseconds"), channels) for _, time, _, channels, _ in path.rows()] == [
            ("2026-06-01T12:00:00.000+00:00", {"z": 0.0, "x": 1, "temperature": 21.5}),
            ("2026-06-01T12:00:00.010+00:00", {"z": 0.5, "x": 2}),
            ("2026-06-01T12:00:00.020+00:00", {"z": 1.0, "x": 3.5}),
        ]


async def test_a_rate_is_as_good_as_a_step_also_within_channels_and_rounds_each_instant_alone(path_into, device):
    pi = device()
    document = {"time": NOON, "rate_hz": 3_000, "channels": {"z": list(range(4)), "rate_hz": 5}}
    async with path_into() as path:
        assert await counts(path, pi, document) == ("stored", 4, 4, 0)

        assert [time.microsecond for _, time, *_ in path.rows()] == [0, 333, 667, 1_000]
        assert path.rows()[0][3] == {"z": 0, "rate_hz": 5}


@pytest.mark.parametrize("more", [{}, {"id": "w1"}])
async def test_a_waveform_again_is_a_repeat_and_one_that_was_cut_in_half_stores_the_rest(path_into, device, more):
    pi = device()
    whole = wave(2_400, **more)
    async with path_into() as path:
        await path.send(pi, body(wave(1_200, **more)))

        rest = await counts(path, pi, whole, received_us=NOW_US + 1)
        again = await counts(path, pi, whole, received_us=NOW_US + 2)

        assert rest == ("stored", 2_400, 1_200, 1_200)
        assert again == ("duplicate", 2_400, 0, 2_400)
        assert len(await everything(path, pi.device_id)) == 2_400


async def test_one_longer_than_what_a_device_may_have_waiting_is_stored_part_by_part(path_into, device):
    pi = device()
    async with path_into(device_backlog=600, backlog=1_000) as path:
        assert await counts(path, pi, wave(5_000)) == ("stored", 5_000, 5_000, 0)


async def test_in_a_batch_it_counts_as_its_readings_and_stands_as_one_verdict(path_into, device):
    pi = device()
    async with path_into() as path:
        receipts = await path.send(pi, body({"time": NOON, "a": 1}, wave(5), {"time": NOON, "a": "x" * 2_000}))

        told = json.loads(spelt_all(receipts))
        assert (told["stored"], told["refused"], len(told["readings"])) == (6, 1, 3)
        assert told["readings"][1]["readings"] == 5


@pytest.mark.parametrize(
    ("more", "field", "word"),
    [
        ({"x": [1, 2]}, "x", "`z` has 3"),
        ({"step_ms": None}, "step_ms", "required"),
        ({"rate_hz": 100}, "step_ms", "rate_hz"),
        ({"step_ms": 0}, "step_ms", "above 0"),
        ({"step_ms": "10"}, "step_ms", "number"),
        ({"step_ms": 0.0001}, "step_ms", "microsecond"),
        ({"z": [1, 2, "3"]}, "z", "value 2"),
        ({"z": [1, None, 3]}, "z", "value 1"),
        ({"z": [1, 1e200, 3]}, "z", "1e150"),
        ({"z": []}, "z", "empty"),
        ({"z": [0] * 100_001}, "z", "at most 100000"),
        ({"time": None}, "time", "needs the time"),
        ({"time": 5_000}, "time", "needs the time"),
    ],
)
async def test_what_is_wrong_with_a_waveform_is_named(path_into, device, more, field, word):
    pi = device()
    async with path_into() as path:
        with pytest.raises(Problem) as refused:
            await path.send(pi, body(wave(3) | more))

        assert (refused.type, refused.value.field) == (BadReading, field)
        assert word in refused.value.detail


async def test_arrays_without_a_step_are_refused_and_a_scalar_called_step_ms_is_a_channel(path_into, device):
    pi = device()
    async with path_into() as path:
        with pytest.raises(BadReading) as refused:
            await path.send(pi, body({"time": NOON, "z": [1, 2]}))
        assert "step_ms" in refused.value.detail

        await path.send(pi, body({"time": NOON, "step_ms": 10, "speed": 1}))
        assert [row[3] for row in path.rows()] == [{"step_ms": 10, "speed": 1}]


async def test_one_whose_end_is_in_the_future_is_kept_aside_whole_and_can_be_replayed(path_into, device):
    pi = device()
    document = wave(10) | {"step_ms": 86_400_000, "time": NOW_US}
    async with path_into() as path:
        [receipt] = await path.send(pi, body(document))

        assert (receipt.outcome, receipt.field) == ("quarantined", "time")
        [(payload,)] = path.rows("SELECT payload FROM quarantine")
        later = await counts(path, pi, json.loads(payload), received_us=NOW_US + 10 * 86_400_000_000)
        assert later == ("stored", 10, 10, 0)


async def test_the_readings_of_one_that_has_a_name_too_many_are_kept_each_alone(path_into, device):
    pi = device()
    async with path_into(device_channels=1) as path:
        [receipt] = await path.send(pi, body(wave(4)))  # the temperature beside the first is a name too many

        assert (receipt.outcome, receipt.counts) == ("quarantined", {"quarantined": 1, "stored": 3})
        [(payload,)] = path.rows("SELECT payload FROM quarantine")
    async with path_into(device_channels=2) as path:
        [replayed] = await path.send(pi, payload)
        assert replayed.outcome == "stored"
        assert await counts(path, pi, wave(4)) == ("duplicate", 4, 0, 4)


DELETED = """
    INSERT INTO expired_reading (device_id, channel, spans)
    SELECT id, '', '{[2026-06-01T12:00:00Z,2026-06-01T13:00:00Z)}' FROM fleet_device
"""
IN_ROWS = "SELECT count(*) FROM fresh_reading"
IN_SEGMENTS = "SELECT coalesce(sum(n), 0) FROM segment WHERE replaced IS NULL"


async def test_a_long_one_of_the_past_goes_into_columns_and_reads_back_as_its_readings_would(path_into, device):
    pi, other = device(), device("raspberry2")
    document = wave(3_000, x=[place if place % 3 else place / 8 for place in range(3_000)])
    async with path_into() as path:
        assert await counts(path, pi, document) == ("stored", 3_000, 3_000, 0)

        assert path.rows(IN_SEGMENTS)[0][0] >= 2_000  # rows are the first, whose channels are others, and a short end
        assert path.rows(IN_ROWS)[0][0] + path.rows(IN_SEGMENTS)[0][0] == 3_000
        for start in range(0, 3_000, 1_000):  # a message id for each makes readings of them, one by one
            part = {name: document[name][start : start + 1_000] for name in ("z", "x")}
            first = {"temperature": 21.5} if start == 0 else {}
            await path.send(other, body({"time": NOON_MS + start * 10, "step_ms": 10, **part, **first}))
        assert await everything(path, pi.device_id) == await everything(path, other.device_id)
        assert path.group.seen[pi.device_id][1] == (NOON_MS + 29_990) * 1_000


@pytest.mark.parametrize("home", ["fresh", "segment", "old"])
async def test_what_a_long_one_repeats_is_told_wherever_it_lies_and_what_shares_only_the_instant_lives(
    path_into, device, home
):
    pi = device()
    async with path_into() as path:
        await path.send(pi, body(*({"time": NOON_MS + place * 10, "z": place / 2} for place in range(100, 200))))
        await path.send(pi, body(*({"time": NOON_MS + place * 10, "z": -1.0} for place in range(150, 250))))
        await move(path, pi.device_id, home)

        told = await counts(path, pi, wave(2_000))

        assert told == ("stored", 2_000, 1_900, 100)
        found = await everything(path, pi.device_id)
        assert len(found) == len({(time_us, own_id) for time_us, own_id, _ in found}) == 2_100


async def test_a_long_one_of_now_and_one_with_a_message_id_become_rows(path_into, device):
    pi = device()
    now_ms = time.time_ns() // 1_000_000
    async with path_into() as path:
        recent = wave(1_500) | {"time": now_ms - 15_000}

        assert (await counts(path, pi, recent, received_us=now_ms * 1_000))[0] == "stored"
        assert await counts(path, pi, wave(1_500, id="w7")) == ("stored", 1_500, 1_500, 0)

        assert path.rows(IN_ROWS)[0][0] + path.rows(IN_SEGMENTS)[0][0] == 3_000
        assert path.rows(IN_SEGMENTS) == [(0,)]


async def test_a_long_one_sent_to_two_processes_at_once_is_stored_once(path_into, device):
    pi = device()
    async with path_into() as path, path_into() as elsewhere:
        told = await asyncio.gather(*(counts(each, pi, wave(4_000)) for each in (path, elsewhere) for _ in "ab"))

        assert sum(stored for *_, stored, _ in told) == 4_000
        assert len(await everything(path, pi.device_id)) == 4_000


async def test_a_long_one_from_where_readings_were_deleted_is_kept_aside_and_nothing_of_it_is_stored(path_into, device):
    pi = device()
    async with path_into() as path:
        path.execute(DELETED)

        told = await counts(path, pi, wave(1_500))

        assert told == ("quarantined", 1_500, 0, 0)
        assert await everything(path, pi.device_id) == []
