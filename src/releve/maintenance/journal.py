"""Writes the journal of revocations: as soon as one is heard of, and every few seconds in any case.

A task of every machine that does background work, whoever holds the lock: each has a journal of its own.
"""

import asyncio
import time
from pathlib import Path

import psycopg
import structlog
from psycopg import AsyncConnection

from releve.storage.revocation_journal import ForeignJournal
from releve.storage.revocation_keeper import Keeper

CHANNEL = "releve_revocation"  # as in storage/schema/0002_revocation.sql
ENDING = ("account:", "device:", "signin:")
EVERY_S = 5.0
BEAT_S = 60.0
RETRY_S = 2.0
CONNECT_TIMEOUT_S = 5
_log = structlog.get_logger()


class JournalWriting:
    """Listens on a connection of its own and lets the keeper write.

    Args:
        url: The database's address.
        folder: That of the keys.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._keeper = Keeper(url, folder)
        self._beaten_s = float("-inf")
        self._why = ""

    async def run(self) -> None:
        """Write until cancelled; what cannot be written now is written later, from the database."""
        try:
            while True:
                try:
                    await self._write()
                except (psycopg.Error, OSError, ForeignJournal) as error:
                    self._why = str(error).strip()
                    _log.warning("the journal of revocations waits", error=self._why)
                await asyncio.sleep(RETRY_S)
        finally:
            self._keeper.close()

    def warnings(self) -> list[str]:
        """Why revocations are not written down, while they are not."""
        return [f"the journal of revocations is not written: {self._why}"] if self._why else []

    async def _write(self) -> None:
        connection = await AsyncConnection.connect(
            self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name="releve journal feed"
        )
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            while True:
                await asyncio.to_thread(self._round)
                self._why = ""
                await _something_ended(connection)

    def _round(self) -> None:
        now_s = time.monotonic()
        if now_s - self._beaten_s < BEAT_S:
            self._keeper.write()
        else:
            self._keeper.beat()
            self._beaten_s = now_s


async def _something_ended(connection: AsyncConnection) -> None:
    """Wait for a notice that may be of a revocation, a few seconds at most."""
    async for notice in connection.notifies(timeout=EVERY_S):
        if notice.payload.startswith(ENDING):
            return
