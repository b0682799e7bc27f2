"""Who commits what: groups as large as they come, and nobody waits behind a writer that is stuck."""

import asyncio
import json
import time

import psycopg

INSTANT = "2026-06-01T12:00:00Z"


def reading(**channels):
    return json.dumps({"time": INSTANT} | channels).encode()


def until_somebody_waits_for_a_lock(path):
    while not path.rows("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
        time.sleep(0.01)


async def test_what_comes_during_a_commit_is_one_group(path_into, device):
    pi = device()
    async with path_into() as path:
        await asyncio.gather(*(path.send(pi, reading(n=number)) for number in range(100)))
        groups = path.counters.groups

        assert groups.total == 100
        assert sum(groups.counts) <= 10


async def test_a_commit_that_is_stuck_keeps_only_its_own_readings_waiting(path_into, device):
    pi, neighbour = device("raspberry1"), device("raspberry2")
    async with path_into() as path:
        await path.send(pi, reading(n=0))
        with psycopg.connect(path.url) as other:
            other.execute("DELETE FROM fresh_reading")  # not committed: the same reading again has to wait for its end
            stuck = asyncio.create_task(path.send(pi, reading(n=0)))
            await asyncio.to_thread(until_somebody_waits_for_a_lock, path)
            receipts = await asyncio.wait_for(path.send(neighbour, reading(n=1)), 10)

            assert [receipt.outcome.value for receipt in receipts] == ["stored"]
            assert not stuck.done()
            other.rollback()
        assert [receipt.outcome.value for receipt in await asyncio.wait_for(stuck, 10)] == ["duplicate"]
