"""What the data plane stored, as the pages read it: keyed SQL, one device at a time, never a join into `reading`."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

from django.db import connection

from releve.control.fleet.models import Device
from releve.control.readings.newest import newest
from releve.protocol.instant import us_of
from releve.protocol.pace import UNITS

_SQL = {
    file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
    for file in resources.files("releve.control.pages").joinpath("sql").iterdir()
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


def last_readings(device: Device, *, limit: int, before: tuple[datetime, int] | None = None) -> list[Reading]:
    """The newest readings of one device before a place in its order, as far as they are its team's."""
    place = None if before is None else (us_of(before[0]), before[1])
    return [
        Reading(
            time=_instant(row.time_us),
            id=row.id,
            received=_instant(row.received_us),
            channels=json.loads(row.channels),
            sent=row.sent,
        )
        for row in newest(device.pk, limit=limit, team=device.team_id, before=place)
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


def quarantined_of(device_ids: Iterable[int]) -> dict[int, int]:
    """How many messages of each device wait for a person's decision; a device without any has no entry."""
    return dict(_rows("quarantined_of", devices=list(device_ids)))


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


def _instant(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_us)
