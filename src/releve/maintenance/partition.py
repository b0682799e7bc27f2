"""Makes the months' partitions ahead, so that the first reading of a month need not wait for its table."""

from collections.abc import Mapping
from datetime import UTC, datetime

from releve.maintenance.loop import Service
from releve.storage.pool import Pool
from releve.storage.queries import query

EVERY_S = 6 * 3600.0
AHEAD = 2  # months after this one


def months_ahead(now: datetime) -> list[datetime]:
    """The first instants of this month and of the next ones.

    >>> [f"{month:%Y-%m}" for month in months_ahead(datetime(2026, 11, 27, tzinfo=UTC))]
    ['2026-11', '2026-12', '2027-01']
    """
    months = [now.year * 12 + now.month - 1 + number for number in range(AHEAD + 1)]
    return [datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months]


class Partitions:
    """Calls the one function that makes partitions.

    Args:
        pool: Lends the connection.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def service(self) -> Service:
        """A few times a day."""
        return Service(name="partitions", period_s=EVERY_S, round=self.make)

    async def make(self) -> Mapping[str, int]:
        """Do it once; how many were missing.

        Raises:
            Unavailable: The database does not answer.
        """
        made = 0
        for month in months_ahead(datetime.now(UTC)):
            async with self._pool.connection() as connection:
                cursor = await connection.execute(query("ensure_partition"), [int(month.timestamp()) * 1_000_000])
                row = await cursor.fetchone()
            made += row is not None and bool(row[0])
        return {"made": made} if made else {}
