"""Promise P2 across the seal: a reading is stored once wherever the first one lies, also while it is being moved."""

import asyncio
import json
import threading
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import AsyncConnection
from tests.postgres.conftest import NOW_US

from releve.cli.check.database import growth_a_day
from releve.history import spelling
from releve.history.block import Row
from releve.history.pivot import block_of
from releve.ingest.verdict import verdict
from releve.protocol.identity import canonical, key_hash
from releve.storage import scan, sealing, segments, session
from releve.storage.pool import Pool
from releve.storage.reader import AsyncReader

SECOND = 1_000_000
JUNE_US = 1_780_315_200 * SECOND
WITHIN_S = 30
HOMES = ["fresh", "segment", "old"]
TAKE_FRESH = """
    DELETE FROM fresh_reading WHERE device_id = %s
    RETURNING (extract(epoch FROM time) * 1000000)::bigint, id, (extract(epoch FROM received) * 1000000)::bigint,
              channels, sent
"""
TO_OLD = """
    WITH moved AS (DELETE FROM fresh_reading WHERE device_id = %s RETURNING *)
    INSERT INTO reading SELECT device_id, time, id, received, channels::jsonb, sent FROM moved
"""
AWAITED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def body(*documents):
    return json.dumps(documents[0] if len(documents) == 1 else documents).encode()


