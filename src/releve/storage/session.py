"""A database session that may acknowledge: checked for durability, and listened to for warnings (promise P1)."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import Diagnostic
from psycopg.rows import tuple_row

from releve.storage.queries import query

CHECK_EVERY_S = 0.25
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000
STRONG_ENOUGH = frozenset({"on", "remote_apply"})
_WARNING = "01000"
_UNNAMED = "PostgreSQL warned about the commit"


class NotDurable(Exception):
    """The session's settings, or PostgreSQL's own warning, say that a commit here might not last."""


class Session:
    """One connection for writing readings; its durability is read again before a commit when last read too long ago."""

    def __init__(self, url: str, *, application: str) -> None:
        self._url = url
        self._application = application
        self._connection: AsyncConnection | None = None
        self._checked_s = 0.0
        self._warning: str | None = None

    async def connection(self) -> AsyncConnection:
        """The open connection, made anew when it is broken, after a look at the durability settings.

        Raises:
            psycopg.OperationalError: The server does not answer.
            NotDurable: A setting, such as fsync or synchronous_commit, is weaker than promised.
        """
        if self._connection is None or self._connection.closed:
            self._connection = await self._open()
            self._checked_s = 0.0
        if time.monotonic() - self._checked_s > CHECK_EVERY_S:
            await self._check(self._connection)
        self._warning = None
        return self._connection

    def confirm(self) -> None:
        """Confirm the commit that just ended.

        Raises:
            NotDurable: PostgreSQL warned that it ended the wait for synchronous replication.
        """
        if self._warning is not None:
            raise NotDurable(self._warning)

    async def close(self) -> None:
        """End the connection; the next use opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _open(self) -> AsyncConnection:
        connection = await AsyncConnection.connect(
            self._url,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name=self._application,
            options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC -c client_min_messages=warning",
        )
        connection.add_notice_handler(self._note)
        return connection

    async def _check(self, connection: AsyncConnection) -> None:
        weakness = await weakness_of(connection)
        if weakness is not None:
            raise NotDurable(weakness)
        self._checked_s = time.monotonic()

    def _note(self, diagnostic: Diagnostic) -> None:
        if diagnostic.sqlstate == _WARNING:
            self._warning = diagnostic.message_primary or _UNNAMED


async def weakness_of(connection: AsyncConnection[Any]) -> str | None:
    """What makes a commit of this very session weaker than promised, or None."""
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query("read_durability"))
        row = await cursor.fetchone()
    if row is None:
        raise psycopg.OperationalError("the server answered nothing")
    fsync, full_page_writes, synchronous_commit, client_min_messages, may_wait = row
    if fsync != "on":
        return "fsync is off: a crash loses what was committed; set fsync = on"
    if full_page_writes != "on":
        return "full_page_writes is off: a crash tears pages that hold what was committed; set full_page_writes = on"
    if synchronous_commit not in STRONG_ENOUGH:
        return f"synchronous_commit is {synchronous_commit}: an answer could precede the disk; set it to on"
    if client_min_messages == "error":
        return "client_min_messages is error: a wait that was cancelled would be kept from us; set it to warning"
    if not may_wait:
        return "the role may not execute pg_logical_emit_message, without which repeats cannot wait; grant it"
    return None


@asynccontextmanager
async def acknowledging(connection: AsyncConnection[Any]) -> AsyncIterator[None]:
    """A transaction on an idle connection whose end may be acknowledged, also when what is done in it changes nothing.

    Raises:
        NotDurable: It may not: the session is weaker than promised, or PostgreSQL ended the wait for its standbys.
    """
    warnings: list[str] = []

    def note(diagnostic: Diagnostic) -> None:
        if diagnostic.sqlstate == _WARNING:
            warnings.append(diagnostic.message_primary or _UNNAMED)

    weakness = await weakness_of(connection)
    if weakness is not None:
        raise NotDurable(weakness)
    connection.add_notice_handler(note)
    try:
        async with connection.transaction():
            yield
            await connection.execute(query("wait_for_commit"))
    finally:
        connection.remove_notice_handler(note)
    if warnings:
        raise NotDurable(warnings[0])
