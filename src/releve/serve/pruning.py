"""Takes away what has been kept long enough: receipts of readings, and audit events."""

import asyncio
from collections.abc import Mapping

import structlog

from releve.protocol.problem import Unavailable
from releve.storage.pool import Pool
from releve.storage.queries import query

EVERY_S = 3600.0
AT_ONCE = 10_000  # rows a statement, so that none holds its locks for long
_log = structlog.get_logger()


class Pruning:
    """Deletes rows that are older than their retention, once an hour.

    Args:
        pool: Lends the connection.
        days: How long rows are kept, by the statement that deletes them; 0 keeps them for good.
    """

    def __init__(self, pool: Pool, *, days: Mapping[str, int]) -> None:
        self._pool = pool
        self._days = days

    async def run(self) -> None:
        """Prune until cancelled; what cannot be done now is done the next time."""
        while True:
            try:
                await self.prune()
            except Unavailable as problem:
                _log.warning("old rows wait for the database", error=problem.detail)
            await asyncio.sleep(EVERY_S)

    async def prune(self) -> None:
        """Do it once.

        Raises:
            Unavailable: The database does not answer.
        """
        pruned = {name: await self._prune(name, days) for name, days in self._days.items() if days > 0}
        if any(pruned.values()):
            _log.info("pruned", **pruned)

    async def _prune(self, name: str, days: int) -> int:
        deleted = 0
        while True:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(query(name), {"days": days, "limit": AT_ONCE})
            deleted += cursor.rowcount
            if cursor.rowcount < AT_ONCE:
                return deleted
