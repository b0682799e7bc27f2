"""COPY … FROM STDIN in libpq's own calls, for the one statement that every group of readings is.

psycopg's cursor makes a COPY of several awaits, each of which registers the socket with the event loop anew; a group
of a few readings spends more on that than on its rows. Here the socket is registered once a group. What the rest of
the session sees is the same: errors are psycopg's, notices reach the connection's handlers, and its lock is held.
"""

import asyncio
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
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
    async with connection.lock:
        pgconn = connection.pgconn
        if pgconn.transaction_status != TransactionStatus.IDLE:
            raise psycopg.InterfaceError("a group is copied over an idle connection")
        try:
            await _Exchange(pgconn).run(statement, rows, connection.info.encoding)
        finally:
            if pgconn.transaction_status != TransactionStatus.IDLE:  # cancelled, or broken off
                pgconn.finish()


class _Exchange:
    """One COPY's conversation; the socket is watched from its beginning to its end."""

    def __init__(self, pgconn: PGconn) -> None:
        self._pgconn = pgconn
        self._loop = asyncio.get_running_loop()
        self._heard: asyncio.Future[None] | None = None
        self._is_writing = False

    async def run(self, statement: bytes, rows: bytes, encoding: str) -> None:
        pgconn, socket = self._pgconn, self._pgconn.socket
        self._loop.add_reader(socket, self._wake)
        try:
            pgconn.send_query(statement)
            await self._flush()
            begun = await self._result()
            if begun is None or begun.status != ExecStatus.COPY_IN:
                await self._rest()
                raise _error(begun, encoding)
            pgconn.put_copy_data(rows)
            pgconn.put_copy_end()
            await self._flush()
            ended = await self._result()
            await self._rest()
            if ended is None or ended.status != ExecStatus.COMMAND_OK:
                raise _error(ended, encoding)
        finally:
            self._loop.remove_reader(socket)
            if self._is_writing:
                self._loop.remove_writer(socket)

    async def _flush(self) -> None:
        """Hand everything to the kernel; what comes in meanwhile is read, so that neither side waits for the other."""
        while self._pgconn.flush():
            self._loop.add_writer(self._pgconn.socket, self._wake)
            self._is_writing = True
            await self._wait()
            self._loop.remove_writer(self._pgconn.socket)
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
        return psycopg.InterfaceError("the statement is no COPY … FROM STDIN")
    return error_from_result(result, encoding=encoding)
