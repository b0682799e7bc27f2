"""Promise P4 under a flood: a device that sends little is served, and who floods is told to wait."""

import asyncio
import json
from collections import Counter

import psycopg
import pytest

from releve.protocol.problem import Throttled

START_S = 1_780_000_000


def batch(first, count):
    return json.dumps([{"time": START_S + first + number, "x": number} for number in range(count)]).encode()


async def test_a_device_that_sends_little_is_in_the_next_group_whoever_floods(path_into, device):
    floods, small = [device(f"flood{number}") for number in range(4)], device("small")
    async with path_into(writers=1) as path:
        with psycopg.connect(path.url) as lock:
            lock.execute("LOCK TABLE fresh_reading IN EXCLUSIVE MODE")
            flooding = [
                asyncio.create_task(path.send(sender, batch(part * 5_000, 5_000)))
                for part in range(2)
                for sender in floods
            ]
            await _until(lambda: path.group._depth >= 20_000)  # about a second of work, before anything is measured
            sending = asyncio.create_task(path.send(small, b'{"x": 1}'))
            await _until(lambda: path.group._of_device[small.device_id] == 1)
            lock.rollback()
            await sending

            assert not all(task.done() for task in flooding)
            results = await asyncio.gather(*flooding, return_exceptions=True)

    assert {type(result) for result in results} <= {list, Throttled}
    stored = [receipt.outcome for result in results if type(result) is list for receipt in result]
    assert Counter(stored) == {"stored": len(stored)}
    assert path.stored() == len(stored) + 1


async def test_a_flood_is_refused_before_its_body_is_read_and_a_small_sender_is_not(path_into, device):
    flood, small = device("flood"), device("small")
    async with path_into(writers=1) as path:
        with psycopg.connect(path.url) as lock:
            lock.execute("LOCK TABLE fresh_reading IN EXCLUSIVE MODE")
            flooding = [asyncio.create_task(path.send(flood, batch(part * 5_000, 5_000))) for part in range(8)]
            with pytest.raises(Throttled) as refusal:
                await asyncio.wait_for(_until_refused(path, flood), 60)
            assert 1 <= refusal.value.retry_after_s <= 5
            path.group.admit(small.device_id)
            sending = asyncio.create_task(path.send(small, b'{"x": 1}'))
            await _until(lambda: path.group._of_device[small.device_id] == 1)
            lock.rollback()

            assert (await sending)[0].outcome == "stored"
            results = await asyncio.gather(*flooding, return_exceptions=True)

        path.group.admit(flood.device_id)
    waited = sum(type(result) is list for result in results)
    assert 1 <= waited < len(results)
    assert waited * 5_000 <= 20_000


async def _until(is_so):
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 - the event is the group's own; it can only be asked
            await asyncio.sleep(0.01)


async def _until_refused(path, sender):
    while True:
        path.group.admit(sender.device_id)
        await asyncio.sleep(0.01)
