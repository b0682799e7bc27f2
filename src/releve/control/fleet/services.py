"""Everything that changes a device or an asset."""

import json
import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from releve.control.accounts import audit
from releve.control.accounts.keys import pepper
from releve.control.accounts.models import Account, AuditKind
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.fleet.models import DEVICE_NAME, Asset, Device, DeviceChange, validate_zone
from releve.control.teams.models import Team
from releve.protocol import command
from releve.protocol.contract import CONTRACTS, GENERIC, PROFILOMETRE
from releve.protocol.problem import Throttled
from releve.protocol.secret import Secret
from releve.storage.queries import query

SECRET_LIMIT = 256
DELETED = "deleted:"  # begins the names of devices that wait to be gone, so that theirs is free
OWN = "person:"  # begins the names of people's own devices, in the data plane too


class DeviceProblem(Exception):
    """The device cannot be changed so; the message says why."""

    field = "name"


class BadName(DeviceProblem):
    """A device's name has letters, digits and @ . _ - : only, at most 128, and does not begin with . - or :."""


class NameTaken(DeviceProblem):
    """Another device or an account signs in by that name already."""


class UnknownContract(DeviceProblem):
    """A contract is one of gym, racing, profilometre, generic."""

    field = "contract"


class UnknownZone(DeviceProblem):
    """There is no time zone of that name."""

    field = "timezone"


class BadSecret(DeviceProblem):
    """A secret has 1 to 256 printable characters."""

    field = "secret"


class PersonsOwn(DeviceProblem):
    """A person's own device signs in as the person, and by no secret or certificate of its own."""

    field = "owner"


class ChangedSince(DeviceProblem):
    """It was changed again since, or undone already."""

    field = "change"


class ForeignAsset(DeviceProblem):
    """The asset is another team's than the device."""

    field = "asset"


class UnknownDevice(DeviceProblem):
    """No device has that name."""


def register_device(
    *,
    team: Team,
    name: str,
    contract: str = GENERIC.name,
    timezone: str | None = None,
    secret: Secret | None = None,
    by: Account | None = None,
    origin: Origin = COMMAND_LINE,
) -> tuple[Device, Secret]:
    """Add a device to the team; its secret is shown once and never again.

    Raises:
        BadName: The name has a character that it may not have, or too many.
        NameTaken: A device or an account of the installation has the name.
        UnknownContract: There is no such contract.
        UnknownZone: There is no such time zone.
        BadSecret: A chosen secret is too short or too long.
    """
    zone = timezone or settings.RELEVE.time_zone
    _check(name=name, contract=contract, timezone=zone)
    chosen = secret or Secret.new()
    device = Device(team=team, name=name, contract=contract, timezone=zone, secret_hash=_hash(chosen))
    with transaction.atomic():
        _save(device)
        audit.record(AuditKind.DEVICE_ADDED, origin, device, by=by, detail={"name": name, "contract": contract})
    return device, chosen


def change_device(
    device: Device, *, by: Account | None = None, origin: Origin = COMMAND_LINE, **changes: str
) -> Device:
    """Change a device's name, contract or time zone; what it replaces is kept, so that `undo` brings it back.

    Raises:
        DeviceProblem: As for a new device.
    """
    _check(**changes)
    before = {field: getattr(device, field) for field in changes if getattr(device, field) != changes[field]}
    for field in before:
        setattr(device, field, changes[field])
    with transaction.atomic():
        _save(device)
        if before:
            keep_change(device, before=before, after={field: changes[field] for field in before}, by=by)
        audit.record(AuditKind.DEVICE_CHANGED, origin, device, by=by, detail=changes)
    return device


def mount_device(
    device: Device, *, asset: Asset | None, by: Account | None = None, origin: Origin = COMMAND_LINE
) -> None:
    """Say what the device is mounted on, and on nothing else; readings that name a machine go on mounting it there.

    Raises:
        ForeignAsset: The asset is another team's.
    """
    if asset is not None and asset.team_id != device.team_id:
        raise ForeignAsset(ForeignAsset.__doc__)
    with transaction.atomic():
        before = sorted(device.mounts.values_list("asset_id", flat=True))
        after = [] if asset is None else [asset.pk]
        if before == after:
            return
        put_on(device, after)
        keep_change(device, before={"assets": before}, after={"assets": after}, by=by)
        detail = {"mounted on": "" if asset is None else asset.name}
        audit.record(AuditKind.DEVICE_CHANGED, origin, device, by=by, detail=detail)


def put_on(device: Device, assets: list[int]) -> None:
    """Mount the device on those of the assets that there still are."""
    device.mounts.exclude(asset__in=assets).delete()
    for asset in Asset.objects.filter(pk__in=assets, team=device.team_id):
        device.mounts.get_or_create(asset=asset)


def put_back(device: Device, fields: dict[str, str]) -> None:
    """Give a device what it had before a change, by the rules that hold for every change.

    Raises:
        DeviceProblem: It is not possible any more.
    """
    _check(**fields)
    for field, value in fields.items():
        setattr(device, field, value)
    _save(device)


