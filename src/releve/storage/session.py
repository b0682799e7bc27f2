"""A database session that may acknowledge: checked for durability, and listened to for warnings (promise P1)."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import Diagnostic
from psycopg.rows import tuple_row

from releve.protocol.reading import Reading
from releve.storage.queries import query

CHECK_EVERY_S = 0.25
SEALABLE_US = 600_000_000  # the age from which on readings are sealed
LATE_US = 300_000_000  # and from which on they may be: no commit takes as long as what lies between
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000
STRONG_ENOUGH = frozenset({"on", "remote_apply"})
_FAR_AHEAD_US = 2**63 - 1
_WARNING = "01000"
_UNNAMED = "PostgreSQL warned about the commit"


class NotDurable(Exception):
    """The session's settings, or PostgreSQL's own warning, say that a commit here might not last."""


class Horizon(NamedTuple):
    """Two instants, in microseconds since 1970, that decide where a reading may lie and where it goes.

    Attributes:
        late_us: A reading from before may lie in a home of older ones already.
        sealable_us: A reading from before may be sealed at once: whoever brings it again takes it for late.
    """

    late_us: int
    sealable_us: int

    def is_late(self, reading: Reading) -> bool:
        """Whether a reading must be looked for beyond the fresh rows."""
        return reading.instant.time_us < self.late_us

    def may_be_sealed(self, reading: Reading) -> bool:
        """Whether a reading may go into a segment."""
        return reading.instant.time_us < self.sealable_us


class Session:
    """One connection for writing readings; its state is read again before a commit when last read too long ago.

    Attributes:
        has_old: Whether the table of earlier releases holds readings still.
    """

    def __init__(self, url: str, *, application: str) -> None:
        self._url = url
        self._application = application
        self._connection: AsyncConnection | None = None
        self._checked_s = 0.0
        self._checked_us = 0  # the same instant by the server's clock, since 1970
        self._warning: str | None = None
        self.has_old = True

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

    @property
    def horizon(self) -> Horizon:
        """Which readings are late now: the server's clock decides, as it does for whoever seals."""
        now_us = self._checked_us + int((time.monotonic() - self._checked_s) * 1e6)
        if self.has_old:
            return Horizon(_FAR_AHEAD_US, 0)
        return Horizon(now_us - LATE_US, now_us - SEALABLE_US)

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
        state = await _state_of(connection)
        weakness = _weakness_in(state)
        if weakness is not None:
            raise NotDurable(weakness)
        self._checked_us, self.has_old = state.now_us, state.has_old
        self._checked_s = time.monotonic()

    def _note(self, diagnostic: Diagnostic) -> None:
        if diagnostic.sqlstate == _WARNING:
            self._warning = diagnostic.message_primary or _UNNAMED


async def weakness_of(connection: AsyncConnection[Any]) -> str | None:
    """What makes a commit of this very session weaker than promised, or None."""
    return _weakness_in(await _state_of(connection))


class _State(NamedTuple):
    """A session as its server sees it."""

    fsync: str
    full_page_writes: str
    synchronous_commit: str
    client_min_messages: str
    may_wait: bool
    now_us: int
    has_old: bool


async def _state_of(connection: AsyncConnection[Any]) -> _State:
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query("read_session"))
        row = await cursor.fetchone()
    if row is None:
        raise psycopg.OperationalError("the server answered nothing")
    return _State(*row)


def _weakness_in(state: _State) -> str | None:
    if state.fsync != "on":
        return "fsync is off: a crash loses what was committed; set fsync = on"
    if state.full_page_writes != "on":
        return "full_page_writes is off: a crash tears pages that hold what was committed; set full_page_writes = on"
    if state.synchronous_commit not in STRONG_ENOUGH:
        return f"synchronous_commit is {state.synchronous_commit}: an answer could precede the disk; set it to on"
    if state.client_min_messages == "error":
        return "client_min_messages is error: a wait that was cancelled would be kept from us; set it to warning"
    if not state.may_wait:
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
