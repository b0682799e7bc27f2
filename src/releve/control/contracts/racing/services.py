"""Everything that contract B changes: vehicles with a device of their own, and races."""

import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from releve.control.accounts.models import Account
from releve.control.accounts.origin import Origin
from releve.control.fleet.models import Asset, Device, Mount
from releve.control.fleet.services import NameTaken, delete_asset, disable_device, register_device
from releve.control.runs.cut.car import VEHICLE
from releve.control.runs.edit import services as runs
from releve.control.runs.models import Kind, Run
from releve.control.teams.models import Team
from releve.protocol.contract import RACING

OWN = "vehicle:"  # begins the names of vehicles' own devices, in the data plane too


def add_vehicle(*, team: Team, name: str, by: Account | None, origin: Origin) -> Asset:
    """Add a vehicle, with the device that its HTTP sensor data is stored under."""
    with transaction.atomic():
        vehicle = Asset.objects.create(team=team, kind=VEHICLE, name=name)
        own_device(vehicle, by=by, origin=origin)
    return vehicle


def own_device(vehicle: Asset, *, by: Account | None, origin: Origin) -> Device:
    """The vehicle's own device, made when it has none; nobody knows its secret until one is asked for."""
    mounts = Mount.objects.filter(asset=vehicle, device__name__startswith=OWN, device__contract=RACING.name)
    known = mounts.select_related("device").order_by("id").first()
    if known is not None:
        return known.device
    with transaction.atomic():
        try:
            device = _register(vehicle, f"{OWN}{vehicle.pk}", by=by, origin=origin)
        except NameTaken:  # somebody has called a device so
            device = _register(vehicle, f"{OWN}{vehicle.pk}:{secrets.token_hex(4)}", by=by, origin=origin)
        Mount.objects.create(asset=vehicle, device=device)
    return device


def delete_vehicle(vehicle: Asset, *, by: Account | None, origin: Origin) -> None:
    """Delete a vehicle and its races, each of which can be undone; its own device is disabled, its readings stay."""
    with transaction.atomic():
        for race in Run.objects.filter(asset=vehicle, kind=Kind.RACE, deleted_at=None).order_by("id"):
            delete_race(race, by=by, origin=origin)
        for mount in vehicle.mounts.filter(device__name__startswith=OWN).select_related("device"):
            disable_device(mount.device, by=by, origin=origin)
        delete_asset(vehicle, by=by, origin=origin)


def add_race(vehicle: Asset, *, name: str, by: Account | None, origin: Origin) -> Run:
    """Open a race; its device is the one that sends the first reading."""
    with transaction.atomic():
        own_device(vehicle, by=by, origin=origin)
        return runs.open_race(
            team=vehicle.team,
            device=None,
            asset=vehicle,
            name=name,
            started_at=timezone.now(),
            by=by,
            origin=origin,
        )


def change_race(race: Run, *, name: str, vehicle: Asset | None, by: Account | None, origin: Origin) -> Run:
    """Rename a race, and say which vehicle drove it."""
    with transaction.atomic():
        if vehicle is not None and vehicle.pk != race.asset_id:
            race = runs.assign(race, asset=vehicle, by=by, origin=origin)
        if name != race.name:
            race = runs.rename(race, name=name, by=by, origin=origin)
    return race


def delete_race(race: Run, *, by: Account | None, origin: Origin) -> None:
    """Delete a race, which can be undone; every worker forgets it."""
    runs.delete(race, by=by, origin=origin)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('releve_revocation', %s)", [f"race:{race.pk}"])


def correct(race: Run, values: dict[str, Any], *, by: Account | None, origin: Origin) -> None:
    """Keep statistics that a person set; they win over the computed ones until they are deleted."""
    kept = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
    runs.correct_by_hand(race, kept, by=by, origin=origin)


def release(race: Run, *, by: Account | None, origin: Origin) -> None:
    """Show the computed statistics again."""
    runs.release_hand_values(race, by=by, origin=origin)


def _register(vehicle: Asset, name: str, *, by: Account | None, origin: Origin) -> Device:
    zone = settings.RELEVE.time_zone
    return register_device(team=vehicle.team, name=name, contract=RACING.name, timezone=zone, by=by, origin=origin)[0]
