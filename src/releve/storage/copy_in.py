"""The two statements by which readings arrive, in libpq's own calls: COPY … FROM STDIN, and INSERT of a single one.

psycopg's cursor makes a COPY of several awaits, each of which registers the socket with the event loop anew; a group
of a few readings spends more on that than on its rows. Here the socket is registered once a group. What the rest of
the session sees is the same: errors are psycopg's, notices reach the connection's handlers, and its lock is held.

COPY waits for the server's word before it sends its rows. Where there is one row that costs more than the row, so that
one goes as a statement with parameters, there and back once.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

_BROKEN = "the connection ended in the middle of a COPY"


async def copy_in(connection: AsyncConnection[Any], statement: bytes, rows: bytes) -> None:
    """Copy rows in a transaction of their own, over an idle connection in autocommit mode.

    Args:
        connection: The connection; when this is cancelled, or breaks off, it is closed, as whether the rows were
            committed is unknown then.
        statement: `COPY … FROM STDIN (FORMAT binary)`.
        rows: The whole of what it reads, header and trailer included.

    Raises:
        psycopg.Error: As PostgreSQL answered; nothing was stored.
        psycopg.OperationalError: The connection broke; whether the rows were committed is unknown.
    """
    async with _exchange(connection) as exchange:
        await exchange.copy(statement, rows)


async def insert_one(
    connection: AsyncConnection[Any], statement: bytes, values: Sequence[bytes | None], types: Sequence[int]
) -> None:
    """Insert one row in a transaction of its own, over an idle connection in autocommit mode.

    Args:
        connection: As for `copy_in`.
        statement: One that returns no rows.
        values: Its parameters, as PostgreSQL's binary formats.
        types: Their types' numbers.

    Raises:
        psycopg.Error, psycopg.OperationalError: As `copy_in`.
    """
    async with _exchange(connection) as exchange:
        await exchange.execute(statement, values, types)


@asynccontextmanager
async def _exchange(connection: AsyncConnection[Any]) -> AsyncIterator["_Exchange"]:
    async with connection.lock:
        pgconn = connection.pgconn
        if pgconn.transaction_status != TransactionStatus.IDLE:
            raise psycopg.InterfaceError("a group is copied over an idle connection")
        exchange = _Exchange(pgconn, connection.info.encoding)
        try:
            yield exchange
        finally:
            exchange.end()
            if pgconn.transaction_status != TransactionStatus.IDLE:  # cancelled, or broken off
                pgconn.finish()


class _Exchange:
    """One statement's conversation; the socket is watched from its beginning to its end."""

    def __init__(self, pgconn: PGconn, encoding: str) -> None:
        self._pgconn = pgconn
        self._encoding = encoding
        self._socket = pgconn.socket
        self._loop = asyncio.get_running_loop()
        self._heard: asyncio.Future[None] | None = None
        self._is_writing = False
        self._loop.add_reader(self._socket, self._wake)

    async def copy(self, statement: bytes, rows: bytes) -> None:
        self._pgconn.send_query(statement)
        await self._flush()
        begun = await self._result()
        if begun is None or begun.status != ExecStatus.COPY_IN:
            await self._rest()
            raise _error(begun, self._encoding)
        self._pgconn.put_copy_data(rows)
        self._pgconn.put_copy_end()
        await self._end()

    async def execute(self, statement: bytes, values: Sequence[bytes | None], types: Sequence[int]) -> None:
        self._pgconn.send_query_params(statement, values, types, [Format.BINARY] * len(types))
        await self._end()

    def end(self) -> None:
        """Watch the socket no more."""
        self._loop.remove_reader(self._socket)
        if self._is_writing:
            self._loop.remove_writer(self._socket)

    async def _end(self) -> None:
        await self._flush()
        ended = await self._result()
        await self._rest()
        if ended is None or ended.status != ExecStatus.COMMAND_OK:
            raise _error(ended, self._encoding)

    async def _flush(self) -> None:
        """Hand everything to the kernel; what comes in meanwhile is read, so that neither side waits for the other."""
        while self._pgconn.flush():
            self._loop.add_writer(self._socket, self._wake)
            self._is_writing = True
            await self._wait()
            self._loop.remove_writer(self._socket)
            self._is_writing = False
            self._pgconn.consume_input()

    async def _result(self) -> PGresult | None:
        while self._pgconn.is_busy():
            await self._wait()
            self._pgconn.consume_input()
        return self._pgconn.get_result()

    async def _rest(self) -> None:
        """Read to the end of the conversation."""
        while await self._result() is not None:
            pass

    async def _wait(self) -> None:
        self._heard = self._loop.create_future()
        try:
            await self._heard
        finally:
            self._heard = None

    def _wake(self) -> None:
        if self._heard is not None and not self._heard.done():
            self._heard.set_result(None)


def _error(result: PGresult | None, encoding: str) -> psycopg.Error:
    if result is None:
        return psycopg.OperationalError(_BROKEN)
    if result.status != ExecStatus.FATAL_ERROR:
        return psycopg.InterfaceError("the statement answers with something else than it was sent for")
    return error_from_result(result, encoding=encoding)
