"""Promise P1: nothing is acknowledged that is not committed, durably, as read in that session."""

import asyncio

import psycopg
import pytest

from releve.protocol.problem import Overloaded, Throttled, Unavailable
from releve.storage.embedded import EmbeddedPostgres
from releve.storage.pool import Pool
from releve.storage.session import NotDurable, Session, weakness_of
from releve.storage.writer import Writer

READING = b'{"time": "2026-06-01T12:00:00Z", "speed": %d}'


@pytest.fixture
def paused_commits(migrated_url):
    """Holds a lock that every write waits for, so that a test decides when commits go on."""
    with psycopg.connect(migrated_url) as connection:
        connection.execute("LOCK TABLE fresh_reading IN EXCLUSIVE MODE")
        yield connection


async def test_a_reading_is_acknowledged_only_after_its_commit(path_into, device, paused_commits):
    pi = device()
    async with path_into() as path:
        answer = asyncio.create_task(path.send(pi, READING % 1))
        await _until_waiting_for_lock(path)

        assert not answer.done()

        paused_commits.rollback()

        assert (await answer)[0].outcome == "stored"
        assert len(path.rows()) == 1


async def test_while_one_group_commits_the_next_gathers_into_one(path_into, device, paused_commits):
    pi = device()
    async with path_into(writers=1) as path:
        answers = [asyncio.create_task(path.send(pi, READING % 0))]
        await _until_waiting_for_lock(path)
        answers += [asyncio.create_task(path.send(pi, READING % n)) for n in range(1, 100)]
        await asyncio.sleep(0)
        paused_commits.rollback()
        await asyncio.gather(*answers)

        groups = path.counters.groups
        assert sum(groups.counts) == 2
        assert groups.total == 100


async def test_above_the_high_water_mark_all_are_refused_and_below_half_all_is_well(path_into, device, paused_commits):
    pi, other = device(), device("raspberry2")
    async with path_into(backlog=10, device_backlog=8) as path:
        waiting = [asyncio.create_task(path.send(pi, READING % n)) for n in range(8)]
        await asyncio.sleep(0)
        with pytest.raises(Throttled):
            await path.send(pi, READING % 99)
        waiting += [asyncio.create_task(path.send(other, READING % n)) for n in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await path.send(other, READING % 98)
        assert path.group.is_full

        paused_commits.rollback()
        await asyncio.gather(*waiting)

        assert not path.group.is_full
        assert (await path.send(pi, READING % 99))[0].outcome == "stored"


async def test_what_waits_is_committed_before_the_path_ends(path_into, device, paused_commits):
    pi = device()
    async with path_into() as path:
        answers = [asyncio.create_task(path.send(pi, READING % n)) for n in range(50)]
        await _until_waiting_for_lock(path)
        ending = asyncio.create_task(path.group.drain())
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await path.send(pi, READING % 51)
        paused_commits.rollback()
        await ending

        assert all(receipt.outcome == "stored" for answer in answers for receipt in answer.result())
        assert len(path.rows()) == 50


@pytest.mark.parametrize("weak", ["off", "local", "remote_write"])
async def test_with_a_weakened_session_nothing_is_acknowledged(path_into, device, migrated_url, weak):
    pi = device()
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = {weak}')
    async with path_into() as path:
        with pytest.raises(Unavailable, match="synchronous_commit"):
            await path.send(pi, READING % 1)

        assert "synchronous_commit" in path.group.weakness
        assert path.rows() == []


@pytest.mark.parametrize("setting", ["full_page_writes = off", "client_min_messages = error"])
async def test_a_cluster_that_could_lose_a_commit_without_a_word_is_found_weak(reachable_directory, setting):
    name, _, value = setting.partition(" = ")
    embedded = EmbeddedPostgres(reachable_directory(), configuration={name: value})
    pool = Pool(embedded.start(), application="test")
    async with pool.connection() as connection:
        weakness = await weakness_of(connection)
    await pool.close()
    embedded.stop()

    assert weakness.startswith(name)


async def test_a_connection_that_breaks_is_made_anew_and_the_reading_stored_once(path_into, device):
    pi = device()
    async with path_into(writers=1) as path:
        await path.send(pi, READING % 1)
        path.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test writer'")
        receipts = await path.send(pi, READING % 2)

        assert receipts[0].outcome in ("stored", "duplicate")
        assert len(path.rows()) == 2


async def test_a_cancelled_wait_for_synchronous_replication_is_no_acknowledgement(migrated_url):
    session = Session(migrated_url, application="test writer")
    connection = await session.connection()
    # What PostgreSQL sends when the wait is cancelled after the local commit: a warning with SQLSTATE 01000.
    await connection.execute("DO $$ BEGIN RAISE WARNING 'canceling wait for synchronous replication'; END $$")

    with pytest.raises(NotDurable, match="synchronous replication"):
        session.confirm()

    await session.close()


async def test_a_writer_uses_one_connection_for_all_its_groups(path_into, device, migrated_url):
    pi = device()
    async with path_into() as path:
        for n in range(30):
            await path.send(pi, READING % n)
        count = path.rows("SELECT count(DISTINCT pid) FROM pg_stat_activity WHERE application_name = 'test writer'")[0][
            0
        ]

        assert count <= 2
        assert isinstance(path.group._writers[0], Writer)


async def _until_waiting_for_lock(path):
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'test writer' AND wait_event_type = 'Lock'"
    while path.rows(query)[0][0] == 0:  # noqa: ASYNC110 - the event is PostgreSQL's; it can only be asked
        await asyncio.sleep(0.01)
