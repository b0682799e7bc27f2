"""What the data plane stored, as the pages read it: keyed SQL, one device at a time, never a join into `reading`."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

from django.db import connection

from releve.control.fleet.models import Device
from releve.protocol.pace import UNITS

_SQL = {
    file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
    for file in resources.files("releve.control.pages").joinpath("sql").iterdir()
}
_LAST_PLACE = (datetime.max.replace(tzinfo=UTC), 2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One stored message of a device."""

    time: datetime
    id: int
    received: datetime
    channels: dict[str, Any]
    sent: str | None

    @property
    def travelled(self) -> timedelta:
        """From the instant it was taken to the instant it was received."""
        return self.received - self.time


@dataclass(frozen=True, kw_only=True)
class Seen:
    """When a device was last heard, and the instant of its latest reading."""

    last_seen: datetime
    last_time: datetime


@dataclass(frozen=True, kw_only=True)
class Quarantined:
    """A reading that was kept aside, with its reason and the start of its bytes."""

    id: int
    received: datetime
    transport: str
    field: str
    reason: str
    start: str
    size_bytes: int

    @property
    def is_cut(self) -> bool:
        """Only the start of the bytes is shown."""
        return len(self.start.encode()) < self.size_bytes


def last_readings(device: Device, *, limit: int, before: tuple[datetime, int] = _LAST_PLACE) -> list[Reading]:
    """The newest readings of one device before a place in its order, as far as they are its team's."""
    rows = _rows("last_readings", device=device.pk, team=device.team_id, limit=limit, time=before[0], id=before[1])
    return [
        Reading(time=time, id=id_, received=received, channels=_decoded(channels), sent=sent)
        for time, id_, received, channels, sent in rows
    ]


def open_quarantine(device: Device, *, limit: int) -> list[Quarantined]:
    """What the device sent that waits for a person's decision, newest first."""
    return [
        Quarantined(
            id=id_,
            received=received,
            transport=transport,
            field=field,
            reason=reason,
            start=bytes(start).decode(errors="replace"),
            size_bytes=size,
        )
        for id_, received, transport, field, reason, start, size in _rows(
            "open_quarantine", device=device.pk, team=device.team_id, limit=limit
        )
    ]


@dataclass(frozen=True, kw_only=True)
class StrangeText:
    """Text in a channel that held numbers, the last one."""

    channel: str
    text: str
    received: datetime


def counter_unit(device_id: int) -> str | None:
    """The unit of the device's counter: empty while it is not known, None for a device that never counted."""
    rows = _rows("counter", device=device_id)
    return UNITS.get(rows[0][0], "") if rows else None


def strange_texts(device: Device, *, limit: int) -> list[StrangeText]:
    """The channels of numbers in which text came, the latest first."""
    return [
        StrangeText(channel=channel, text=text, received=received)
        for channel, text, received in _rows("strange_texts", device=device.pk, team=device.team_id, limit=limit)
    ]


def devices_seen(device_ids: Iterable[int]) -> dict[int, Seen]:
    """When each device was last heard; a device that never sent has no entry."""
    rows = _rows("devices_seen", devices=list(device_ids))
    return {device: Seen(last_seen=seen, last_time=time) for device, seen, time in rows}


def _rows(name: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_SQL[name], values)
        return list(cursor.fetchall())


def _decoded(channels: Any) -> dict[str, Any]:
    found = json.loads(channels) if isinstance(channels, str | bytes) else channels
    return dict(found)
