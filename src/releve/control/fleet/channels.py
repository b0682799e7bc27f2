"""The channels of devices as people see them: what the contract proposes, and what the team says above it."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import connection, transaction

from releve.control.accounts import audit
from releve.control.accounts.models import Account, AuditKind
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.fleet.models import ChannelDescription, Device
from releve.control.fleet.services import keep_change
from releve.control.teams.models import Team
from releve.protocol.described import ChannelKind, Description, described

FIELDS: Final = tuple(Description.__struct_fields__)
GREATEST: Final = 1e15
Channels = dict[str, Description]


class BadDescription(Exception):
    """Something cannot be said of a channel.

    Attributes:
        field: Which part of what was said, such as `temperature.scale`.
    """

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


def names_of(device: Device) -> list[str]:
    """Every channel that the device has ever sent, by name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT channel FROM channel_name WHERE device_id = %s ORDER BY channel", [device.pk])
        return [name for (name,) in cursor.fetchall()]


def describe(device: Device, names: Iterable[str], *, team: Team | None = None) -> Channels:
    """The channels of these names as a team sees them, which has the device now or had it."""
    rows = ChannelDescription.objects.filter(device=device, team=team or device.team).values("channel", *FIELDS)
    said = {row["channel"]: row for row in rows}
    return {name: _described(device.contract, name, said.get(name, {})) for name in names}


def change(
    device: Device,
    changes: Mapping[str, Mapping[str, Any]],
    *,
    by: Account | None = None,
    origin: Origin = COMMAND_LINE,
) -> None:
    """Say something of channels; None takes back what was said, so that the contract's proposal stands again.

    Raises:
        BadDescription: A channel was never sent, or what is said of it makes no sense.
    """
    known = set(names_of(device))
    for name, said in changes.items():
        if name not in known:
            raise BadDescription("the device never sent a channel of this name", field=name)
        for field, value in said.items():
            _check(f"{name}.{field}", field, value)
    with transaction.atomic():
        before = said_of(device, changes)
        for name, said in changes.items():
            ChannelDescription.objects.update_or_create(
                device=device, team=device.team, channel=name, defaults=dict(said)
            )
        after = {name: dict(said) for name, said in changes.items()}
        if before != after:
            keep_change(device, before={"channels": before}, after={"channels": after}, by=by)
        detail = {"channels": ", ".join(sorted(changes))}
        audit.record(AuditKind.DEVICE_CHANGED, origin, device, by=by, detail=detail)


def said_of(device: Device, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What was said before of each thing that is said now; None for what nobody said."""
    rows = ChannelDescription.objects.filter(device=device, team=device.team, channel__in=changes)
    known = {row["channel"]: row for row in rows.values("channel", *FIELDS)}
    return {name: {field: known.get(name, {}).get(field) for field in said} for name, said in changes.items()}


def _described(contract: str, name: str, said: Mapping[str, Any]) -> Description:
    given = {field: said.get(field) for field in FIELDS}
    kind = given["kind"]
    return described(contract, name, {**given, "kind": None if kind is None else ChannelKind(kind)})


def _check(place: str, field: str, value: Any) -> None:
    if value is None or field not in ("scale", "offset"):
        return
    if not math.isfinite(value) or abs(value) > GREATEST:
        raise BadDescription(f"must be a number up to {GREATEST:g}", field=place)
    if field == "scale" and value == 0:
        raise BadDescription("a scale of nought makes every value the same", field=place)
