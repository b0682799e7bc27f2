"""Who waits for a chart waits a bounded time, and a chart that nobody waits for any more ends in the database."""

import asyncio
import time

import psycopg
import pytest

from releve.http.request import Disconnected, Limits, Request
from releve.query.series import reply
from releve.query.series.asked import Asked
from releve.query.series.reply import Replies, TakesTooLong
from releve.query.series.source import Source
from releve.storage.pool import Pool

ASKED = Asked(channels=["speed"])
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'charts' AND wait_event_type = 'Lock'"


@pytest.fixture
async def pool(migrated_url):
    pool = Pool(migrated_url, application="charts")
    yield pool
    await pool.close()


@pytest.fixture
def held(migrated_url):
    """The table of readings, locked, so that a chart waits in the database."""
    with psycopg.connect(migrated_url) as connection:
        connection.execute("LOCK TABLE reading IN ACCESS EXCLUSIVE MODE")
        yield connection


def request_of(receive):
    scope = {"type": "http", "method": "GET", "headers": [], "query_string": b""}
    return Request(scope, receive, path="/api/v1/runs/1/series", limits=Limits(1, 1), id="1")


def run():
    return Source(device_id=1, contract="generic", from_us=1_000_000, to_us=2_000_000, run_id=1)


async def never():
    await asyncio.Event().wait()


async def refuse(message):
    raise AssertionError(f"answered {message}")


async def waiting(url, n):
    """Wait until so many of the pool's statements wait for the lock."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        until = time.monotonic() + 60
        while (await (await connection.execute(WAITS)).fetchone())[0] != n:
            assert time.monotonic() < until
            await asyncio.sleep(0.02)


async def test_a_chart_that_is_not_drawn_in_time_is_refused_and_ends_in_the_database(
    migrated_url, pool, held, monkeypatch
):
    monkeypatch.setattr(reply, "DEADLINE_S", 1.0)

    with pytest.raises(TakesTooLong):
        await Replies(pool).answer(request_of(never), refuse, asked=ASKED, sources=[run()])

    await waiting(migrated_url, 0)


async def test_a_chart_that_nobody_waits_for_ends_in_the_database(migrated_url, pool, held):
    gone = asyncio.Event()

    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    asking = asyncio.create_task(
        Replies(pool).answer(request_of(receive), refuse, asked=ASKED, sources=[run()])
    )  # fmt: skip
    await waiting(migrated_url, 1)
    gone.set()

    with pytest.raises(Disconnected):
        await asking
    await waiting(migrated_url, 0)


async def test_charts_beyond_two_wait_so_that_others_find_a_connection(migrated_url, pool, held):
    replies, answers = Replies(pool), []

    async def send(message):
        answers.append(message)

    asking = [
        asyncio.create_task(replies.answer(request_of(never), send, asked=ASKED, sources=[run()])) for _ in range(4)
    ]
    await waiting(migrated_url, 2)
    async with pool.connection() as connection:
        assert (await (await connection.execute("SELECT 1")).fetchone()) == (1,)
    held.rollback()
    await asyncio.gather(*asking)

    assert [message["status"] for message in answers if "status" in message] == [200] * 4
