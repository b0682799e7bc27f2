"""Whose a race is that a car names over MQTT: the car's whose reading comes first, said before that reading is stored.

So it does not depend on who looks, and when: whatever names the race afterwards finds it driven.
"""

from typing import Any

from psycopg import errors

from releve.protocol.sender import Sender
from releve.storage.pool import Pool
from releve.storage.queries import query

REMEMBERED = 10_000
LARGEST_ID = 2**63 - 1


class RaceDrivers:
    """Asks once per car and race; all further readings of the race cost a look into memory."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._asked: dict[int, float] = {}  # by the device, the race that it named last

    async def named(self, race: float, sender: Sender) -> None:
        """A car's reading names a race; if the race waits for one, the car drives it from now on.

        Raises:
            Unavailable: The database does not answer.
        """
        device = sender.device_id
        if device is None or self._asked.get(device) == race:
            return
        if 0 < race <= LARGEST_ID and race == int(race):  # 13.0 is 13
            await self._drive({"race": int(race), "device": device, "team": sender.team_id})
        if len(self._asked) >= REMEMBERED:
            self._asked.clear()
        self._asked[device] = race

    async def _drive(self, values: dict[str, Any]) -> None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query("race_waits"), values)
            row = await cursor.fetchone()
            if row is None or not row[0]:
                return
            try:
                async with connection.transaction():
                    await connection.execute(query("lock_runs"), values)
                    await connection.execute(query("attach_race"), values)
            except errors.ExclusionViolation:  # a run that a person opened by hand holds these readings
                return
