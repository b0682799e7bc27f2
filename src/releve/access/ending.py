"""Which devices' tokens end soon; asked of the database seldom, because the answer changes in days."""

import time
from collections.abc import Collection

from releve.protocol.problem import Unavailable
from releve.storage.pool import Pool
from releve.storage.queries import query

LOOK_AGAIN_S = 60.0


class EndingTokens:
    """The devices whose token ends within 30 days, as `/metrics` names them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._looked_s = float("-inf")
        self._rows: list[tuple[str, float, int]] = []

    async def by_device(self, teams: Collection[int] | None) -> dict[str, float]:
        """When the token of each ends, in seconds since 1970; what was last known while the database is away.

        Args:
            teams: Whose devices are named; None means everybody's.
        """
        await self._look()
        return {name: end_s for name, end_s, team in self._rows if teams is None or team in teams}

    async def _look(self) -> None:
        if time.monotonic() - self._looked_s > LOOK_AGAIN_S:
            try:
                async with self._pool.connection() as connection:
                    cursor = await connection.execute(query("ending_device_tokens"), {"teams": None})
                    self._rows = [(name, ends.timestamp(), team) for _, name, ends, team in await cursor.fetchall()]
            except Unavailable:
                return
            self._looked_s = time.monotonic()
