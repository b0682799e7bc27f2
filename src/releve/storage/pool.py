"""Looks up who a verified token belongs to: one query on a pooled connection, and only when memory does not know."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, LiteralString, ParamSpec, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from releve.protocol.problem import Forbidden, Unavailable
from releve.protocol.sender import Sender
from releve.storage.device_row import sender_of
from releve.storage.queries import query
from releve.storage.session import NotDurable, acknowledging
from releve.storage.unknown_sign_in import UnknownSignIns

CONNECT_TIMEOUT_S = 5
CONNECTIONS = 4
_P = ParamSpec("_P")
_T = TypeVar("_T")


class Pool:
    """A few connections for look-ups and for reading; each serves one caller at a time."""

    def __init__(self, url: str, *, application: str, time_zone: str = "UTC") -> None:
        self._url = url
        self._application = application
        self._time_zone = time_zone
        self._idle: list[AsyncConnection[Any]] = []
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._unknown = UnknownSignIns()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """Lend a connection in autocommit mode; a broken one is not taken back.

        Raises:
            Unavailable: The database does not answer.
        """
        async with self._free:
            try:
                connection = self._idle.pop() if self._idle else await self._open()
                try:
                    yield connection
                finally:
                    await self._take_back(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                raise Unavailable("the database does not answer; try again") from error

    @asynccontextmanager
    async def acknowledging(self) -> AsyncIterator[AsyncConnection[Any]]:
        """Lend a connection in a transaction whose end may be acknowledged (promise P1).

        Raises:
            Unavailable: It may not, or the database does not answer.
        """
        async with self.connection() as connection:
            try:
                async with acknowledging(connection):
                    yield connection
            except NotDurable as weakness:
                raise Unavailable(f"nothing can be acknowledged: {weakness}") from weakness

    async def ask(self, statement: LiteralString, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """What one statement answers, on a connection of its own (`reader.Reader`).

        Raises:
            Unavailable: The database does not answer.
        """
        from releve.storage.reader import AsyncReader  # noqa: PLC0415 - with numpy, which only readers of history need

        async with self.connection() as connection:
            return await AsyncReader(connection).ask(statement, values)

    async def work(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a function in a thread (`reader.Reader`)."""
        return await asyncio.to_thread(function, *args, **kwargs)

    async def device(self, device_id: int, *, sign_in: UUID, expires_s: float) -> Sender | None:
        """The device as a sender, or None when it is disabled or its sign-in was revoked."""
        row = await self._one("find_device_sender", {"principal": device_id, "sign_in": sign_in})
        if row is None:
            self._unknown.refused(f"device:{device_id}", sign_in)
        if row is None or not row["stands"]:
            return None
        return sender_of(row, sign_in=sign_in.hex, expires_s=expires_s)

    async def person(self, account_id: int, *, sign_in: UUID, expires_s: float) -> Sender | None:
        """The person as a sender, or None when the account is disabled or its sign-in was revoked."""
        row = await self._one("find_person_sender", {"principal": account_id, "sign_in": sign_in})
        if row is None:
            self._unknown.refused(f"account:{account_id}", sign_in)
        if row is None or not row["stands"]:
            return None
        own = await self._one("find_own_device", {"account": account_id}) or {}
        return Sender(
            principal=f"account:{account_id}",
            sign_in=sign_in.hex,
            name=row["email"],
            device_id=own.get("id") if own.get("is_enabled", True) else None,
            team_id=own.get("team_id"),
            contract=own.get("contract", "generic"),
            zone=ZoneInfo(own.get("timezone", self._time_zone)),
            roles={int(team): role for team, role in row["roles"].items()},
            is_device=False,
            expires_s=expires_s,
            counts_uptime=own.get("counts_uptime", False),
            added_us=own.get("added_us", 0),
        )

    async def add_own_device(self, account_id: int, *, contract: str) -> None:
        """Make the device that a person's own readings go to.

        Raises:
            Forbidden: The person is in no team that could own it, or the device was disabled.
        """
        values = {"account": account_id, "contract": contract, "timezone": self._time_zone}
        async with self.connection() as connection:
            await connection.execute(query("add_own_device"), values)
        own = await self._one("find_own_device", {"account": account_id})
        if own is None:
            raise Forbidden("your account is in no team; ask an administrator to add it to one")
        if not own["is_enabled"]:
            raise Forbidden("the device of your account is disabled")

    async def close(self) -> None:
        """End every idle connection."""
        while self._idle:
            await self._idle.pop().close()

    async def _one(self, name: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        async with self.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query(name), values)
            return await cursor.fetchone()

    async def _open(self) -> AsyncConnection[Any]:
        return await AsyncConnection.connect(
            self._url,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name=self._application,
            options="-c statement_timeout=30000 -c timezone=UTC",
        )

    async def _take_back(self, connection: AsyncConnection[Any]) -> None:
        if connection.closed or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            await connection.close()
        else:
            self._idle.append(connection)
