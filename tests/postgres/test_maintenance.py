"""Background work has one holder, however many processes wish to do it, and its statements do what they say."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from releve.maintenance import holder as holders
from releve.maintenance.holder import Holder
from releve.maintenance.partition import Partitions, months_ahead
from releve.storage.pool import Pool

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


async def test_the_next_months_have_their_partitions_before_a_reading_comes(migrated_url):
    pool = Pool(migrated_url, application="test")

    first = await Partitions(pool).make()
    second = await Partitions(pool).make()

    with psycopg.connect(migrated_url) as connection:
        names = {name for (name,) in connection.execute("SELECT relname FROM pg_class WHERE relname LIKE 'reading_2%'")}
    assert {f"reading_{month:%Y_%m}" for month in months_ahead(datetime.now(UTC))} <= names
    assert first["made"] >= 1
    assert second == {}
    await pool.close()
