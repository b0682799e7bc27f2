"""A database session that may acknowledge: checked for durability, and listened to for warnings (promise P1)."""

import time

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import Diagnostic

CHECK_EVERY_S = 0.25
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000
STRONG_ENOUGH = frozenset({"on", "remote_apply"})
_WARNING = "01000"


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
            NotDurable: fsync or synchronous_commit is weaker than promised.
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
            self._warning = diagnostic.message_primary or "PostgreSQL warned about the commit"


async def weakness_of(connection: AsyncConnection) -> str | None:
    """What makes a commit of this very session weaker than promised, or None."""
    cursor = await connection.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
    row = await cursor.fetchone()
    if row is None:
        raise psycopg.OperationalError("the server answered nothing")
    fsync, synchronous_commit = row
    if fsync != "on":
        return "fsync is off: a crash loses what was committed; set fsync = on"
    if synchronous_commit not in STRONG_ENOUGH:
        return f"synchronous_commit is {synchronous_commit}: an answer could precede the disk; set it to on"
    return None
