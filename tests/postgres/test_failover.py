"""Promise P1 with synchronous replication: whatever was acknowledged is on the standby, repeats included."""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest
from tests.postgres.clusters import PATIENCE_S, Cluster

from releve.protocol.problem import Unavailable
from releve.storage.link_store import LinkStore
from releve.storage.pool import Pool

WAITING = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
CANCEL = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
FOLLOWING = "SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'sync'"
# What PostgreSQL may have nothing to write for when it comes a second time.
SUBMISSIONS = {
    "with its own time": b'{"time": "2026-06-01T12:00:00Z", "x": 3}',
    "keyed, without a time": b'{"id": "C", "x": 3}',
    "counting since boot": b'{"timestamp": 123456, "x": 3}',
    "quarantined": b'{"time": "1970-01-01T00:00:00Z", "x": 3}',
    "a batch of all": (
        b'[{"id": "D", "x": 3}, {"time": "2026-06-01T12:00:01Z", "x": 3}, {"time": "1970-01-01T00:00:01Z", "x": 3}]'
    ),
}
KEPT = "SELECT (SELECT count(*) FROM fresh_reading), (SELECT count(*) FROM quarantine), (SELECT count(*) FROM receipt)"


@pytest.fixture
def clusters(installation):
    """A primary and its synchronous standby, both running."""
    primary = Cluster(installation(), synchronous_standby_names="standby")
    standby = Cluster(installation())
    standby.follow(primary)
    primary.start()
    standby.start()
    primary.wait_for(FOLLOWING)
    yield SimpleNamespace(primary=primary, standby=standby)
    standby.release()
    primary.release()


@pytest.fixture
def migrated_url(clusters):
    """Devices and the path of this file's tests are on the primary."""
    return clusters.primary.url


async def test_no_repeat_is_acknowledged_while_its_standby_is_away_and_all_survive_a_failover(
    clusters, path_into, device
):
    senders = {name: device(name.replace(" ", "-"), counts_uptime="boot" in name) for name in SUBMISSIONS}
    clusters.standby.stop()
    async with path_into() as path:
        for name, payload in SUBMISSIONS.items():
            for _ in ("the first time", "again", "and again"):
                sending = asyncio.create_task(path.send(senders[name], payload))
                await _until(clusters.primary, WAITING)
                assert not sending.done(), name
                with pytest.raises(Unavailable, match="nothing can be acknowledged"):
                    await _cancelled(clusters.primary, sending)

        sending = asyncio.gather(*(path.send(senders[name], payload) for name, payload in SUBMISSIONS.items()))
        await _until(clusters.primary, WAITING)
        assert not sending.done()
        clusters.standby.start()
        answers = await asyncio.wait_for(sending, PATIENCE_S)

        assert {receipt.outcome for receipts in answers for receipt in receipts} == {"duplicate", "quarantined"}
        kept = clusters.primary.rows(KEPT)

    clusters.primary.crash()
    clusters.standby.promote()

    assert clusters.standby.rows(KEPT) == kept == [(5, 2, 3)]


async def test_after_a_crash_with_waits_pending_a_repeat_waits_for_the_standby_too(clusters, path_into, device):
    pi = device()
    async with path_into(writers=1) as path:
        await path.send(pi, b'{"x": 0}')
        clusters.standby.stop()
        lost = asyncio.create_task(path.send(pi, SUBMISSIONS["keyed, without a time"]))
        await _until(clusters.primary, WAITING)
        clusters.primary.crash()
        clusters.primary.start()
        await _until(clusters.primary, WAITING)  # the path sends it again by itself
        assert not lost.done()
        again = asyncio.create_task(path.send(pi, SUBMISSIONS["keyed, without a time"]))

        clusters.standby.start()

        assert (await asyncio.wait_for(lost, PATIENCE_S))[0].outcome == "duplicate"
        assert (await asyncio.wait_for(again, PATIENCE_S))[0].outcome == "duplicate"

    clusters.primary.crash()
    clusters.standby.promote()

    assert clusters.standby.rows("SELECT channels::jsonb->>'x' FROM fresh_reading ORDER BY time") == [("0",), ("3",)]


async def test_a_last_value_and_an_answer_to_a_command_wait_for_the_standby_also_when_they_change_nothing(
    clusters, device
):
    car = device("car").device_id
    pool = Pool(clusters.primary.url, application="test")
    store = LinkStore(pool, worker=uuid4())
    await store.keep_values([(car, "esp32bis/speed", "12", 2)])
    clusters.standby.stop()
    for keep in (
        lambda: store.keep_values([(car, "esp32bis/speed", "11", 1)]),
        lambda: store.keep_answer(car, 1, "there is no such command"),
    ):
        keeping = asyncio.create_task(keep())
        await _until(clusters.primary, WAITING)
        assert not keeping.done()

        with pytest.raises(Unavailable, match="nothing can be acknowledged"):
            await _cancelled(clusters.primary, keeping)

    await pool.close()


async def _until(cluster, query):
    await asyncio.to_thread(cluster.wait_for, query)


async def _cancelled(cluster, work):
    """The work, whose every wait is cancelled."""
    while not work.done():
        cluster.rows(CANCEL)
        await asyncio.wait([work], timeout=0.02)
    return await work
