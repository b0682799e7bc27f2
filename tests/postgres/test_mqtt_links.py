"""Client ids, presence, commands and last values in a real database, with two workers at it."""

import time
from uuid import uuid4

import psycopg
import pytest

from releve.maintenance.presence import Burial
from releve.storage.link_store import Ended, LinkStore
from releve.storage.pool import Pool


@pytest.fixture
async def stores(migrated_url):
    """The stores of two workers that are alive."""
    pool = Pool(migrated_url, application="test")
    both = [LinkStore(pool, worker=uuid4()) for _ in range(2)]
    for store in both:
        await store.is_alive()
    yield both
    await pool.close()


def query(url, statement, *values):
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


async def claim(store, client_id="car", *, principal="device:1", is_clean=False, link=None):
    device_id = int(principal.partition(":")[2])
    return await store.claim(
        client_id,
        principal=principal,
        device_id=device_id,
        link=link or uuid4(),
        address="192.0.2.1",
        is_clean=is_clean,
    )


async def test_a_client_id_in_use_is_not_given_to_another_device_by_any_worker(stores):
    assert await claim(stores[0]) is not None

    for store in stores:
        assert await claim(store, principal="device:2") is None


async def test_the_same_device_takes_it_over_and_is_told_which_link_had_it(stores):
    link = uuid4()
    await claim(stores[0], link=link)

    taken = await claim(stores[1])

    assert taken is not None
    assert taken.old_link == link


async def test_a_client_id_without_a_session_is_free_again_when_its_link_is_over(stores):
    link = uuid4()
    await claim(stores[0], link=link)
    await stores[0].end([Ended(link, time.time(), None, 0)])

    assert await claim(stores[1], principal="device:2") is not None


async def test_a_session_outlives_its_link_and_a_clean_start_forgets_it(stores):
    link = uuid4()
    await claim(stores[0], link=link)
    await stores[0].end([Ended(link, time.time(), {"client_id": "car"}, 60)])

    assert await claim(stores[1], principal="device:2") is None
    assert (await claim(stores[1])).old_state == {"client_id": "car"}
    assert (await claim(stores[1], is_clean=True)).old_state is None
    assert (await claim(stores[1])).old_state is None


async def test_another_devices_name_is_no_client_id(stores, device):
    sender = device("raspberry9")

    assert await claim(stores[0], "raspberry9", principal=f"device:{sender.device_id + 1}") is None
    assert await claim(stores[0], "raspberry9", principal=sender.principal) is not None


async def test_the_links_of_a_worker_that_died_are_over(stores, migrated_url):
    await claim(stores[0])
    query(migrated_url, "UPDATE mqtt_worker SET seen = now() - interval '1 minute' WHERE id = %s", stores[0]._worker)

    assert await claim(stores[1], "car", principal="device:2") is not None
    await claim(stores[0], "other")
    await Burial(stores[1]._pool).bury()
    ((ended,),) = query(migrated_url, "SELECT ended FROM device_link WHERE client_id = 'other'")
    assert ended is not None


async def test_the_newest_of_a_topics_values_wins_however_they_arrive(stores, migrated_url):
    await stores[0].keep_values([(1, "esp32bis/speed", "2", 2_000_000)])
    await stores[1].keep_values([(1, "esp32bis/speed", "1", 1_000_000)])

    assert query(migrated_url, "SELECT payload FROM topic_value") == [("2",)]


async def test_a_race_that_ended_is_not_recalled_as_a_race(stores):
    now_us = time.time_ns() // 1000
    await stores[0].keep_values([(1, "esp32bis/race", "5", now_us - 1_000_000), (1, "esp32/race", "false", now_us)])

    assert await stores[1].last_race(1) == b"false"
    assert await stores[1].last_race(2) is None


async def test_a_devices_answer_counts_for_its_own_commands_only(stores, migrated_url):
    statement = (
        "INSERT INTO device_command (device_id, body, created_by, expires)"
        " VALUES (1, '1', 'test', now() + interval '1 minute') RETURNING id"
    )
    ((command,),) = query(migrated_url, statement)
    await stores[0].keep_answer(2, command, "stolen")
    await stores[0].keep_answer(1, command, "mine")

    assert query(migrated_url, "SELECT answer FROM device_command") == [("mine",)]
    assert await stores[0].waiting_commands(1) == []
