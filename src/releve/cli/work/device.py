"""What the device commands do, through the services that the pages and the API use too."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.db import connection, transaction
from django.utils.timezone import now

from releve.cli.option import Refusal
from releve.cli.work.team import team_called
from releve.control.accounts import sign_in
from releve.control.accounts.origin import COMMAND_LINE
from releve.control.fleet import services
from releve.control.fleet.certificate import every_certificate
from releve.control.fleet.models import Asset, Device
from releve.control.fleet.undo import changes_of
from releve.control.fleet.undo import undo as undo_change
from releve.control.runs.edit import deleting, moving
from releve.control.teams.models import Team
from releve.protocol.secret import Secret


def add(*, name: str, contract: str, timezone: str | None, team: str | None, secret: str | None) -> dict[str, Any]:
    """Add a device; its secret is shown this once."""
    with _refusing(), transaction.atomic():
        device, chosen = services.register_device(
            team=team_called(team),
            name=name,
            contract=contract,
            timezone=timezone,
            secret=Secret(secret) if secret else None,
        )
    return {**_row(device, None), "secret": chosen.text}


def rows() -> list[dict[str, Any]]:
    """Every device, by name, with when it was last heard."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT device_id, last_seen FROM device_seen")
        seen = dict(cursor.fetchall())
    devices = Device.objects.select_related("team").order_by("name")
    return [_row(device, seen.get(device.pk)) for device in devices]


def certificates() -> list[dict[str, Any]]:
    """Every client certificate that is known, newest first."""
    return [asdict(row) | {"device": name} for name, row in every_certificate()]


def disable(name: str) -> dict[str, Any]:
    """Refuse a device everywhere, at once."""
    with _refusing():
        return _row(services.disable_device(services.device_by_name(name)), None)


def enable(name: str) -> dict[str, Any]:
    """Let a device sign in again."""
    with _refusing():
        return _row(services.enable_device(services.device_by_name(name)), None)


def new_secret(name: str, secret: str | None) -> dict[str, Any]:
    """Replace a device's secret; every earlier sign-in ends."""
    with _refusing():
        device = services.device_by_name(name)
        chosen = services.new_secret(device, Secret(secret) if secret else None)
    return {**_row(device, None), "secret": chosen.text}


def change(name: str, *, team: str | None, asset: int | None, said: dict[str, str]) -> dict[str, Any]:
    """Change the fields that something is said of, its team, and what it is mounted on; 0 is nothing."""
    with _refusing(), transaction.atomic():
        device = services.device_by_name(name)
        if said:
            services.change_device(device, by=None, origin=COMMAND_LINE, **said)
        if team is not None:
            device = moving.move_device(device, team=_known_team(team))
        if asset is not None:
            services.mount_device(device, asset=_asset(asset) if asset else None)
    return _row(device, None)


def undo(name: str) -> dict[str, Any]:
    """Take back the last change of a device that still stands."""
    with _refusing():
        last = changes_of(services.device_by_name(name)).filter(undone_at=None).first()
        if last is None:
            raise Refusal(f"nothing that was changed of {name} is left to undo")
        return _row(undo_change(last), None)


def lost_with(name: str) -> dict[str, Any]:
    """What goes with a device if it is deleted."""
    with _refusing():
        return asdict(deleting.lost_with(services.device_by_name(name)))


def delete(name: str) -> dict[str, Any]:
    """Delete a device; for a day it can be brought back."""
    with _refusing():
        device = services.device_by_name(name)
        row = _row(device, None)
        deleting.delete_device(device)
    return row


def restore(name: str) -> dict[str, Any]:
    """Bring a deleted device back."""
    device = deleting.deleted_of(Team.objects.all()).filter(deleted_name=name).first()
    if device is None:
        raise Refusal(f"no device that was called {name} was deleted within the last day")
    with _refusing():
        return _row(deleting.bring_back(device), None)


def _known_team(name: str) -> Team:
    team = Team.objects.filter(name=name).first()
    if team is None:
        raise Refusal(f"no team is called {name}")
    return team


def _asset(number: int) -> Asset:
    asset = Asset.objects.filter(pk=number).first()
    if asset is None:
        raise Refusal(f"there is no asset {number}")
    return asset


@contextmanager
def signed_in(name: str) -> Iterator[str]:
    """An access token of the device for a moment; the sign-in is kept in its row, and ended afterwards."""
    with _refusing():
        device = services.device_by_name(name)
    if not device.is_enabled:
        raise Refusal(f"{name} is disabled; `releve device enable {name}` lets it send again")
    began_at = now()
    row = sign_in.start(device, COMMAND_LINE, began_at)
    try:
        yield sign_in.access_token(row, began_at)
    finally:
        sign_in.revoke(row, "signed out", COMMAND_LINE, now())


def simulators(names: list[str], *, contract: str, timezone: str) -> list[dict[str, Any]]:
    """The devices of a simulation, made when missing and enabled, each with a new secret."""
    found = {device.name for device in Device.objects.filter(name__in=names)}
    made = [_simulator(name, contract=contract, timezone=timezone) for name in names if name not in found]
    for name in found:
        enable(name)
    return made + [new_secret(name, None) for name in names if name in found]


def _simulator(name: str, *, contract: str, timezone: str) -> dict[str, Any]:
    return add(name=name, contract=contract, timezone=timezone, team=None, secret=None)


def _row(device: Device, last_seen: Any) -> dict[str, Any]:
    return {
        "id": device.pk,
        "name": device.name,
        "contract": device.contract,
        "timezone": device.timezone,
        "team": device.team.name,
        "is_enabled": device.is_enabled,
        "created_at": device.created_at.isoformat(),
        "last_seen": last_seen.isoformat() if last_seen else None,
    }


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except services.DeviceProblem as error:
        raise Refusal(str(error) or error.__doc__ or "the device was refused") from error