def reading(place=0, **channels):
    return {"time": JUNE_US // 1_000 + place * 1_000, **(channels or {"speed": place})}


def outcomes(receipts):
    return [receipt.outcome.value for receipt in receipts]


@asynccontextmanager
async def transaction(path):
    async with await AsyncConnection.connect(path.url, autocommit=True) as connection, connection.transaction():
        yield connection


async def take_fresh(connection, device_id):
    rows = await (await connection.execute(TAKE_FRESH, [device_id])).fetchall()
    return [Row(*own, channels.encode(), sent) for *own, channels, sent in sorted(rows)]


async def seal(connection, device_id):
    """What the sealer does with a device, within the caller's transaction."""
    reader = AsyncReader(connection)
    await segments.lock(reader, [device_id])
    return await segments.add(reader, device_id, block_of(await take_fresh(connection, device_id)))


async def move(path, device_id, home):
    """Move a device's fresh rows."""
    async with transaction(path) as connection:
        if home == "segment":
            await seal(connection, device_id)
        if home == "old":
            for month in ("2026-05-15", "2026-06-15", "2026-11-15", "2026-12-15"):
                await connection.execute("SELECT releve_ensure_partition(%s::timestamptz)", [month])
            await connection.execute(TO_OLD, [device_id])


async def everything(path, device_id):
    """What a reader of the whole history gets: instants, identities and channels."""
    pool = Pool(path.url, application="test")
    try:
        found = [block async for block in scan.blocks(pool, device_id, scan.WHOLE, scan.EVER)]
    finally:
        await pool.close()
    return [(row.time_us, row.id, json.loads(row.channels)) for block in found for row in spelling.rows(block)]


async def until_awaited(path, count=1):
    async with asyncio.timeout(WITHIN_S):
        while path.rows(AWAITED)[0][0] < count:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


@pytest.fixture
def looks_again_at_once(monkeypatch):
    """Sessions look before each commit which homes there are."""
    monkeypatch.setattr(session, "CHECK_EVERY_S", -1.0)


@pytest.mark.parametrize("home", HOMES)
async def test_the_same_reading_again_is_a_repeat_wherever_the_first_lies_and_another_one_lives(
    path_into, device, looks_again_at_once, home
):
    pi, other = device(), device("raspberry2")
    async with path_into() as path:
        await path.send(pi, body(*(reading(place) for place in range(10))))
        await move(path, pi.device_id, home)

        again = await path.send(pi, body(*(reading(place) for place in range(12))))
        new = await path.send(pi, body(reading(3, speed=30)))
        new_again = await path.send(pi, body(reading(3, speed=30)))
        of_another = await path.send(other, body(reading(3)))

        assert outcomes(again) == ["duplicate"] * 10 + ["stored"] * 2
        assert outcomes(new + new_again + of_another) == ["stored", "duplicate", "stored"]
        found = await everything(path, pi.device_id)
        assert len(found) == 13
        assert sorted(channels["speed"] for time_us, _, channels in found if time_us == JUNE_US + 3 * SECOND) == [3, 30]


@pytest.mark.parametrize("ends", ["commits", "rolls back"])
async def test_what_is_sent_again_while_its_stretch_is_being_sealed_waits_and_is_a_repeat(path_into, device, ends):
    pi = device()
    async with path_into() as path, path_into() as elsewhere:
        await path.send(pi, body(reading(0), reading(1)))
        async with await AsyncConnection.connect(path.url) as sealer:
            await seal(sealer, pi.device_id)
            sent = [asyncio.create_task(each.send(pi, body(reading(1), reading(2)))) for each in (path, elsewhere)]
            await until_awaited(path, 2)
            assert not any(task.done() for task in sent)

            await (sealer.commit() if ends == "commits" else sealer.rollback())

        both = await asyncio.wait_for(asyncio.gather(*sent), WITHIN_S)
        assert [outcomes(receipts)[0] for receipts in both] == ["duplicate"] * 2
        assert sorted(outcomes(receipts)[1] for receipts in both) == ["duplicate", "stored"]
        assert [channels["speed"] for *_, channels in await everything(path, pi.device_id)] == [0, 1, 2]


async def test_what_is_sent_again_while_its_segments_are_being_merged_waits_and_is_a_repeat(path_into, device):
    pi = device()
    async with path_into() as path:
        numbers = []
        for place in range(3):
            await path.send(pi, body(reading(place), reading(place + 10)))  # segments that overlap
            async with transaction(path) as connection:
                numbers += await seal(connection, pi.device_id)
        async with await AsyncConnection.connect(path.url) as merger:
            reader = AsyncReader(merger)
            await segments.lock(reader, [pi.device_id])
            loaded = await segments.load(
                reader, pi.device_id, await segments.of_span(reader, pi.device_id, 0, 2 * JUNE_US), None
            )
            rows = sorted(row for each in loaded.values() for row in spelling.rows(segments.decoded(each, None)))
            await segments.replace(reader, pi.device_id, numbers)
            await segments.add(reader, pi.device_id, block_of(rows))
            sent = asyncio.create_task(path.send(pi, body(reading(12), reading(13), reading(1))))
            await until_awaited(path)
            await merger.commit()

        assert outcomes(await asyncio.wait_for(sent, WITHIN_S)) == ["duplicate", "stored", "duplicate"]
        assert len(await everything(path, pi.device_id)) == 7


async def test_nothing_is_sealed_while_a_late_reading_is_on_its_way(path_into, device):
    pi = device()
    async with path_into() as path:
        await path.send(pi, body(reading(0)))
        async with await AsyncConnection.connect(path.url) as holder:
            await holder.execute("LOCK TABLE fresh_reading IN EXCLUSIVE MODE")
            sent = asyncio.create_task(path.send(pi, body(reading(1))))
            await until_awaited(path)
            with psycopg.connect(path.url) as sealer:
                ((is_free,),) = sealer.execute(
                    "SELECT pg_try_advisory_xact_lock(1380273496, %s)", [pi.device_id]
                ).fetchall()
            await holder.rollback()

        assert outcomes(await asyncio.wait_for(sent, WITHIN_S)) == ["stored"]
        assert not is_free


async def test_a_reading_of_now_waits_for_no_seal_and_asks_no_segment(path_into, device):
    pi = device()
    now_ms = time.time_ns() // 1_000_000
    async with path_into() as path:
        async with await AsyncConnection.connect(path.url) as sealer:
            await segments.lock(AsyncReader(sealer), [pi.device_id])
            await sealer.execute("LOCK TABLE segment IN ACCESS EXCLUSIVE MODE")

            receipts = await asyncio.wait_for(path.send(pi, body({"time": now_ms, "n": 1})), WITHIN_S)
            keyed = await asyncio.wait_for(path.send(pi, body({"time": now_ms, "n": 1, "id": "a"})), WITHIN_S)
            again = await asyncio.wait_for(path.send(pi, body({"time": now_ms, "n": 1})), WITHIN_S)
            sent = asyncio.create_task(path.send(pi, body({"time": now_ms - 301_000, "n": 1})))
            await until_awaited(path)
            await sealer.rollback()

        assert outcomes(receipts + keyed + again + await sent) == ["stored", "stored", "duplicate", "stored"]


async def test_as_long_as_the_earlier_table_holds_readings_those_of_now_are_held_against_it(
    path_into, device, looks_again_at_once
):
    pi = device()
    now = body({"time": time.time_ns() // 1_000_000, "n": 1})
    async with path_into() as path:
        await path.send(pi, now)
        await move(path, pi.device_id, "old")

        assert outcomes(await path.send(pi, now)) == ["duplicate"]

        path.execute("DROP TABLE reading_2026_05, reading_2026_06, reading_2026_11, reading_2026_12")
        async with transaction(path) as sealer:
            await segments.lock(AsyncReader(sealer), [pi.device_id])

            assert outcomes(await asyncio.wait_for(path.send(pi, now), WITHIN_S)) == ["stored"]  # as before it all


@pytest.mark.parametrize("home", HOMES)
async def test_a_message_id_is_known_again_and_one_with_other_content_is_stored_with_a_word(
    path_into, device, looks_again_at_once, home
):
    pi = device()
    async with path_into() as path:
        await path.send(pi, body({**reading(0), "id": "a"}, {**reading(1), "id": "b"}))
        await move(path, pi.device_id, home)

        again = await path.send(pi, body({**reading(0), "id": "a"}))
        other = await path.send(pi, body({**reading(0, speed=9), "id": "a"}))
        elsewhere = await path.send(pi, body({**reading(2), "id": "a"}))

        assert outcomes(again + other + elsewhere) == ["duplicate", "stored", "stored"]
        assert [[notice.field for notice in receipt.notices] for receipt in again + other + elsewhere] == [
            [], ["id"], []
        ]  # fmt: skip


@pytest.mark.parametrize("home", HOMES)
async def test_what_had_its_message_id_for_its_whole_identity_is_still_known(
    path_into, device, looks_again_at_once, home
):
    pi = device()
    dated, undated = {**reading(1), "id": "a"}, {"id": "b", "n": 2}
    received_us = JUNE_US + 10 * SECOND
    async with path_into() as path:
        await path.send(pi, body(dated, undated), received_us=received_us)
        path.execute("UPDATE receipt SET id = key, key = NULL")
        path.execute("UPDATE fresh_reading SET id = (SELECT id FROM receipt) WHERE channels = '{\"n\":2}'")
        path.execute("UPDATE fresh_reading SET id = %s WHERE channels = '{\"speed\":1}'", [key_hash("a")])
        await move(path, pi.device_id, home)

        again = await path.send(pi, body(dated, undated), received_us=received_us + SECOND)
        other = await path.send(pi, body({**dated, "speed": 3}, {**undated, "n": 3}), received_us=received_us + SECOND)

        assert outcomes(again + other) == ["duplicate"] * 2 + ["stored"] * 2


@pytest.mark.parametrize("home", HOMES)
async def test_an_uptime_and_a_reading_timed_by_the_server_are_known_by_their_receipts(
    path_into, device, looks_again_at_once, home
):
    esp = device("esp32")
    uptime = b'{"temperature": 20.5, "timestamp": 60000}'
    async with path_into() as path:
        await path.send(esp, uptime, contract="profilometre", received_us=JUNE_US)
        await path.send(esp, b'{"n": 1}', key="k", received_us=JUNE_US)
        await move(path, esp.device_id, home)

        again = await path.send(esp, uptime, contract="profilometre", received_us=JUNE_US + 30 * SECOND)
        keyed = await path.send(esp, b'{"n": 1}', key="k", received_us=JUNE_US + 30 * SECOND)

        assert outcomes(again + keyed) == ["duplicate"] * 2
        assert len(await everything(path, esp.device_id)) == 2


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("more", [{}, {"id": "w1"}])
async def test_a_waveform_again_is_a_repeat_and_what_is_missing_of_it_is_stored(
    path_into, device, looks_again_at_once, home, more
):
    pi = device()
    wave = {"time": JUNE_US // 1_000, "step_ms": 10, "z": [number / 2 for number in range(1_500)]} | more
    async with path_into() as path:
        await path.send(pi, body(wave | {"z": wave["z"][:900]}))  # too few to go into a segment at once
        await move(path, pi.device_id, home)

        [rest] = await path.send(pi, body(wave))
        [again] = await path.send(pi, body(wave))

        assert (verdict(rest)["stored"], verdict(rest)["duplicate"]) == (600, 900)
        assert (verdict(again)["stored"], verdict(again)["duplicate"]) == (0, 1_500)
        assert len(await everything(path, pi.device_id)) == 1_500


async def test_a_late_reading_in_a_sealed_stretch_is_found_by_every_way_of_reading(path_into, device):
    pi = device()
    async with path_into() as path:
        await path.send(pi, body(*(reading(place) for place in range(0, 20, 2))))
        await move(path, pi.device_id, "segment")

        await path.send(pi, body(reading(7, speed=7, late=True)))

        pool = Pool(path.url, application="test")
        blocks = [block async for block in scan.blocks(pool, pi.device_id, ["speed"], scan.EVER)]
        backwards = [block async for block in scan.blocks_backwards(pool, pi.device_id, ["speed"], scan.EVER)]
        around = scan.Span(JUNE_US + 7 * SECOND, JUNE_US + 8 * SECOND)
        expected = sorted([*range(0, 20, 2), 7])
        assert [value for block in blocks for value in block.column("speed").values()] == expected
        assert [value for block in reversed(backwards) for value in block.column("speed").values()] == expected
        assert [row.channels for row in await scan.newest(pool, pi.device_id, around, 5)] == [
            canonical({"late": True, "speed": 7})
        ]
        assert await scan.count(pool, pi.device_id, scan.EVER) == 11
        assert await scan.channels(pool, pi.device_id, scan.EVER) == ["late", "speed"]
        await pool.close()


async def test_segments_are_decoded_aside_of_the_event_loop(path_into, device, monkeypatch):
    pi = device()
    threads = set()

    def decode(segment, wanted=segments.decode):
        threads.add(threading.get_ident())
        return wanted(segment)

    async with path_into() as path:
        await path.send(pi, body(*(reading(place) for place in range(50))))
        await move(path, pi.device_id, "segment")
        monkeypatch.setattr(segments, "decode", decode)

        again = await path.send(pi, body(*(reading(place) for place in range(50))))

    assert set(outcomes(again)) == {"duplicate"}
    assert threads
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("holds", ["t", "c"])
async def test_a_segment_that_is_damaged_keeps_nobody_waiting_and_its_readings_still_come_once(
    path_into, device, holds
):
    pi = device()
    flip = "UPDATE segment_column SET content = set_byte(content, 4, get_byte(content, 4) # 255) WHERE holds = %s"
    async with path_into() as path:
        await path.send(pi, body(*(reading(place) for place in range(5))))
        await move(path, pi.device_id, "segment")
        path.execute(flip, [holds])

        receipts = await path.send(pi, body(*(reading(place) for place in range(7))))
        path.execute(flip, [holds])

        assert set(outcomes(receipts)) == {"stored"}
        assert [channels["speed"] for *_, channels in await everything(path, pi.device_id)] == list(range(7))


async def test_a_group_with_late_readings_of_many_devices_never_deadlocks_with_another(path_into, device):
    senders = [device(f"pi{number}") for number in range(12)]
    async with path_into(writers=2) as path, path_into(writers=2) as elsewhere:
        for sealed in range(5):
            turns = [(path, sender) for sender in senders] + [(elsewhere, sender) for sender in senders[::-1]]
            sent = [each.send(sender, body(reading(1), reading(2), {**reading(3), "id": 3})) for each, sender in turns]
            results = await asyncio.wait_for(asyncio.gather(*sent), WITHIN_S)
            assert {outcome for receipts in results for outcome in outcomes(receipts)} <= {"stored", "duplicate"}
            for sender in senders[2 * sealed : 2 * sealed + 2]:
                await move(path, sender.device_id, "segment")
        assert path.group.failure is None
        for sender in senders:
            assert len(await everything(path, sender.device_id)) == 3


async def test_the_growth_that_doctor_tells_is_that_of_what_was_sealed_of_this_month(path_into, device):
    pi = device()
    async with path_into() as path:
        with psycopg.connect(path.url) as connection:
            path.execute("UPDATE fleet_device SET created_at = now() - interval '12 hours'")
            (since,) = connection.execute("SELECT greatest(date_trunc('month', now()), now() - interval '12 hours')")
            await path.send(pi, body(reading(1)))
            await move(path, pi.device_id, "segment")
            none = growth_a_day(connection)
            await path.send(pi, body({"time": time.time_ns() // 1_000_000, "speed": 1}))
            await move(path, pi.device_id, "segment")
            some = growth_a_day(connection)
            ((size, everything_),) = connection.execute(
                "SELECT (SELECT bytes FROM segment ORDER BY last DESC LIMIT 1), sum(bytes) FROM segment"
            ).fetchall()
            ((tables,),) = connection.execute(
                "SELECT sum(pg_total_relation_size(name))"
                " FROM unnest(ARRAY['segment', 'segment_column', 'ladder']) AS name"
            ).fetchall()

        assert none is None
        days = (datetime.now(UTC) - since[0]).total_seconds() / 86_400
        assert some == pytest.approx(size * float(tables) / everything_ / max(days, 0.04), rel=0.05)


def test_a_reading_counts_as_late_long_before_it_can_be_sealed():
    assert NOW_US > JUNE_US  # the readings above are late ones
    assert session.LATE_US + 2 * session.STATEMENT_TIMEOUT_MS * 1_000 < session.SEALABLE_US == sealing.OLDER_S * SECOND
