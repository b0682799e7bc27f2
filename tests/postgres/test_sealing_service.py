"""The background work that seals: beside others of its kind, beside readers and writers, and past what is damaged."""

import asyncio
import random
import time

import psycopg
import pytest

from releve.cli.work import sealed as work
from releve.history import spelling
from releve.history.block import Row
from releve.history.pivot import block_of
from releve.maintenance import seal as sealing_service
from releve.maintenance.seal import Sealing
from releve.maintenance.takeover import TakingOver
from releve.protocol.identity import canonical, of_content
from releve.storage import scan, sealing, segments, takeover
from releve.storage.pool import Pool
from releve.storage.queries import query
from releve.storage.reader import AsyncReader, ConnectionReader, now
from releve.storage.scan import EVER, WHOLE
from releve.storage.sealing import Moved

START_US = 1_780_315_200_000_000  # 2026-06-01T12:00:00Z
MONTH_US = 31 * 86_400_000_000
WITHIN_S = 60


@pytest.fixture
async def pool(migrated_url):
    pool = Pool(migrated_url, application="sealing")
    yield pool
    await pool.close()


def some(n, *, seed=1, start_us=START_US, received_us=START_US):
    chance = random.Random(seed)  # noqa: S311 - made-up readings
    found = []
    for place in range(n):
        channels = canonical({"speed": round(chance.uniform(0, 30), 2), "track": place // 100, "state": "on"})
        found.append(Row(start_us + place * 1_000_000, of_content(channels), received_us, channels))
    return found


def store(url, device, rows, *, is_into_old=False):
    with psycopg.connect(url) as connection:
        now(sealing.put_back(ConnectionReader(connection), device, rows, is_into_old=is_into_old))


def read(url, device):
    with psycopg.connect(url) as connection:
        blocks = scan.blocks(ConnectionReader(connection), device, WHOLE, EVER)
        found = []
        for block in work.each(blocks):
            found += spelling.rows(block)
    return found


def ask(url, statement, *values):
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def homes(url, device):
    """How many fresh rows, old rows and sealed readings a device has."""
    with psycopg.connect(url) as connection:
        rows = now(ConnectionReader(connection).ask(query("history_totals"), {"device": device}))
    return tuple(rows[0][1:4]) if rows else (0, 0, 0)


async def test_a_round_seals_what_is_old_enough_and_leaves_what_came_just_now(migrated_url, pool):
    just_now_us = int(time.time() * 1e6)
    rows = some(300)
    fresh = some(10, start_us=just_now_us, received_us=just_now_us)
    late = some(5, seed=2, start_us=START_US + 500_000, received_us=just_now_us)
    store(migrated_url, 1, [*rows, *fresh, *late])
    store(migrated_url, 2, fresh)

    told = await Sealing(pool, rest=0).seal()

    assert (told["readings"], told["segments"]) == (300, 1)
    assert homes(migrated_url, 1) == (15, 0, 300)
    assert homes(migrated_url, 2) == (10, 0, 0)
    assert read(migrated_url, 1) == sorted([*rows, *fresh, *late])


async def test_a_device_waits_for_its_hour_unless_it_has_many_rows(migrated_url, pool, monkeypatch):
    monkeypatch.setattr(sealing_service, "ROWS", 200)
    half_an_hour_ago_us = int(time.time() * 1e6) - 1_800_000_000
    few = some(150, start_us=half_an_hour_ago_us, received_us=half_an_hour_ago_us)
    many = some(400, start_us=half_an_hour_ago_us, received_us=half_an_hour_ago_us)
    store(migrated_url, 1, few)
    store(migrated_url, 2, many)
    store(migrated_url, 3, some(1, start_us=START_US, received_us=half_an_hour_ago_us))  # late, not for long

    await Sealing(pool, rest=0).seal()

    assert homes(migrated_url, 1) == (150, 0, 0)
    assert homes(migrated_url, 2) == (0, 0, 400)
    assert homes(migrated_url, 3) == (1, 0, 0)


async def test_two_sealers_at_once_seal_each_reading_once(migrated_url, pool, monkeypatch):
    monkeypatch.setattr(sealing, "MOST_ROWS", 50)
    stored = {device: some(400, seed=device) for device in (1, 2, 3)}
    for device, rows in stored.items():
        store(migrated_url, device, rows)
    others = Pool(migrated_url, application="another sealer")

    for _ in range(20):
        await asyncio.gather(Sealing(pool, rest=0).seal(), Sealing(others, rest=0).seal())
        if all(homes(migrated_url, device) == (0, 0, 400) for device in stored):
            break

    assert {device: homes(migrated_url, device) for device in stored} == dict.fromkeys(stored, (0, 0, 400))
    assert {device: read(migrated_url, device) for device in stored} == stored
    await others.close()


async def test_a_scan_goes_on_while_what_it_reads_is_sealed_and_merged(migrated_url, pool, monkeypatch):
    monkeypatch.setattr(scan, "FIRST_PAGE", 20)
    monkeypatch.setattr(scan, "LARGEST_PAGE", 20)
    monkeypatch.setattr(sealing, "MOST_ROWS", 30)
    rows = some(400)
    store(migrated_url, 1, rows)
    found = []

    async for block in scan.blocks(pool, 1, WHOLE, EVER):
        found += spelling.rows(block)
        async with pool.connection() as connection, connection.transaction():
            await sealing.seal(AsyncReader(connection), 1)

    assert found == rows
    assert homes(migrated_url, 1)[2] > 0


async def test_a_writer_that_holds_its_transaction_is_waited_for_and_its_reading_kept(migrated_url, pool, monkeypatch):
    monkeypatch.setattr(sealing_service, "LOCK_TIMEOUT", "SET LOCAL lock_timeout = '50ms'")
    rows = some(300)
    late = some(1, seed=9, start_us=START_US + 500_000, received_us=int(time.time() * 1e6))
    store(migrated_url, 1, rows)
    with psycopg.connect(migrated_url) as writer:
        reader = ConnectionReader(writer)
        now(reader.ask(query("lock_history_late"), {"devices": [1], "alone": []}))
        now(sealing.put_back(reader, 1, late, is_into_old=False))

        assert await Sealing(pool, rest=0).seal() == {}
        assert homes(migrated_url, 1) == (300, 0, 0)

    await Sealing(pool, rest=0).seal()

    assert homes(migrated_url, 1) == (1, 0, 300)
    assert read(migrated_url, 1) == sorted([*rows, *late])


@pytest.mark.parametrize("change", ["a row more", "a row less", "a segment replaced"])
async def test_what_changed_while_a_step_was_prepared_undoes_it(migrated_url, pool, change):
    rows = some(300)
    store(migrated_url, 1, rows[::2])
    await Sealing(pool, rest=0).seal()
    store(migrated_url, 1, rows[1::2])
    extra = some(1, seed=9, start_us=START_US + 500_000)

    class Meddling(AsyncReader):
        async def ask(self, statement, values):
            if statement == query("lock_history"):
                if change == "a row more":
                    store(migrated_url, 1, extra)
                elif change == "a row less":
                    ask(migrated_url, "DELETE FROM fresh_reading WHERE id = %s", rows[1].id)
                else:
                    ask(migrated_url, "UPDATE segment SET replaced = now()")
            return await super().ask(statement, values)

    async with pool.connection() as connection:
        with pytest.raises(Moved):
            async with connection.transaction():
                await sealing.seal(Meddling(connection), 1)

    assert ask(migrated_url, "SELECT count(*) FROM segment WHERE id > 1") == [(0,)]
    expected = {"a row more": 151, "a row less": 149, "a segment replaced": 150}[change]
    assert ask(migrated_url, "SELECT count(*) FROM fresh_reading") == [(expected,)]


async def test_a_damaged_device_keeps_nobody_from_being_sealed_and_is_named(migrated_url, pool):
    for device in (1, 2, 3):
        store(migrated_url, device, some(200, seed=device))
    await Sealing(pool, rest=0).seal()
    ask(migrated_url, "UPDATE segment_column SET content = set_byte(content, 20, (get_byte(content, 20) + 1) & 255)"
        " WHERE device_id = 2 AND holds = 't'")  # fmt: skip
    late = {device: some(50, seed=10 + device, start_us=START_US + 500_000) for device in (1, 2, 3)}
    for device, rows in late.items():
        store(migrated_url, device, rows)

    told = await Sealing(pool, rest=0).seal()

    assert told["damaged"] == 1
    assert {device: homes(migrated_url, device) for device in late} == dict.fromkeys(late, (0, 0, 250))
    with psycopg.connect(migrated_url) as connection:
        found = {device: [faults for *_, faults in work.faults(connection, device)] for device in late}
    assert found[1] == found[3] == [[]]
    assert [bool(faults) for faults in found[2]] == [True, False]


async def test_rows_that_would_not_come_back_stay_rows_and_their_device_is_left_for_a_while(migrated_url, pool):
    store(migrated_url, 1, some(10))
    store(migrated_url, 2, some(10))
    ask(migrated_url, "UPDATE fresh_reading SET channels = E'{\"a\":\\n1}' WHERE device_id = 1 AND time ="
        " (SELECT min(time) FROM fresh_reading)")  # fmt: skip
    service = Sealing(pool, rest=0)

    await service.seal()

    assert homes(migrated_url, 1) == (10, 0, 0)
    assert homes(migrated_url, 2) == (0, 0, 10)
    assert service.failed == 1


async def test_the_segments_of_many_batches_become_few(migrated_url, pool):
    rows = some(1_000)
    async with pool.connection() as connection, connection.transaction():
        reader = AsyncReader(connection)
        await segments.lock(reader, [1])
        for place in range(0, 1_000, 50):
            await segments.add(reader, 1, block_of(rows[place : place + 50]))

    service = Sealing(pool, rest=0)
    await service.seal()

    assert ask(migrated_url, "SELECT count(*) FROM segment WHERE replaced IS NULL")[0][0] <= 5
    assert read(migrated_url, 1) == rows
    assert service.sizes["sealed"] == 1_000


async def test_what_was_replaced_is_dropped_once_no_scan_can_want_it(migrated_url, pool):
    rows = some(400)
    store(migrated_url, 1, rows[::2])
    await Sealing(pool, rest=0).seal()
    store(migrated_url, 1, rows[1::2])
    service = Sealing(pool, rest=0)
    await service.seal()
    assert ask(migrated_url, "SELECT count(*) FROM segment WHERE replaced IS NOT NULL") == [(1,)]

    ask(migrated_url, "UPDATE segment SET replaced = replaced - interval '20 minutes' WHERE replaced IS NOT NULL")
    told = await service.seal()

    assert told == {"dropped": 1}
    assert ask(migrated_url, "SELECT DISTINCT segment_id FROM segment_column") == [(2,)]
    assert read(migrated_url, 1) == rows


async def test_the_old_table_is_taken_over_and_dropped_month_by_month_while_its_newest_rows_wait(migrated_url, pool):
    just_now_us = int(time.time() * 1e6)
    stored = {}
    for device in (1, 2):
        old = [some(100, seed=device, start_us=START_US + month * MONTH_US) for month in range(3)]
        fresh = some(3, start_us=just_now_us, received_us=just_now_us)
        stored[device] = sorted(row for rows in [*old, fresh] for row in rows)
        store(migrated_url, device, stored[device], is_into_old=True)
    service = TakingOver(pool, rest=0)

    told = await service.take_over()

    assert told["readings"] == 600
    assert told["months_dropped"] >= 3
    assert len(await takeover.months(pool)) == 1
    assert {device: homes(migrated_url, device) for device in stored} == dict.fromkeys(stored, (0, 3, 300))
    assert {device: read(migrated_url, device) for device in stored} == stored

    ask(migrated_url, "UPDATE reading SET time = time - interval '1 hour', received = received - interval '1 hour'")
    await service.take_over()

    assert await takeover.months(pool) == []
    assert {device: homes(migrated_url, device) for device in stored} == dict.fromkeys(stored, (0, 0, 303))
    assert service.progress.months == 0


async def test_a_month_that_somebody_reads_is_dropped_later(migrated_url, pool):
    store(migrated_url, 1, some(10), is_into_old=True)
    service = TakingOver(pool, rest=0)
    with psycopg.connect(migrated_url) as looking:
        looking.execute("SELECT count(*) FROM reading").fetchone()

        told = await service.take_over()

        assert told["readings"] == 10
        assert told["months_dropped"] == 0

    assert (await service.take_over())["months_dropped"] >= 1
    assert read(migrated_url, 1) == some(10)


async def test_a_row_that_an_earlier_release_writes_while_its_month_is_dropped_is_kept(migrated_url, pool):
    store(migrated_url, 1, some(10), is_into_old=True)
    months = await takeover.months(pool)

    async with pool.connection() as connection:
        assert not await takeover.drop_if_empty(connection, months[0])

    assert homes(migrated_url, 1) == (0, 10, 0)


async def test_going_back_to_the_release_before_finds_every_reading_in_its_table(migrated_url, pool):
    just_now_us = int(time.time() * 1e6)
    rows = [*some(300), *some(5, start_us=just_now_us, received_us=just_now_us)]
    store(migrated_url, 1, rows)
    await Sealing(pool, rest=0).seal()

    with psycopg.connect(migrated_url, autocommit=True) as connection:
        assert work.unseal(connection, 1, "car", is_into_old=True) == 305

    assert homes(migrated_url, 1) == (0, 305, 0)
    assert read(migrated_url, 1) == rows


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("UPDATE segment SET n = n + 1", "cannot be read"),
        ("UPDATE segment SET last = last + interval '1 second'", "last instant"),
        ("UPDATE segment SET bytes = bytes - 1", "bytes"),
        ("DELETE FROM segment_column WHERE holds = 'i'", "cannot be read"),
        ("DELETE FROM segment_column WHERE name = 'speed'", "bytes"),
        ("DELETE FROM ladder WHERE channel = 'track'", "ladder"),
        ("UPDATE segment_column SET content = content || '\\x00' WHERE name = 'state'", "checksum"),
    ],
)
async def test_verifying_finds_what_is_not_as_it_was_written(migrated_url, pool, damage, says):
    store(migrated_url, 1, some(100))
    await Sealing(pool, rest=0).seal()
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        assert list(work.faults(connection, 1)) == [(1, 100, [])]

        connection.execute(damage)

        ((_, _, found),) = work.faults(connection, 1)
        assert any(says in fault for fault in found)
