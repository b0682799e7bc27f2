"""Notices when commits succeed again though nobody sends: a server that says it is not ready is sent nothing."""

import asyncio

import psycopg
import structlog

from releve.ingest.batch import GroupCommit
from releve.protocol.problem import Unavailable
from releve.storage.pool import Pool
from releve.storage.queries import query

EVERY_S = 1.0
_log = structlog.get_logger()


class Recovery:
    """After a failed commit, tries what a commit takes, until it can be done.

    Args:
        group: Whose commits failed.
        pool: Lends a connection.
    """

    def __init__(self, group: GroupCommit, pool: Pool) -> None:
        self._group = group
        self._pool = pool

    async def run(self) -> None:
        """Watch until cancelled; costs nothing while commits succeed."""
        while True:
            await asyncio.sleep(EVERY_S)
            if self._group.failure is not None and not self._group.under_way_s:
                await self._try()

    async def _try(self) -> None:
        try:
            async with self._pool.connection() as connection, connection.transaction():
                async with connection.transaction(force_rollback=True):
                    await connection.execute(query("probe_reading"))
                await connection.execute(query("take_transaction_number"))
        except Unavailable as problem:
            self._group.failure = str(problem.__cause__ or problem).strip()
            return
        except psycopg.Error as error:
            self._group.failure = str(error).strip()
            return
        self._group.failure = None
        _log.info("commits succeed again")
