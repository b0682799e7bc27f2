"""Ends the MQTT links of workers that are gone, so that nobody is shown as connected who is not."""

from collections.abc import Mapping

from releve.maintenance.loop import Service
from releve.storage.pool import Pool
from releve.storage.queries import query

EVERY_S = 5.0


class Burial:
    """Buries the workers that have not told for a while that they are there.

    Args:
        pool: Lends the connection.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def service(self) -> Service:
        """As often as workers tell."""
        return Service(name="presence", period_s=EVERY_S, round=self.bury)

    async def bury(self) -> Mapping[str, int]:
        """Do it once; how many links ended with their worker.

        Raises:
            Unavailable: The database does not answer.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query("mqtt_bury_workers"))
        return {"links": cursor.rowcount} if cursor.rowcount else {}
