"""Warns before the disk is full: a full disk stops every acknowledgement."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import structlog

from releve.maintenance.loop import Service
from releve.storage.room import Room

EVERY_S = 15.0
_log = structlog.get_logger()


class Disks:
    """Looks at the places that Relevé writes to on this machine.

    Args:
        places: The data directory, and the database's where it is another.
    """

    def __init__(self, places: list[Path]) -> None:
        self._places = places
        self._told: dict[str, bool] = {}
        self.rooms: list[Room] = []

    def service(self) -> Service:
        """A few times a minute, on every machine."""
        return Service(name="disk", period_s=EVERY_S, round=self.look, is_everywhere=True)

    async def look(self) -> Mapping[str, int]:
        """Do it once; a warning is logged when it begins, when it grows worse and when it is over."""
        rooms = await asyncio.to_thread(lambda: [Room.at(place) for place in self._places])
        self.rooms = list({room.place: room for room in rooms}.values())
        for room in self.rooms:
            self._tell(room)
        return {}

    def warnings(self) -> list[str]:
        """What to tell people now."""
        return [warning for room in self.rooms if (warning := room.warning()) is not None]

    def _tell(self, room: Room) -> None:
        warning = room.warning()
        if warning is None:
            if self._told.pop(room.place, None) is not None:
                _log.info("the disk has room again", place=room.place, free_bytes=room.free_bytes)
            return
        if self._told.get(room.place) == room.is_very_low:
            return
        self._told[room.place] = room.is_very_low
        write = _log.error if room.is_very_low else _log.warning
        write("disk space", reason=warning, free_bytes=room.free_bytes)
