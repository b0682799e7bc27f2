"""Background tasks are watched: what fails is started again, counted, and told of when it fails for good."""

import asyncio

import pytest

from releve import task
from releve.task import Tasks

WITHIN_S = 10


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(task, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(task, "LONGEST_PAUSE_S", 0.002)


@pytest.fixture
async def tasks():
    tasks = Tasks()
    yield tasks
    await tasks.stop()


async def until(holds):
    async with asyncio.timeout(WITHIN_S):
        while not holds():  # noqa: ASYNC110 - it is a count, which no event tells of
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("error", [OSError("no room"), ValueError("not a UUID"), RuntimeError()])
async def test_a_task_that_raises_is_started_again_and_counted(tasks, error):
    lives = asyncio.Event()
    starts = []

    async def work():
        starts.append(1)
        if len(starts) < 3:
            raise error
        lives.set()
        await asyncio.Event().wait()

    tasks.start("feed", work)
    await asyncio.wait_for(lives.wait(), WITHIN_S)

    assert tasks.restarts["feed"] == 2
    assert tasks.reasons() == []


async def test_a_task_that_ends_by_itself_is_started_again(tasks):
    starts = []

    async def work():
        starts.append(1)

    tasks.start("hub", work)

    await until(lambda: len(starts) > 2)


async def test_a_task_that_cannot_live_is_a_reason_until_it_lives_again(tasks, monkeypatch):
    monkeypatch.setattr(task, "STEADY_AFTER_S", 0.5)
    is_broken = True

    async def work():
        if is_broken:
            raise OSError("no room")
        await asyncio.Event().wait()

    tasks.start("hub", work)
    await until(tasks.reasons)

    assert tasks.reasons() == ["the background task 'hub' fails again and again: OSError: no room"]

    is_broken = False

    await until(lambda: not tasks.reasons())


async def test_stopping_ends_every_task_also_one_in_its_pause(tasks):
    ended = []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("lives")

    async def broken():
        raise OSError

    tasks.start("lives", work)
    tasks.start("broken", broken)
    await until(lambda: tasks.restarts["broken"] > 1)

    await tasks.stop()

    assert ended == ["lives"]
    assert [each for each in asyncio.all_tasks() if each.get_name() in ("lives", "broken")] == []
