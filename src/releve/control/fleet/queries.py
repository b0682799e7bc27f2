"""Reads about devices and assets: what an account may see, and when a device was last heard."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.exceptions import PermissionDenied

from releve.control.accounts.models import Account
from releve.control.fleet.models import Asset, Device
from releve.control.readings.newest import newest
from releve.control.teams.queries import EDITORS, role_in, teams_of
from releve.protocol.instant import us_of
from releve.protocol.rhythm import JUDGED_BY, is_heard
from releve.storage.queries import query


@dataclass(frozen=True, kw_only=True)
class Heard:
    """When a reading of the device last arrived, and the latest instant that one was taken at."""

    last_seen: datetime
    last_time: datetime


@dataclass(frozen=True, kw_only=True)
class Link:
    """Whether a device is connected over MQTT, and since when it is or is not."""

    is_online: bool
    since: datetime


def devices_of(account: Account) -> QuerySet[Device]:
    """The devices of the account's teams."""
    return Device.objects.filter(team__in=teams_of(account)).select_related("team").order_by("id")


def assets_of(account: Account) -> QuerySet[Asset]:
    """The assets of the account's teams, with the devices that reported for them."""
    assets = Asset.objects.filter(team__in=teams_of(account)).select_related("team")
    return assets.prefetch_related("mounts__device").order_by("id")


def device_for(account: Account, device_id: int) -> Device:
    """One device of the account's teams.

    Raises:
        Http404: There is none, or it is another team's; which of them is not said.
    """
    device = devices_of(account).filter(pk=device_id).first()
    if device is None:
        raise Http404
    return device


def editable_device(account: Account, device_id: int) -> Device:
    """One device that the account may change.

    Raises:
        Http404: There is none, or it is another team's.
        PermissionDenied: The account only views.
    """
    device = device_for(account, device_id)
    refuse_unless(role_in(account, device.team), EDITORS)
    return device


def refuse_unless(role: str | None, roles: Collection[str]) -> None:
    """Let only these roles go on.

    Raises:
        PermissionDenied: It is another role.
    """
    if role not in roles:
        raise PermissionDenied


def last_heard(devices: Iterable[Device]) -> dict[int, Heard]:
    """When each of the devices was last heard; those never heard are missing."""
    identifiers = [device.pk for device in devices]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT device_id, last_seen, last_time FROM device_seen WHERE device_id = ANY(%s)", [identifiers]
        )
        return {row[0]: Heard(last_seen=row[1], last_time=row[2]) for row in cursor.fetchall()}


def links(devices: Iterable[Device]) -> dict[int, Link]:
    """Whether each of the devices is connected over MQTT; those that never were are missing."""
    with connection.cursor() as cursor:
        cursor.execute(query("links_of_devices"), {"devices": [device.pk for device in devices]})
        return {row[0]: Link(is_online=row[1], since=row[2]) for row in cursor.fetchall()}


def ending_tokens(account: Account) -> list[tuple[int, str, datetime, int]]:
    """Number, name, end and team of the devices in the account's teams whose token ends soon, or did lately."""
    teams = list(teams_of(account).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(query("ending_device_tokens"), {"teams": teams})
        return list(cursor.fetchall())


def list_devices() -> QuerySet[Device]:
    """Every device of the installation, by name."""
    return Device.objects.select_related("team", "owner").order_by("name")


def state(device: Device, heard: Heard | None, now: datetime) -> str:
    """One word for how the device does."""
    if not device.is_enabled:
        return "disabled"
    if heard is None:
        return "waiting"
    received_us = [row.received_us for row in newest(device.pk, limit=JUDGED_BY)]
    is_active = is_heard(received_us, last_us=us_of(heard.last_seen), now_us=us_of(now))
    return "active" if is_active else "silent"
