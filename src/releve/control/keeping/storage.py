"""Reads about the room that a team's readings take, and when the disk is full."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.utils import timezone

from releve.control.accounts.models import Account
from releve.control.fleet.models import Device
from releve.control.runs.columns import reader
from releve.control.teams.queries import teams_of
from releve.storage import budget
from releve.storage.budget import Day, Taken
from releve.storage.embedded.location import cluster_of
from releve.storage.reader import now
from releve.storage.room import Room


@dataclass(frozen=True, kw_only=True)
class Disk:
    """The disk of the database.

    Attributes:
        free_bytes: What may still be written.
        total_bytes: The whole.
        bytes_a_day: What the whole installation grows by.
        full_on: The day on which it is full at that rate; None when that is not foreseen.
        is_soon: Whether that is within a month.
    """

    free_bytes: int
    total_bytes: int
    bytes_a_day: int
    full_on: date | None
    is_soon: bool


@dataclass(frozen=True, kw_only=True)
class Storage:
    """What the devices of an account's teams take.

    Attributes:
        devices: By their numbers.
        names: Their names.
        days: What their readings of the last days take.
        disk: The disk; None where it is another machine's.
    """

    devices: list[Taken]
    names: dict[int, str]
    days: list[Day]
    disk: Disk | None


def storage_of(account: Account, *, team: int | None = None) -> Storage:
    """What the devices of the account's teams take, or those of one of them."""
    teams = teams_of(account) if team is None else teams_of(account).filter(pk=team)
    names = dict(Device.objects.filter(team__in=teams).values_list("pk", "name"))
    with reader() as own:
        every = now(budget.taken(own))
        days = now(budget.by_day(own, names))
    return Storage(
        devices=[each for each in every if each.device_id in names],
        names=names,
        days=days,
        disk=_disk(sum(each.bytes_a_day for each in every)),
    )


def _disk(bytes_a_day: int) -> Disk | None:
    place = cluster_of(settings.RELEVE.data_dir)
    if not place.exists():
        return None
    room = Room.at(place)
    left = budget.days_left(room.free_bytes, bytes_a_day)
    return Disk(
        free_bytes=room.free_bytes,
        total_bytes=room.total_bytes,
        bytes_a_day=bytes_a_day,
        full_on=None if left is None else (timezone.now() + timedelta(days=left)).date(),
        is_soon=left is not None and left < budget.AHEAD_DAYS,
    )
