"""A group, or a single reading, goes to the disk in libpq's own calls, with psycopg's errors and notices."""

import asyncio

import psycopg
import pytest
from psycopg import AsyncConnection, errors

from releve.protocol.clock import Instant, Rule
from releve.protocol.reading import Reading
from releve.storage.copy_format import TYPES, encode, values
from releve.storage.copy_in import copy_in, insert_one
from releve.storage.queries import query

INSERT = b"INSERT INTO sent (n, text) VALUES ($1, $2)"
INT_AND_TEXT = (23, 25)
COPY = b"COPY sent (n, text) FROM STDIN (FORMAT text)"


@pytest.fixture
async def connection(migrated_url):
    connection = await AsyncConnection.connect(migrated_url, autocommit=True)
    await connection.execute("CREATE TABLE sent (n integer PRIMARY KEY, text text CHECK (text <> 'bad'))")
    yield connection
    await connection.close()


async def stored(url):
    async with await AsyncConnection.connect(url) as other:
        return await (await other.execute("SELECT n, text FROM sent ORDER BY n")).fetchall()


async def test_rows_are_committed_when_it_returns(migrated_url, connection):
    await copy_in(connection, COPY, b"1\tone\n2\ttwo\n")

    assert await stored(migrated_url) == [(1, "one"), (2, "two")]


async def test_nothing_of_a_group_with_a_row_that_is_there_is_stored_and_the_connection_goes_on(
    migrated_url, connection
):
    await copy_in(connection, COPY, b"1\tone\n")

    with pytest.raises(errors.UniqueViolation) as caught:
        await copy_in(connection, COPY, b"2\ttwo\n1\tone\n")

    assert "sent_pkey" in caught.value.diag.constraint_name
    await copy_in(connection, COPY, b"3\tthree\n")
    assert await stored(migrated_url) == [(1, "one"), (3, "three")]
    assert await (await connection.execute("SELECT count(*) FROM sent")).fetchone() == (2,)


@pytest.mark.parametrize(
    ("statement", "rows", "problem"),
    [
        (COPY, b"1\tbad\n", errors.CheckViolation),
        (COPY, b"x\tone\n", errors.InvalidTextRepresentation),
        (b"COPY nowhere FROM STDIN", b"", errors.UndefinedTable),
        (b"COPY sent (n", b"", errors.SyntaxError),
        (b"SELECT 1", b"", psycopg.Error),
    ],
)
async def test_what_postgresql_refuses_is_psycopgs_error_and_the_connection_goes_on(
    migrated_url, connection, statement, rows, problem
):
    with pytest.raises(problem):
        await copy_in(connection, statement, rows)

    await copy_in(connection, COPY, b"7\tseven\n")
    assert await stored(migrated_url) == [(7, "seven")]


async def test_a_group_larger_than_every_buffer_arrives_whole(migrated_url, connection):
    rows = b"".join(b"%d\t%b\n" % (n, b"x" * 1_000) for n in range(20_000))

    await copy_in(connection, COPY, rows)

    assert len(await stored(migrated_url)) == 20_000


async def test_a_warning_of_the_commit_reaches_the_connections_handlers(migrated_url, connection):
    heard = []
    connection.add_notice_handler(lambda diagnostic: heard.append(diagnostic.sqlstate))
    await connection.execute(
        "CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'so'; RETURN NEW; END $$"
    )
    await connection.execute("CREATE TRIGGER warns BEFORE INSERT ON sent FOR EACH ROW EXECUTE FUNCTION warn()")

    await copy_in(connection, COPY, b"1\tone\n")

    assert heard == ["01000"]


