"""Everything that changes how long readings are kept."""

from django.db import transaction

from releve.control.accounts import audit
from releve.control.accounts.models import Account, AuditKind
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.fleet.models import Device
from releve.control.keeping.models import Rule
from releve.control.teams.models import Team
from releve.protocol.keeping import MOST_DAYS, Days
from releve.storage import archive

FOR_EVER = "for ever"


class BadRule(Exception):
    """Readings cannot be kept like that.

    Attributes:
        field: Which part of the rule is wrong.
    """

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


def set_rule(
    *,
    team: Team,
    device: Device | None = None,
    channel: str = "",
    days: Days,
    is_archived: bool = False,
    by: Account | None = None,
    origin: Origin = COMMAND_LINE,
) -> Rule:
    """Keep the readings of a team, of one of its devices or of one of its channels for so long from now on.

    Raises:
        BadRule: There is no such number of days, or no archive can be written.
    """
    with transaction.atomic():
        rule = draft_rule(team=team, device=device, channel=channel, days=days, is_archived=is_archived)
        detail = {
            **({"channel": channel} if channel else {}),
            "raw_days": str(days.raw or FOR_EVER),
            "ladder_days": str(days.ladder or FOR_EVER),
            "archive": "yes" if is_archived else "no",
        }
        audit.record(AuditKind.KEEPING_CHANGED, origin, device, team=team, by=by, detail=detail)
    return rule


def draft_rule(*, team: Team, device: Device | None, channel: str, days: Days, is_archived: bool) -> Rule:
    """A rule that nobody has decided on, in a transaction which the caller takes back, or goes on with.

    Raises:
        BadRule: As `set_rule`.
    """
    _check(device, channel, days, is_archived=is_archived)
    said = {"raw_days": days.raw, "ladder_days": days.ladder, "is_archived": is_archived}
    return Rule.objects.update_or_create(team=team, device=device, channel=channel, defaults=said)[0]


def remove_rule(
    *,
    team: Team,
    device: Device | None = None,
    channel: str = "",
    by: Account | None = None,
    origin: Origin = COMMAND_LINE,
) -> bool:
    """Take a rule back, so that the next wider one counts, or none; whether there was one."""
    with transaction.atomic():
        was_there = drop_rule(team=team, device=device, channel=channel)
        if was_there:
            detail = {**({"channel": channel} if channel else {}), "removed": "yes"}
            audit.record(AuditKind.KEEPING_CHANGED, origin, device, team=team, by=by, detail=detail)
    return was_there


def drop_rule(*, team: Team, device: Device | None, channel: str) -> bool:
    """Take a rule away in a transaction which the caller takes back, or goes on with; whether there was one."""
    removed, _ = Rule.objects.filter(team=team, device=device, channel=channel).delete()
    return bool(removed)


def _check(device: Device | None, channel: str, days: Days, *, is_archived: bool) -> None:
    for field, each in (("raw_days", days.raw), ("ladder_days", days.ladder)):
        if each is not None and not 1 <= each <= MOST_DAYS:
            raise BadRule(f"must be 1 to {MOST_DAYS} days, or null for ever", field=field)
    if days.ladder is not None and (days.raw is None or days.ladder < days.raw):
        raise BadRule("must be as many days as the readings are kept, at least", field="ladder_days")
    if channel and device is None:
        raise BadRule("is of a device: a rule of a whole team is about all channels", field="channel")
    if is_archived and channel:
        raise BadRule("holds whole readings: ask for it in the rule of the device or of the team", field="archive")
    if is_archived and days.raw is None:
        raise BadRule("is written before readings are deleted, and these are kept for ever", field="archive")
    if is_archived and not archive.is_possible():
        raise BadRule(archive.EXTRA, field="archive")
