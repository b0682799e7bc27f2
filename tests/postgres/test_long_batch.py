"""A long batch of one device's past goes into a segment at once, and promise P2 holds for it as for any other."""

import asyncio
import time

from psycopg import AsyncConnection
from tests.postgres.test_homes import (
    WITHIN_S,
    body,
    everything,
    move,
    outcomes,
    reading,
    until_awaited,
)

from releve.storage import segments
from releve.storage.reader import AsyncReader


def many(*places):
    return body(*(reading(place) for place in places))


async def test_a_long_batch_of_the_past_goes_into_a_segment_at_once_and_again_is_a_repeat(path_into, device):
    pi = device()
    async with path_into() as path:
        receipts = await path.send(pi, many(*range(1_200)))
        again = await path.send(pi, many(*range(1_300)))

        assert outcomes(receipts) == ["stored"] * 1_200
        assert path.rows("SELECT n FROM segment") == [(1_200,)]
        assert outcomes(again) == ["duplicate"] * 1_200 + ["stored"] * 100
        assert [channels["speed"] for *_, channels in await everything(path, pi.device_id)] == list(range(1_300))


async def test_what_a_long_batch_repeats_of_rows_of_segments_and_of_itself_is_a_repeat(path_into, device):
    pi = device()
    async with path_into() as path:
        await path.send(pi, many(*range(50)))
        await move(path, pi.device_id, "segment")
        await path.send(pi, many(*range(50, 100)))

        receipts = await path.send(pi, many(*range(1_100), 1_099, 1_098))

        assert outcomes(receipts) == ["duplicate"] * 100 + ["stored"] * 1_000 + ["duplicate"] * 2
        assert path.rows("SELECT n FROM segment ORDER BY id") == [(50,), (1_000,)]
        assert len(path.rows()) == 50
        assert len(await everything(path, pi.device_id)) == 1_100


async def test_a_long_batch_of_now_and_one_of_several_devices_become_rows(path_into, device):
    pi, other = device(), device("raspberry2")
    now_ms = time.time_ns() // 1_000_000
    async with path_into(writers=1) as path:
        recent = await path.send(pi, body(*({"time": now_ms - place, "n": place} for place in range(1_200))))
        halves = await asyncio.gather(*(path.send(each, many(*range(600))) for each in (pi, other)))

        assert set(outcomes(recent + halves[0] + halves[1])) == {"stored"}
        assert path.rows("SELECT n FROM segment") == []
        assert len(path.rows()) == 2_400


async def test_a_long_batch_sent_to_two_processes_at_once_is_stored_once(path_into, device):
    pi = device()
    async with path_into() as path, path_into() as elsewhere:
        both = await asyncio.gather(*(each.send(pi, many(*range(1_500))) for each in (path, elsewhere) for _ in "ab"))

        found = [outcome for receipts in both for outcome in outcomes(receipts)]
        assert (found.count("stored"), found.count("duplicate")) == (1_500, 4_500)
        assert len(await everything(path, pi.device_id)) == 1_500


async def test_a_long_batch_waits_for_the_sealing_of_its_device_and_for_no_other(path_into, device):
    pi, other = device(), device("raspberry2")
    async with path_into() as path:
        async with await AsyncConnection.connect(path.url) as sealer:
            await segments.lock(AsyncReader(sealer), [pi.device_id])
            await asyncio.wait_for(path.send(other, many(*range(1_000))), WITHIN_S)
            sent = asyncio.create_task(path.send(pi, many(*range(1_000))))
            await until_awaited(path)
            await sealer.rollback()

        assert set(outcomes(await asyncio.wait_for(sent, WITHIN_S))) == {"stored"}
        assert path.rows("SELECT device_id, n FROM segment ORDER BY 1") == sorted(
            [(pi.device_id, 1_000), (other.device_id, 1_000)]
        )
