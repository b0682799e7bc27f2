"""A device that is deleted, with all that it sent: it may be brought back for a day, and then goes in small steps.

One rule: with a device goes everything that it sent and all that was made of it, its readings, runs and quarantine;
what stays is the audit, and what it was mounted on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.utils.timezone import now

from releve.control.accounts import audit
from releve.control.accounts.models import Account, AuditKind
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.fleet.models import Device
from releve.control.fleet.services import DELETED, DeviceProblem, put_back
from releve.control.runs.edit.moving import is_movable
from releve.control.runs.lock import lock_device
from releve.control.runs.models import Change, Run
from releve.control.runs.owner import owners_of
from releve.storage.queries import query

KEPT = timedelta(days=1)  # that a deleted device can be brought back
AT_ONCE = 5_000  # rows a statement, so that none holds its locks for long
SEGMENTS_AT_ONCE = 8  # of up to 40,960 readings each
RUNS_AT_ONCE = 200
_STEPS = (
    ("forget_fresh", AT_ONCE),
    ("forget_old", AT_ONCE),
    ("forget_segments", SEGMENTS_AT_ONCE),
    ("forget_ladders", AT_ONCE),
    ("forget_receipts", AT_ONCE),
    ("forget_quarantine", AT_ONCE),
)


class NotDeletable(DeviceProblem):
    """A person's or a vehicle's own device stays with its owner."""

    field = "device"


class OthersReadings(DeviceProblem):
    """Another team had the device and reads what it sent then; disable it instead."""

    field = "device"


@dataclass(frozen=True, kw_only=True)
class Lost:
    """What goes with a device."""

    readings: int
    runs: int
    quarantined: int


def lost_with(device: Device) -> Lost:
    """What goes with a device if it is deleted."""
    with connection.cursor() as cursor:
        cursor.execute(query("count_what_goes"), {"device": device.pk})
        readings, quarantined = cursor.fetchone()
    runs = Run.objects.filter(device=device, deleted_at=None).count()
    return Lost(readings=readings, runs=runs, quarantined=quarantined)


def obstacle(device: Device) -> DeviceProblem | None:
    """Why the device cannot be deleted; None where it can."""
    if not is_movable(device):
        return NotDeletable(NotDeletable.__doc__)
    if any(owner.team_id != device.team_id for owner in owners_of(device)):
        return OthersReadings(OthersReadings.__doc__)
    return None


def delete_device(device: Device, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> None:
    """Refuse the device everywhere and hide it with all that it sent, which goes for good after a day.

    Its name is free at once.

    Raises:
        NotDeletable: It is a person's or a vehicle's own.
        OthersReadings: Another team has readings of it.
    """
    problem = obstacle(device)
    if problem is not None:
        raise problem
    with transaction.atomic():
        lock_device(device.pk)
        audit.record(AuditKind.DEVICE_DELETED, origin, device, by=by, detail={"name": device.name})
        device.deleted_name, device.name = device.name, f"{DELETED}{device.pk}"
        device.deleted_at, device.is_enabled = now(), False
        device.save(update_fields=["deleted_name", "name", "deleted_at", "is_enabled"])


def bring_back(device: Device, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Device:
    """Let a deleted device be there again with all that it sent; its sign-ins stay ended, its secret is as it was.

    Raises:
        NameTaken: Another one is called so by now.
    """
    with transaction.atomic():
        held = Device.with_deleted.select_for_update().get(pk=device.pk)
        name = held.deleted_name
        held.deleted_name, held.deleted_at, held.is_enabled = "", None, True
        put_back(held, {"name": name})
        audit.record(AuditKind.DEVICE_BROUGHT_BACK, origin, held, by=by, detail={"name": name})
    return held


def deleted_of(teams: object) -> QuerySet[Device]:
    """The deleted devices of these teams that can be brought back, the last one first."""
    deleted = Device.with_deleted.exclude(deleted_at=None).filter(deleted_at__gt=now() - KEPT, team__in=teams)
    return deleted.select_related("team").order_by("-deleted_at")


def forget_deleted(at: datetime) -> Mapping[str, int]:
    """Take away what devices left that were deleted more than a day before; how many rows of what."""
    counts: dict[str, int] = {}
    for device in Device.with_deleted.filter(deleted_at__lt=at - KEPT).order_by("deleted_at"):
        for what, count in _forget(device):
            counts[what] = counts.get(what, 0) + count
    return counts


def _forget(device: Device) -> Iterator[tuple[str, int]]:
    yield "runs", _forget_runs(device)
    for name, limit in _STEPS:
        yield name, _repeat(name, device, limit)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(query("forget_rest"), {"device": device.pk})
        device.delete()  # its sign-ins, descriptions, mounts and exclusions go along; the audit stays without it
    yield "devices", 1


def _repeat(name: str, device: Device, limit: int) -> int:
    """Execute a statement until it finds nothing more; each time is a transaction of its own."""
    total = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(query("lock_history"), {"devices": [device.pk]})
            cursor.execute(query(name), {"device": device.pk, "limit": limit})
            count = int(cursor.fetchone()[0])
        total += count
        if not count:
            return total


def _forget_runs(device: Device) -> int:
    total = 0
    while True:
        with transaction.atomic():
            lock_device(device.pk)
            some = list(Run.objects.filter(device=device).order_by("pk").values_list("pk", flat=True)[:RUNS_AT_ONCE])
            changes = list(Change.objects.filter(runs__in=some).values_list("pk", flat=True).distinct())
            Run.objects.filter(pk__in=some).delete()
            alone = Change.objects.filter(pk__in=changes).annotate(left=Count("runs")).filter(left=0)
            Change.objects.filter(pk__in=list(alone.values_list("pk", flat=True))).delete()
        total += len(some)
        if not some:
            return total