async def test_when_it_is_cancelled_the_connection_is_closed_because_nobody_knows(migrated_url, connection):
    async with await AsyncConnection.connect(migrated_url) as other:
        await other.execute("LOCK TABLE sent IN EXCLUSIVE MODE")
        waiting = asyncio.create_task(copy_in(connection, COPY, b"1\tone\n"))
        await asyncio.sleep(0.2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert connection.closed


async def test_when_the_server_ends_the_session_it_says_so(migrated_url, connection):
    async with await AsyncConnection.connect(migrated_url, autocommit=True) as other:
        await other.execute("BEGIN")
        await other.execute("LOCK TABLE sent IN EXCLUSIVE MODE")
        waiting = asyncio.create_task(copy_in(connection, COPY, b"1\tone\n"))
        await asyncio.sleep(0.2)
        await other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            await waiting

    assert connection.closed


async def test_a_transaction_that_is_open_is_refused(connection):
    async with connection.transaction():
        with pytest.raises(psycopg.InterfaceError):
            await copy_in(connection, COPY, b"1\tone\n")


async def test_a_single_row_is_committed_when_it_returns(migrated_url, connection):
    await insert_one(connection, INSERT, [b"\0\0\0\1", "é".encode()], INT_AND_TEXT)
    await insert_one(connection, INSERT, [b"\0\0\0\2", None], INT_AND_TEXT)

    assert await stored(migrated_url) == [(1, "é"), (2, None)]


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ([b"\0\0\0\1", b"again"], errors.UniqueViolation),
        ([b"\0\0\0\2", b"bad"], errors.CheckViolation),
        ([b"\0\0\0\2", b"\xff"], errors.CharacterNotInRepertoire),
        ([b"\0\0\0\2", b"a\0b"], errors.DataError),
        ([None, b"two"], errors.NotNullViolation),
    ],
)
async def test_a_single_row_that_postgresql_refuses_is_psycopgs_error_and_the_connection_goes_on(
    migrated_url, connection, sent, problem
):
    await insert_one(connection, INSERT, [b"\0\0\0\1", b"one"], INT_AND_TEXT)

    with pytest.raises(problem):
        await insert_one(connection, INSERT, sent, INT_AND_TEXT)

    await insert_one(connection, INSERT, [b"\0\0\0\7", b"seven"], INT_AND_TEXT)
    assert await stored(migrated_url) == [(1, "one"), (7, "seven")]


async def test_a_single_row_whose_session_ends_has_no_known_outcome_and_closes_the_connection(migrated_url, connection):
    async with await AsyncConnection.connect(migrated_url, autocommit=True) as other:
        await other.execute("BEGIN")
        await other.execute("LOCK TABLE sent IN EXCLUSIVE MODE")
        waiting = asyncio.create_task(insert_one(connection, INSERT, [b"\0\0\0\1", b"one"], INT_AND_TEXT))
        await asyncio.sleep(0.2)
        await other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            await waiting

    assert connection.closed


async def test_a_reading_is_the_same_row_whether_it_comes_alone_or_in_a_group(migrated_url, connection):
    def reading(device_id, sent):
        return Reading(
            device_id=device_id,
            instant=Instant(1_780_315_200_123_456, Rule.NAIVE),
            id=-(2**63) + 5,
            received_us=1_780_315_201_000_001,
            channels='{"é":1.5}'.encode(),
            sent=sent,
        )

    for device_id, sent in ((1, None), (3, "2026-06-01 12:00 é")):
        await insert_one(connection, query("insert_reading").encode(), values(reading(device_id, sent)), TYPES)
        await copy_in(connection, query("copy_reading").encode(), encode([reading(device_id + 1, sent)]))

    async with await AsyncConnection.connect(migrated_url) as other:
        cursor = await other.execute("SELECT time, id, received, channels, sent FROM fresh_reading ORDER BY device_id")
        alone, grouped, alone_naive, grouped_naive = await cursor.fetchall()
    assert (alone, alone_naive) == (grouped, grouped_naive)
    assert alone[0].isoformat() == "2026-06-01T12:00:00.123456+00:00"
    assert alone_naive[4] == "2026-06-01 12:00 é"
