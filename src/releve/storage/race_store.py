"""The races that readings name: looked up once in a while, attached at their first reading, widened by late ones."""

import time
from typing import Any

import msgspec
from psycopg import errors
from psycopg.rows import dict_row

from releve.protocol.problem import Forbidden, NotFound, Problem
from releve.protocol.sender import Sender
from releve.storage.device_row import sender_of
from releve.storage.pool import Pool
from releve.storage.queries import query

REMEMBERED = 10_000
LOOK_AGAIN_S = 5.0
LARGEST_ID = 2**63 - 1


class RaceTaken(Problem):
    """Another run of the vehicle's device holds this time; end that one first."""

    title = "Runs overlap"
    status = 409


class Race(msgspec.Struct):
    """A race as the hot path knows it.

    Attributes:
        id: Its number.
        team_id: The team that it belongs to.
        team_name: That team's name.
        sender: The device that its readings are stored under; None while it has none.
        is_attached: Whether the run itself says so.
        started_us: Its first instant, microseconds since 1970 UTC.
        ended_us: The first instant after it; None while it is open.
        until_s: When to look again, on the monotonic clock.
    """

    id: int
    team_id: int
    team_name: str
    sender: Sender | None
    is_attached: bool
    started_us: int
    ended_us: int | None
    until_s: float

    def holds(self, time_us: int) -> bool:
        """Whether the instant is within the race."""
        return self.started_us <= time_us and (self.ended_us is None or time_us < self.ended_us)


class RaceStore:
    """Remembers races for a few seconds; a deleted race or device is forgotten at once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._races: dict[int, Race] = {}

    async def race(self, number: int) -> Race:
        """A race by its number.

        Raises:
            NotFound: There is none.
            Unavailable: The database does not answer.
        """
        known = self._races.get(number)
        if known is not None and known.until_s > time.monotonic():
            return known
        row = await self._row(number) if 0 < number <= LARGEST_ID else None
        if row is None:
            self._races.pop(number, None)
            raise NotFound("Race not found")
        if len(self._races) >= REMEMBERED:
            self._races.clear()
        found = _race(row)
        self._races[number] = found
        return found

    async def attach(self, race: Race, sender: Sender) -> bool:
        """Say whose readings a race holds that has none yet; false when another device was faster.

        Raises:
            RaceTaken: Another run of that device is in the way.
        """
        changed = await self._change("attach_race", sender, {"race": race.id, "device": sender.device_id})
        if not changed:
            self._races.pop(race.id, None)
            return False
        race.sender, race.is_attached = sender, True
        return True

    async def stretch(self, race: Race, time_us: int) -> None:
        """Widen a race so that it holds an instant.

        Raises:
            RaceTaken: Another run of the device holds it.
        """
        if race.sender is None:
            raise Forbidden("the race has no device")
        await self._change("stretch_race", race.sender, {"race": race.id, "time_us": time_us})
        race.started_us = min(race.started_us, time_us)
        race.ended_us = None if race.ended_us is None else max(race.ended_us, time_us + 1)

    def forget(self, principal: str | None) -> None:
        """Drop what is remembered of `race:<id>` or `device:<id>`; of everything for None."""
        kind, _, number = (principal or "").partition(":")
        if kind == "race" and number.isdigit():
            self._races.pop(int(number), None)
        elif principal is None or kind == "device":
            self._races.clear()

    async def _row(self, number: int) -> dict[str, Any] | None:
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query("find_race"), {"race": number})
            return await cursor.fetchone()

    async def _change(self, name: str, sender: Sender, values: dict[str, Any]) -> bool:
        try:
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(query("lock_runs"), {"device": sender.device_id})
                return (await connection.execute(query(name), values)).rowcount > 0
        except errors.ExclusionViolation as error:
            raise RaceTaken from error


def _race(row: dict[str, Any]) -> Race:
    device = {**row, "id": row["device_id"], "contract": "racing", "counts_uptime": False}
    return Race(
        id=row["id"],
        team_id=row["team_id"],
        team_name=row["team_name"],
        sender=sender_of(device, expires_s=0.0) if device["id"] is not None and row["is_enabled"] else None,
        is_attached=row["is_attached"],
        started_us=row["started_us"],
        ended_us=row["ended_us"],
        until_s=time.monotonic() + LOOK_AGAIN_S,
    )
