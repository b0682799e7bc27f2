"""Client ids, presence, commands and last values in a real database, with two workers at it."""

import time
from uuid import uuid4

import psycopg
import pytest

from releve.maintenance.presence import Burial
from releve.protocol.attempt import attempt_of
from releve.storage.device_door import DeviceDoor
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


@pytest.fixture
async def door(migrated_url):
    """What counts failed sign-ins: of ten, within five minutes."""
    pool = Pool(migrated_url, application="test")
    yield DeviceDoor(pool, failures_allowed=10, failure_window_s=300)
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


async def test_a_client_id_is_a_name_within_its_principal_on_every_worker(stores, migrated_url):
    links = [uuid4() for _ in range(3)]
    for store, principal, link in zip((*stores, stores[0]), ("device:1", "device:2", "account:1"), links, strict=True):
        taken = await claim(store, principal=principal, link=link)
        assert (taken.old_link, taken.old_state) == (None, None)

    standing = query(migrated_url, "SELECT link FROM device_link WHERE ended IS NULL")
    assert {link for (link,) in standing} == set(links)


async def test_the_same_device_takes_it_over_and_is_told_which_link_had_it(stores):
    link = uuid4()
    await claim(stores[0], link=link)

    taken = await claim(stores[1])

    assert taken.old_link == link


async def test_a_session_outlives_its_link_and_a_clean_start_forgets_it(stores):
    link = uuid4()
    await claim(stores[0], link=link)
    await stores[0].end([Ended(link, time.time(), {"client_id": "car"}, 60)])

    assert (await claim(stores[1], principal="device:2")).old_state is None
    assert (await claim(stores[1])).old_state == {"client_id": "car"}
    assert (await claim(stores[1], is_clean=True)).old_state is None
    assert (await claim(stores[1])).old_state is None


async def test_whoever_calls_a_device_like_a_client_id_locks_nobody_out(stores, device):
    sender = device("ESP32ClientBis")

    for principal in (f"device:{sender.device_id + 1}", sender.principal):
        assert (await claim(stores[0], "ESP32ClientBis", principal=principal)).old_link is None


@pytest.mark.parametrize("principal", ["device:1", "account:1"])
async def test_client_ids_that_a_principal_makes_up_fill_nothing(stores, migrated_url, principal):
    await claim(stores[0], "another's", principal="device:2")
    over = "UPDATE device_link SET ended = now() - interval '1 hour' WHERE principal = %s"
    for number in range(5):
        await claim(stores[0], f"made-up-{number}", principal=principal)
        query(migrated_url, over, principal)
    await claim(stores[0], "mine", principal=principal)

    assert query(migrated_url, "SELECT client_id FROM device_link ORDER BY 1") == [("another's",), ("mine",)]


async def test_of_the_sessions_that_a_principal_leaves_behind_the_newest_hundred_are_kept(stores, migrated_url):
    leave = (
        "INSERT INTO device_link (client_id, principal, device_id, link, worker, since, ended, address, state,"
        " state_until) SELECT 'old-' || n, 'device:1', 1, gen_random_uuid(), gen_random_uuid(), now(),"
        " now() - n * interval '1 s', '', '{}', now() + interval '1 week' FROM generate_series(1, 150) AS n"
    )
    query(migrated_url, leave)
    await claim(stores[0], "new")

    kept = {name for (name,) in query(migrated_url, "SELECT client_id FROM device_link WHERE client_id <> 'new'")}
    assert kept == {f"old-{n}" for n in range(1, 101)}


async def test_the_links_of_a_worker_that_died_are_over(stores, migrated_url):
    await claim(stores[0])
    query(migrated_url, "UPDATE mqtt_worker SET seen = now() - interval '1 minute' WHERE id = %s", stores[0]._worker)

    await Burial(stores[1]._pool).bury()
    ((ended,),) = query(migrated_url, "SELECT ended FROM device_link WHERE client_id = 'car'")
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


async def test_a_car_has_the_last_values_of_its_first_256_topics_and_another_car_its_own(stores, migrated_url):
    await stores[0].keep_values([(1, f"esp32/made-{n:03}", "1", n) for n in range(200)])
    await stores[1].keep_values([(1, f"esp32/made-{n:03}", "2", 1_000 + n) for n in range(100, 400)])
    await stores[0].keep_values(
        [(2, "esp32/speed", "3", 1), (1, "esp32/late", "3", 3_000), (1, "esp32/made-000", "4", 3_000)]
    )

    kept = query(migrated_url, "SELECT topic, payload FROM topic_value WHERE device_id = 1 ORDER BY topic")
    assert [topic for topic, _ in kept] == [f"esp32/made-{n:03}" for n in range(256)]
    assert [payload for _, payload in kept] == ["4", *["1"] * 99, *["2"] * 156]
    assert query(migrated_url, "SELECT payload FROM topic_value WHERE device_id = 2") == [("3",)]


async def test_made_up_names_are_forgotten_once_they_no_longer_count(door, migrated_url):
    for number in range(5):
        await door.failed(f"made-up-{number}", address="192.0.2.1")
    query(migrated_url, "UPDATE accounts_attempt SET since = now() - interval '1 hour'")
    query(
        migrated_url,
        "UPDATE accounts_attempt SET blocked_until = now() + interval '1 hour' WHERE principal = %s",
        attempt_of("made-up-0"),
    )
    for _ in range(2):
        assert await door.failed("made-up-9", address="192.0.2.1") == (False, False)

    left = dict(query(migrated_url, "SELECT principal, failures FROM accounts_attempt"))
    assert left == {attempt_of("made-up-0"): 1, attempt_of("made-up-9"): 2}
