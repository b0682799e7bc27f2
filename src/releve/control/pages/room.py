"""Tells every page when the disk is filling up, for the people who are signed in."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest

from releve.storage.embedded.location import cluster_of
from releve.storage.room import LOW, Room


def disk(request: HttpRequest) -> dict[str, Callable[[], Room | None]]:
    """`low_room` for templates: the fullest disk that Relevé writes to, once less than a tenth of it is free."""

    def low_room() -> Room | None:
        return fullest(settings.RELEVE.data_dir) if request.user.is_authenticated else None

    return {"low_room": low_room}


def fullest(data_dir: Path) -> Room | None:
    """The room of the data directory or the database beneath it, whichever is less, None while there is enough."""
    least = min((Room.at(place) for place in (data_dir, cluster_of(data_dir))), key=lambda room: room.free)
    return least if least.free < LOW else None
