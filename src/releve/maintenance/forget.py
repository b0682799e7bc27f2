"""Takes away what deleted devices left, once nobody can bring them back any more."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from releve.maintenance.loop import Service
from releve.storage.pool import Pool
from releve.storage.queries import query

EVERY_S = 600.0
NAME = "forget-devices"


class Forgetting:
    """Calls the control plane, which knows what belongs to a device, where there is one to forget.

    Args:
        pool: Lends the connection to look with, so that Django is loaded only where there is something to do.
        forget: Takes it away and tells how much that was; it blocks, so it gets a thread.
    """

    def __init__(self, pool: Pool, forget: Callable[[], Mapping[str, int]]) -> None:
        self._pool = pool
        self._forget = forget

    def service(self) -> Service:
        """Every ten minutes."""
        return Service(name=NAME, period_s=EVERY_S, round=self.forget, after_s=EVERY_S / 10)

    async def forget(self) -> Mapping[str, int]:
        """Do it once.

        Raises:
            Unavailable: The database does not answer.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query("has_deleted_devices"))
            row = await cursor.fetchone()
        if row is None or not row[0]:
            return {}
        with ThreadPoolExecutor(1, thread_name_prefix=NAME) as thread:
            return await asyncio.get_running_loop().run_in_executor(thread, self._forget)
