"""An object with arrays is that many readings: each stored once, whatever is sent again, and none without a word."""

import json

import pytest
from tests.postgres.conftest import NOW_US

from releve.ingest.verdict import verdict, verdicts
from releve.protocol.problem import BadReading, Problem

NOON = "2026-06-01T12:00:00Z"


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
        await path.send(pi, body(whole))
        path.execute("DELETE FROM fresh_reading WHERE time >= timestamptz '2026-06-01T12:00:12Z'")

        rest = await counts(path, pi, whole, received_us=NOW_US + 1)
        again = await counts(path, pi, whole, received_us=NOW_US + 2)

        assert rest == ("stored", 2_400, 1_200, 1_200)
        assert again == ("duplicate", 2_400, 0, 2_400)
        assert path.rows("SELECT count(*) FROM fresh_reading") == [(2_400,)]


async def test_one_longer_than_what_a_device_may_have_waiting_is_stored_part_by_part(path_into, device):
    pi = device()
    async with path_into(device_backlog=600, backlog=1_000) as path:
        assert await counts(path, pi, wave(5_000)) == ("stored", 5_000, 5_000, 0)


async def test_in_a_batch_it_counts_as_its_readings_and_stands_as_one_verdict(path_into, device):
    pi = device()
    async with path_into() as path:
        receipts = await path.send(pi, body({"time": NOON, "a": 1}, wave(5), {"time": NOON, "a": "x" * 2_000}))

        told = verdicts(receipts)
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
