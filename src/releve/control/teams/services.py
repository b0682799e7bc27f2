"""Everything that changes a team or who belongs to it."""

from django.db import transaction

from releve.control.accounts import audit
from releve.control.accounts.models import Account, AuditKind
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.teams.models import Membership, Role, Team

DEFAULT_TEAM = "Home"


class UnknownRole(Exception):
    """A role is one of admin, editor, viewer."""


def default_team() -> Team:
    """The team of an installation that has only one, made at the first need."""
    return Team.objects.get_or_create(name=DEFAULT_TEAM)[0]


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
