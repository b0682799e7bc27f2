"""Reads about how long readings are kept, and what that would delete."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet

from releve.control.accounts.models import Account
from releve.control.fleet.models import Device
from releve.control.keeping.models import Rule
from releve.control.runs.columns import instant, reader
from releve.control.teams.models import Team
from releve.control.teams.queries import teams_of
from releve.protocol import keeping
from releve.protocol.keeping import Days, Keeping
from releve.storage import forecast, retention, scan
from releve.storage.forecast import Going
from releve.storage.reader import now
from releve.storage.scan import EVER

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """Where a device's readings were deleted, or those of one channel.

    Attributes:
        channel: Which; empty for whole readings.
        since: The first instant, None for ever since.
        until: The first instant of which readings are there.
    """

    channel: str
    since: datetime | None
    until: datetime


def rules_of(account: Account) -> QuerySet[Rule]:
    """The rules of the account's teams: a team's own first, then those of its devices."""
    rules = Rule.objects.filter(team__in=teams_of(account)).select_related("team", "device")
    return rules.order_by("team__name", "device__name", "channel", "pk")


def rules_about(device: Device) -> QuerySet[Rule]:
    """What the team that owns a device says of it and of its channels, and of all its devices."""
    rules = Rule.objects.filter(Q(device=device) | Q(device=None), team=device.team).select_related("team", "device")
    return rules.order_by("device", "channel")


def in_force(rules: Iterable[Rule]) -> Keeping:
    """What rules come to for one device."""
    return Keeping.of(
        keeping.Rule(rule.device_id is not None, rule.channel, Days(rule.raw_days, rule.ladder_days), rule.is_archived)
        for rule in rules
    )


def would_go(device_id: int | None = None, team: Team | None = None) -> dict[int, Going]:
    """What the rules as they are now would delete, of devices that would lose something.

    Args:
        device_id: Of one device only.
        team: Of the devices that this team has now only.
    """
    found: dict[int, Going] = {}
    owned = None if team is None else set(Device.objects.filter(team=team).values_list("pk", flat=True))
    with reader() as own:
        kept = now(retention.stretches(own, device_id))
        now_us = now(retention.present_us(own))
        for device, stretches in sorted(kept.items()):
            if owned is None or device in owned:
                found[device] = now(forecast.forecast(own, device, stretches, now_us))
    return {device: going for device, going in found.items() if any(going)}


def deleted_of(device: Device) -> list[Deleted]:
    """Where readings of a device were deleted, as far as its team owned it then."""
    with reader() as own:
        stretches = now(scan.owned(own, device.pk, [device.team_id], EVER))
        spans = [each for stretch in stretches for each in now(retention.expired(own, device.pk, stretch))]
    return [
        Deleted(channel=channel, since=_instant(span.from_us), until=instant(span.to_us)) for channel, span in spans
    ]


def _instant(time_us: int) -> datetime | None:
    return None if time_us <= EVER.from_us else _EPOCH + timedelta(microseconds=time_us)
