"""Background work has one holder, however many processes wish to do it, and its statements do what they say."""

import asyncio
from contextlib import asynccontextmanager

import psycopg
import pytest

from releve.maintenance import holder as holders
from releve.maintenance.holder import Holder

WITHIN_S = 20
LOCK = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'releve maintenance lock'"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(holders, "TRY_EVERY_S", 0.02)
    monkeypatch.setattr(holders, "PROBE_S", 0.5)


@asynccontextmanager
async def running(holder):
    task = asyncio.create_task(holder.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds):
    async with asyncio.timeout(WITHIN_S):
        while not holds():  # noqa: ASYNC110 - it is a count, which no event tells of
            await asyncio.sleep(0.01)


async def test_of_two_machines_one_works_and_the_other_takes_over_when_it_dies(migrated_url):
    first, second = Holder(migrated_url), Holder(migrated_url)
    async with running(first) as task:
        await asyncio.wait_for(first.wait(), WITHIN_S)
        async with running(second):
            await asyncio.sleep(0.2)
            assert not second.is_held

            task.cancel()

            await asyncio.wait_for(second.wait(), WITHIN_S)
            assert not first.is_held


async def test_a_lock_that_was_lost_with_its_connection_is_noticed_and_taken_again(migrated_url):
    holder = Holder(migrated_url)
    async with running(holder):
        await asyncio.wait_for(holder.wait(), WITHIN_S)
        with psycopg.connect(migrated_url, autocommit=True) as connection:
            connection.execute(LOCK)
        await until(lambda: not holder.is_held)

        await asyncio.wait_for(holder.wait(), WITHIN_S)
