"""Promise P5: what is revoked is heard, and a feed that is cut lets nobody in."""

import asyncio
from contextlib import asynccontextmanager

import psycopg
import pytest

from releve.access import revocation
from releve.access.authenticate import Authenticator
from releve.access.revocation import CHANNEL, RevocationFeed
from releve.protocol.problem import Unavailable
from releve.protocol.token import Keyring
from releve.storage.pool import Pool

WITHIN_S = 10


@asynccontextmanager
async def listening(feed):
    task = asyncio.create_task(feed.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def heard():
    return asyncio.Queue()


@pytest.fixture
def feed(migrated_url, heard):
    return RevocationFeed(migrated_url, revoked=heard.put_nowait, missed=lambda: heard.put_nowait(None))


def execute(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


async def next_of(heard):
    return await asyncio.wait_for(heard.get(), WITHIN_S)


async def test_a_revocation_is_heard_and_after_a_break_everything_is_looked_up_again(migrated_url, heard, feed):
    async with listening(feed):
        assert await next_of(heard) is None
        execute(migrated_url, f"NOTIFY {CHANNEL}, 'device:7'")
        assert await next_of(heard) == "device:7"
        execute(
            migrated_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'releve revocation feed'",
        )
        assert await next_of(heard) is None
        execute(migrated_url, f"NOTIFY {CHANNEL}, 'account:3'")
        assert await next_of(heard) == "account:3"
        assert not feed.is_cut


async def test_a_feed_that_is_cut_lets_nobody_in(postgres, migrated_url, heard, monkeypatch):
    monkeypatch.setattr(revocation, "CUT_S", 1.0)
    pool = Pool(migrated_url, application="test pool")
    authenticator = Authenticator(migrated_url, pool=pool, keyring=Keyring((("k", b"x" * 32),)))
    authenticator.on_revoked(heard.put_nowait)
    async with listening(authenticator.feed):
        assert await next_of(heard) is None
        assert not authenticator.feed.is_cut
        name = psycopg.conninfo.conninfo_to_dict(migrated_url)["dbname"]
        execute(postgres.url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        execute(postgres.url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608 - our own name
        async with asyncio.timeout(WITHIN_S):
            while not authenticator.feed.is_cut:  # noqa: ASYNC110 - it is a lapse of time, so no event ends it
                await asyncio.sleep(0.05)

        with pytest.raises(Unavailable, match="revocations"):
            await authenticator.sender("any token")

        execute(postgres.url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        assert await next_of(heard) is None
        assert not authenticator.feed.is_cut


async def test_a_feed_that_never_connected_lets_nobody_in(feed):
    assert feed.is_cut


@pytest.mark.parametrize("nonsense", ["link:not-a-uuid", "signin:0", "", "device", "x" * 200, "device:7; DROP"])
async def test_a_notice_with_nonsense_does_not_end_the_feed(migrated_url, heard, feed, nonsense):
    async with listening(feed):
        assert await next_of(heard) is None
        execute(migrated_url, f"NOTIFY {CHANNEL}, '{nonsense}'")
        assert await next_of(heard) is None  # whatever it meant, everything is looked up again
        execute(migrated_url, f"NOTIFY {CHANNEL}, 'device:7'")
        assert await next_of(heard) == "device:7"


@pytest.mark.parametrize(
    "notice", ["link:01234567-89ab-cdef-0123-456789abcdef", "asset:removed", "race:12", "command:3"]
)
async def test_every_notice_of_ours_is_passed_on(migrated_url, heard, feed, notice):
    async with listening(feed):
        assert await next_of(heard) is None
        execute(migrated_url, f"NOTIFY {CHANNEL}, '{notice}'")
        assert await next_of(heard) == notice
