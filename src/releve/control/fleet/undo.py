"""Takes back what a person changed of a device, as long as it is still as that change left it."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from releve.control.accounts import audit
from releve.control.accounts.models import Account, AuditKind
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.fleet import channels, services
from releve.control.fleet.models import ChannelDescription, Device, DeviceChange
from releve.control.fleet.services import ChangedSince

LISTED = 100


def changes_of(device: Device) -> QuerySet[DeviceChange]:
    """What the device's present team changed of it, the newest first."""
    changes = DeviceChange.objects.filter(device=device, team=device.team_id)
    return changes.select_related("by").order_by("-id")


def undo(change: DeviceChange, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Device:
    """Put back what the change replaced.

    Raises:
        ChangedSince: Something that it changed was changed again, or it was undone already.
        DeviceProblem: What it replaced is not possible any more, such as a name that another device has now.
    """
    with transaction.atomic():
        held = DeviceChange.objects.select_for_update().get(pk=change.pk)
        device = Device.objects.select_for_update().get(pk=held.device_id)
        if held.undone_at is not None or _now(device, held.after) != held.after:
            raise ChangedSince(ChangedSince.__doc__)
        _put_back(device, held.before)
        held.undone_at = now()
        held.save(update_fields=["undone_at"])
        detail = {"undone": ", ".join(held.after)}
        audit.record(AuditKind.DEVICE_CHANGED, origin, device, by=by, detail=detail)
    return device


def _now(device: Device, after: dict[str, Any]) -> dict[str, Any]:
    """How what a change changed stands now."""
    return {field: _member(device, field, value) for field, value in after.items()}


def _member(device: Device, field: str, value: Any) -> Any:
    if field == "assets":
        return sorted(device.mounts.values_list("asset_id", flat=True))
    if field == "channels":
        return channels.said_of(device, value)
    return getattr(device, field)


def _put_back(device: Device, before: dict[str, Any]) -> None:
    fields = dict(before)
    if "assets" in fields:
        services.put_on(device, fields.pop("assets"))
    for name, said in fields.pop("channels", {}).items():
        ChannelDescription.objects.filter(device=device, team=device.team, channel=name).update(**said)
    if fields:
        services.put_back(device, fields)
