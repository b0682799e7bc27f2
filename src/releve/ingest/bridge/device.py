"""Which device a message is of: one of the bridge's team that stands; remembered for a minute, unless it changes."""

import time
from typing import Any

import msgspec
from psycopg.rows import dict_row

from releve.protocol.sender import Sender
from releve.storage.device_row import sender_of
from releve.storage.pool import Pool
from releve.storage.queries import query

REMEMBERED = 50_000
LOOK_AGAIN_S = 60.0
STRANGERS_AGAIN_S = 5.0  # a device that is registered now is found soon


class NoTeam(Exception):
    """There is no team of that name, or the bridge's own device belongs to another one."""


class Stranger(msgspec.Struct, frozen=True):
    """A name that no message is taken of, and why."""

    reason: str


class Devices:
    """The devices of one team.

    Args:
        pool: Lends connections.
        team: The team's name.
        own_name: The device in whose quarantine messages of strangers are kept; made when missing.
    """

    def __init__(self, pool: Pool, *, team: str, own_name: str) -> None:
        self._pool = pool
        self._team = team
        self._own_name = own_name
        self._known: dict[str, tuple[Sender | Stranger, float]] = {}
        self._epoch = 0
        self.own_id = 0
        self.team_id = 0

    async def start(self) -> None:
        """Find the team, and make the bridge's own device.

        Raises:
            NoTeam: The team is not there.
            Unavailable: The database does not answer.
        """
        values = {"team": self._team, "name": self._own_name}
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query("bridge_add_device"), values)
            await cursor.execute(query("bridge_find_device"), values)
            row = await cursor.fetchone()
        if row is None or row["is_foreign"]:
            raise NoTeam(
                f"there is no team called {self._team!r}"
                if row is None
                else f"the device {self._own_name!r} belongs to another team than {self._team!r}; rename the bridge"
            )
        self.own_id, self.team_id = row["id"], row["team_id"]

    def forget(self, principal: str | None) -> None:
        """Look again; which name a device id has is not known here, so all of them."""
        if principal is None or principal.startswith("device:"):
            self._epoch += 1
            self._known.clear()

    async def find(self, name: str) -> Sender | Stranger:
        """The device of that name as a sender, or why none is.

        Raises:
            Unavailable: The database does not answer.
        """
        now_s = time.monotonic()
        known = self._known.get(name)
        if known is not None and known[1] > now_s:
            return known[0]
        epoch = self._epoch
        found = _judged(name, self._team, await self._row(name))
        if epoch == self._epoch:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            again_s = STRANGERS_AGAIN_S if isinstance(found, Stranger) else LOOK_AGAIN_S
            self._known[name] = found, now_s + again_s
        return found

    async def last_value(self, device_id: int, topic: str) -> str | None:
        """The last text of a racing topic, if it is not old.

        Raises:
            Unavailable: The database does not answer.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query("bridge_last_race"), {"device": device_id, "topic": topic})
            row = await cursor.fetchone()
        return None if row is None else str(row[0])

    async def _row(self, name: str) -> dict[str, Any] | None:
        values = {"team": self._team, "name": name}
        if "\0" in name:
            return None
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query("bridge_find_device"), values)
            return await cursor.fetchone()


def _judged(name: str, team: str, row: dict[str, Any] | None) -> Sender | Stranger:
    if row is None or row["is_foreign"]:
        return Stranger(f"no device of the team {team!r} is called {name!r}; add it, and this is taken")
    if not row["is_enabled"]:
        return Stranger(f"the device {name!r} is disabled; enable it, and this is taken")
    return sender_of(row)
