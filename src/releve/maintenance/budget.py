"""Foresees when the disk of the database is full, and says so a month before."""

from collections.abc import Mapping
from pathlib import Path

import structlog

from releve.maintenance.loop import Service
from releve.storage import budget
from releve.storage.pool import Pool
from releve.storage.room import Room

EVERY_S = 3600.0
AFTER_S = 20.0
_log = structlog.get_logger()


class Budget:
    """Looks at the rate at which history grows.

    Args:
        pool: Lends connections.
        place: Where the database is; None where that is not seen from here.

    Attributes:
        bytes_a_day: The rate; None before the first look.
        days_left: Until the disk is full; None when that is not foreseen.
    """

    def __init__(self, pool: Pool, *, place: Path | None) -> None:
        self._pool = pool
        self._place = place
        self._told = ""
        self.bytes_a_day: int | None = None
        self.days_left: float | None = None

    def service(self) -> Service:
        """Once an hour."""
        return Service(name="budget", period_s=EVERY_S, round=self.look, after_s=AFTER_S)

    async def look(self) -> Mapping[str, int]:
        """Do it once; a warning is logged when it begins and when it is over.

        Raises:
            Unavailable: The database does not answer.
        """
        self.bytes_a_day = sum(each.bytes_a_day for each in await budget.taken(self._pool))
        if self._place is None:
            return {}
        room = Room.at(self._place)
        self.days_left = budget.days_left(room.free_bytes, self.bytes_a_day)
        said = budget.warning(room.place, room.free_bytes, self.bytes_a_day) or ""
        if bool(said) != bool(self._told):
            write, words = (_log.warning, said) if said else (_log.info, "it is long until the disk is full")
            write("disk budget", reason=words, bytes_a_day=self.bytes_a_day, free_bytes=room.free_bytes)
        self._told = said
        return {}

    def warnings(self) -> list[str]:
        """What to tell people now."""
        return [self._told] if self._told else []
