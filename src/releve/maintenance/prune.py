"""Takes away what has been kept long enough: receipts of readings, audit events, sign-ins, what waits for an editor."""

from collections.abc import Mapping

from releve.maintenance.loop import Service
from releve.storage.pool import Pool
from releve.storage.queries import query

EVERY_S = 3600.0
AT_ONCE = 10_000  # rows a statement, so that none holds its locks for long


class Pruning:
    """Deletes rows that are older than their retention.

    Args:
        pool: Lends the connection.
        days: How long rows are kept, by the statement that deletes them; 0 keeps them for good.
    """

    def __init__(self, pool: Pool, *, days: Mapping[str, int]) -> None:
        self._pool = pool
        self._days = days

    def service(self) -> Service:
        """Once an hour."""
        return Service(name="prune", period_s=EVERY_S, round=self.prune)

    async def prune(self) -> Mapping[str, int]:
        """Do it once; how many rows each statement deleted, where there were any.

        Raises:
            Unavailable: The database does not answer.
        """
        pruned = {name: await self._prune(name, days) for name, days in self._days.items() if days > 0}
        return {name: count for name, count in pruned.items() if count}

    async def _prune(self, name: str, days: int) -> int:
        deleted = 0
        while True:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(query(name), {"days": days, "limit": AT_ONCE})
            deleted += cursor.rowcount
            if cursor.rowcount < AT_ONCE:
                return deleted