def keep_change(device: Device, *, before: dict[str, Any], after: dict[str, Any], by: Account | None) -> None:
    """Keep what a change replaced."""
    DeviceChange.objects.create(device=device, team=device.team, by=by, before=before, after=after)


def rename_asset(asset: Asset, *, name: str, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Asset:
    """Call a machine, a vehicle or a profilometre something else."""
    detail = {"asset": str(asset.pk), "name": name, "before": asset.name}
    asset.name = name
    with transaction.atomic():
        asset.save(update_fields=["name"])
        audit.record(AuditKind.ASSET_CHANGED, origin, None, team=asset.team, by=by, detail=detail)
    return asset


def delete_asset(asset: Asset, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> None:
    """Delete an asset; its devices and their readings stay."""
    detail = {"asset": str(asset.pk), "name": asset.name}
    with transaction.atomic():
        audit.record(AuditKind.ASSET_DELETED, origin, None, team=asset.team, by=by, detail=detail)
        asset.delete()


def device_by_name(name: str) -> Device:
    """Find a device.

    Raises:
        UnknownDevice: There is none.
    """
    device = Device.objects.select_related("team").filter(name=name).first()
    if device is None:
        raise UnknownDevice(f"no device is called {name}")
    return device


def disable_device(device: Device, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Device:
    """Refuse the device everywhere; the database revokes its sign-ins and tells every worker."""
    return _set_enabled(device, AuditKind.DEVICE_DISABLED, by=by, origin=origin)


def enable_device(device: Device, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Device:
    """Let the device sign in again; what was revoked stays revoked."""
    return _set_enabled(device, AuditKind.DEVICE_ENABLED, by=by, origin=origin)


def new_secret(
    device: Device,
    secret: Secret | None = None,
    *,
    by: Account | None = None,
    origin: Origin = COMMAND_LINE,
) -> Secret:
    """Replace the device's secret; every earlier sign-in is revoked.

    Raises:
        PersonsOwn: The device is a person's own.
        BadSecret: A chosen secret is too short or too long.
    """
    if device.owner_id is not None:
        raise PersonsOwn(PersonsOwn.__doc__)
    chosen = secret or Secret.new()
    device.secret_hash = _hash(chosen)
    with transaction.atomic():
        device.save(update_fields=["secret_hash"])
        audit.record(AuditKind.SECRET_REPLACED, origin, device, by=by)
    return chosen


def own_device(account: Account, team: Team) -> Device:
    """The device that a person's own readings go to, made at the first need; it has no secret.

    The data plane makes the first one itself, under the same name, when a person sends before asking.
    """
    name = f"{OWN}{account.pk}"
    is_second = Device.objects.filter(name=name).exclude(team=team).exists()
    return Device.objects.get_or_create(
        owner=account,
        team=team,
        defaults={
            "name": f"{name}:{team.pk}" if is_second else name,
            "contract": PROFILOMETRE.name,
            "timezone": settings.RELEVE.time_zone,
        },
    )[0]


def send_text(device: Device, *, topic: str, text: str, expires_s: int, by: Account) -> None:
    """Put plain text for a car into its queue; it arrives on the topic as it stands.

    Raises:
        Throttled: The device has not fetched very many commands.
    """
    wanted = command.of({"topic": topic, "text": text, "expires_s": expires_s}, contract=device.contract)
    values = {
        "device": device.pk, "topic": wanted.topic, "body": json.dumps(wanted.body), "by": by.email,
        "expires_s": wanted.expires_s,
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(query("count_waiting_commands"), {"device": device.pk})
        if cursor.fetchone()[0] >= command.MOST_WAITING:
            raise Throttled
        cursor.execute(query("add_command"), values)


def _check(*, name: str | None = None, contract: str | None = None, timezone: str | None = None) -> None:
    if name is not None and (not re.fullmatch(DEVICE_NAME, name) or name.startswith((".", "-", ":"))):
        raise BadName(BadName.__doc__)
    if name is not None and name.startswith(OWN):
        raise BadName(f"names that begin with {OWN} are kept for people's own devices")
    if name is not None and name.startswith(DELETED):
        raise BadName(f"names that begin with {DELETED} are kept for devices that were deleted")
    if contract is not None and contract not in CONTRACTS:
        raise UnknownContract(f"{contract!r} is not one of {', '.join(CONTRACTS)}")
    try:
        if timezone is not None:
            validate_zone(timezone)
    except ValidationError as error:
        raise UnknownZone(error.message) from error


def _hash(secret: Secret) -> str:
    if not 1 <= len(secret.text) <= SECRET_LIMIT or not secret.text.isprintable():
        raise BadSecret(BadSecret.__doc__)
    return secret.hash(pepper())


def _save(device: Device) -> None:
    try:
        with transaction.atomic():
            device.save()
    except IntegrityError as error:
        raise NameTaken(f"{device.name} is taken by another device or an account") from error


def _set_enabled(device: Device, kind: AuditKind, *, by: Account | None, origin: Origin) -> Device:
    device.is_enabled = kind == AuditKind.DEVICE_ENABLED
    with transaction.atomic():
        device.save(update_fields=["is_enabled"])
        audit.record(kind, origin, device, by=by)
    return device
