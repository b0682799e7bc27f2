"""A device that another team takes over: each team reads its own side, and nothing of the old one's goes along."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from releve.control.accounts import audit
from releve.control.accounts.models import Account, AuditKind
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.fleet.models import Device
from releve.control.fleet.services import OWN, DeviceProblem
from releve.control.runs.edit import change
from releve.control.runs.lock import lock_device
from releve.control.runs.models import Exclusion, Run
from releve.control.runs.owner import owners_of
from releve.control.teams.models import Team
from releve.storage.queries import query

OWN_OF_VEHICLES = "vehicle:"


class NotMovable(DeviceProblem):
    """A person's or a vehicle's own device stays with its team."""

    field = "team"


def is_movable(device: Device) -> bool:
    """Whether it may go to another team."""
    return device.owner_id is None and not device.name.startswith((OWN, OWN_OF_VEHICLES))


def move_device(device: Device, *, team: Team, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Device:
    """Give a device to another team, from this instant on.

    The old team's runs of it end then, its commands that wait are cancelled and its configuration is dropped. The old
    team goes on reading what the device sent before, the new one reads what it sends from now on. Its sign-ins stay.

    Raises:
        NotMovable: It is a person's or a vehicle's own device.
    """
    if not is_movable(device) and team != device.team:
        raise NotMovable(str(NotMovable.__doc__))
    with transaction.atomic():
        lock_device(device.pk)
        held = Device.objects.select_for_update().select_related("team").get(pk=device.pk)
        before = held.team
        if before != team:
            _leave(held, before, team, by=by, origin=origin)
    device.refresh_from_db()
    return device


def _leave(device: Device, before: Team, team: Team, *, by: Account | None, origin: Origin) -> None:
    device.team = team
    device.save(update_fields=["team"])  # the database notes who owned it until when, and tells every worker
    instant = owners_of(device)[-1].since
    _cut_exclusions(device, instant)
    for run in _going_on(device, instant):
        with change.changing("leave", run.team, by=by, origin=origin) as draft:
            held = draft.take(run)
            held.ended_at, held.rule_since = max(instant, held.started_at), None
    with connection.cursor() as cursor:
        cursor.execute(query("leave_team"), {"device": device.pk})
    detail = {"name": device.name, "from": before.name, "to": team.name}
    for side in (before, team):
        audit.record(AuditKind.DEVICE_CHANGED, origin, device, team=side, by=by, detail=detail)


def _going_on(device: Device, instant: datetime) -> list[Run]:
    found = Run.objects.filter(Q(ended_at=None) | Q(ended_at__gt=instant), device=device, deleted_at=None)
    return list(found.select_related("team").order_by("id"))


def _cut_exclusions(device: Device, instant: datetime) -> None:
    """What the old team left out says nothing of what the new one reads."""
    standing = Exclusion.objects.filter(device=device, undone_at=None, until__gt=instant)
    standing.filter(since__gte=instant).update(undone_at=instant)
    standing.filter(since__lt=instant).update(until=instant)
