"""Whose a device was, and when: what is cut from its readings belongs to the team that owned it then."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection

from releve.control.fleet.models import Device
from releve.control.runs.columns import FAR
from releve.storage.queries import query

EVER = datetime(1, 1, 1, tzinfo=UTC)


class Owner(NamedTuple):
    """A team, and the time in which it owned the device: from `since` up to, not including, `until`."""

    team_id: int
    since: datetime
    until: datetime


def owners_of(device: Device) -> list[Owner]:
    """Everybody who ever owned the device, in order; the last does now."""
    with connection.cursor() as cursor:
        cursor.execute(query("owners_of_device"), {"device": device.pk})
        return [Owner(team, since or EVER, until or FAR) for team, since, until in cursor.fetchall()]


def owned(owners: Sequence[Owner], team_id: int, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """The pieces of a span in which that team owned it."""
    pieces = [(max(since, owner.since), min(until, owner.until)) for owner in owners if owner.team_id == team_id]
    return [(first, last) for first, last in pieces if first < last]
