"""The loop of background work: rounds one after the other, with leave only, and again after what failed."""

import asyncio

import pytest

from releve.maintenance import loop
from releve.maintenance.loop import Loop, Service
from releve.protocol.problem import Unavailable
from releve.storage import room
from releve.storage.room import Room

WITHIN_S = 10


class Leave:
    def __init__(self):
        self.given = asyncio.Event()

    async def wait(self):
        await self.given.wait()


@pytest.fixture
def rounds():
    return asyncio.Queue()


@pytest.fixture
async def running(monkeypatch):
    monkeypatch.setattr(loop, "FIRST_PAUSE_S", 0.001)
    tasks = []

    def start(work, leave, **details):
        made = Loop(Service(name="prune", period_s=0.001, round=work, **details), leave)
        tasks.append(asyncio.create_task(made.run()))
        return made

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_nothing_is_done_without_leave_and_round_after_round_with_it(running, rounds):
    leave = Leave()

    async def work():
        rounds.put_nowait(1)
        return {}

    made = running(work, leave)
    await asyncio.sleep(0.01)
    assert made.rounds == {"done": 0, "failed": 0}

    leave.given.set()

    for _ in range(3):
        await asyncio.wait_for(rounds.get(), WITHIN_S)
    assert made.rounds["done"] >= 2


async def test_what_each_machine_does_for_itself_needs_no_leave(running, rounds):
    async def work():
        rounds.put_nowait(1)
        return {}

    running(work, Leave(), is_everywhere=True)

    await asyncio.wait_for(rounds.get(), WITHIN_S)


@pytest.mark.parametrize("error", [Unavailable("away"), OSError("no room"), KeyError("channel")])
async def test_a_round_that_fails_is_tried_again_and_counted_and_three_in_a_row_are_a_reason(running, rounds, error):
    leave = Leave()
    leave.given.set()

    async def work():
        rounds.put_nowait(1)
        if made.rounds["failed"] < 3:
            raise error
        return {"rows": 2}

    made = running(work, leave)
    reasons = []
    async with asyncio.timeout(WITHIN_S):
        while made.rounds["done"] < 1:
            await rounds.get()
            reasons.append(made.reason())
            await asyncio.sleep(0)

    assert made.rounds["failed"] == 3
    assert any(reason and "'prune'" in reason and type(error).__name__ in reason for reason in reasons)
    assert made.reason() is None


def test_the_pause_after_failures_grows_and_is_never_longer_than_the_period():
    made = Loop(Service(name="prune", period_s=60, round=None), None)

    made._failures = 1
    assert made.pause_s() == loop.FIRST_PAUSE_S
    made._failures = 3
    assert made.pause_s() == 4 * loop.FIRST_PAUSE_S
    made._failures = 50
    assert made.pause_s() == 60


@pytest.mark.parametrize(
    ("free", "word"), [(11, None), (10, None), (9, "filling up"), (5, "filling up"), (4, "nearly full")]
)
def test_people_are_warned_before_the_disk_is_full_at_ten_and_at_five_per_cent(free, word):
    assert (room.LOW, room.VERY_LOW) == (0.10, 0.05)

    warning = Room("/data", free, 100).warning()

    assert warning is None if word is None else word in warning
