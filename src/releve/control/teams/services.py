"""Everything that changes a team or who belongs to it."""

from django.db import transaction

from releve.control.accounts import audit
from releve.control.accounts.models import Account, AuditKind
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.teams.models import Membership, Role, Team
from releve.protocol.nobody import DEFAULT_TEAM

NAME_LIMIT = 128


class UnknownRole(Exception):
    """A role is one of admin, editor, viewer."""


class BadTeamName(Exception):
    """A team's name has 1 to 128 printable characters."""


def default_team() -> Team:
    """The team of an installation that has only one, made at the first need."""
    return Team.objects.get_or_create(name=DEFAULT_TEAM)[0]


def team_called(name: str, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Team:
    """The team of that name, made when there is none.

    Raises:
        BadTeamName: No team can have that name.
    """
    if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable():
        raise BadTeamName(f"a team's name has 1 to {NAME_LIMIT} printable characters")
    with transaction.atomic():
        team, is_new = Team.objects.get_or_create(name=name.strip())
        if is_new:
            audit.record(AuditKind.TEAM_ADDED, origin, None, team=team, by=by, detail={"name": team.name})
    return team


def give_role(
    *, account: Account, team: Team, role: str, by: Account | None = None, origin: Origin = COMMAND_LINE
) -> Membership:
    """Make the account a member with that role, and no other.

    Raises:
        UnknownRole: There is no such role.
    """
    if role not in Role.values:
        raise UnknownRole(f"{role!r} is not one of {', '.join(Role.values)}")
    with transaction.atomic():
        membership, _ = Membership.objects.update_or_create(team=team, account=account, defaults={"role": role})
        audit.record(AuditKind.ROLE_GIVEN, origin, account, team=team, by=by, detail={"role": role})
    return membership
