"""The right to do background work: one machine at a time, by a lock that PostgreSQL releases with the connection."""

import asyncio
from typing import Any

import psycopg
import structlog
from psycopg import AsyncConnection

from releve.storage.queries import query

TRY_EVERY_S = 2.0
PROBE_S = 2.0
CONNECT_TIMEOUT_S = 5
_log = structlog.get_logger()


class Holder:
    """Holds the lock, or tries again and again to get it; while it is held elsewhere nothing is done here.

    Args:
        url: The database's address; not that of a pooler, which would give the lock to somebody else.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._held = asyncio.Event()

    @property
    def is_held(self) -> bool:
        """Whether this process does the background work."""
        return self._held.is_set()

    async def wait(self) -> None:
        """Return once this process holds the lock."""
        await self._held.wait()

    async def run(self) -> None:
        """Hold the lock until cancelled."""
        while True:
            try:
                await self._hold()
            except (psycopg.Error, OSError, TimeoutError) as error:
                _log.warning("the lock of the background work is out of reach", error=str(error).strip())
            finally:
                self._held.clear()
            await asyncio.sleep(TRY_EVERY_S)

    async def _hold(self) -> None:
        connection = await AsyncConnection.connect(
            self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name="releve maintenance lock"
        )
        async with connection:
            while not await self._is_ours(connection):  # noqa: ASYNC110 - the database tells nobody that it is free
                await asyncio.sleep(TRY_EVERY_S)
            self._held.set()
            _log.info("background work is done by this process")
            while True:
                await asyncio.sleep(PROBE_S)
                async with asyncio.timeout(PROBE_S):
                    await connection.execute("SELECT 1")

    async def _is_ours(self, connection: AsyncConnection[Any]) -> bool:
        cursor = await connection.execute(query("try_maintenance_lock"))
        row = await cursor.fetchone()
        return row is not None and bool(row[0])
