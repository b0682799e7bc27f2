"""Reads about teams, and what an account may do in them."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from releve.control.accounts.models import Account, AuditEvent, AuditKind
from releve.control.teams.models import Membership, Role, Team
from releve.protocol import sender

READERS, EDITORS = sender.READERS, sender.EDITORS
ADMINISTRATORS = frozenset({Role.ADMIN.value})


def teams_of(account: Account, roles: Collection[str] = READERS) -> QuerySet[Team]:
    """The teams in which the account has one of the roles; being a superuser opens the admin site, not a team."""
    return Team.objects.filter(memberships__account=account, memberships__role__in=roles).order_by("name")


def role_in(account: Account, team: Team) -> str | None:
    """The account's role in a team."""
    return team.memberships.filter(account=account).values_list("role", flat=True).first()


def memberships_of(account: Account) -> QuerySet[Membership]:
    """The account's memberships, by the team's name."""
    return Membership.objects.filter(account=account).select_related("team").order_by("team__name")


def events_of(teams: QuerySet[Team]) -> QuerySet[AuditEvent]:
    """What happened in those teams, to their devices, and the security alerts of their members."""
    alerts = Q(Exists(_memberships_at_alert(teams)), is_alert=True, team=None)
    return AuditEvent.objects.filter(Q(team__in=teams) | alerts)


def _memberships_at_alert(teams: QuerySet[Team]) -> QuerySet[Membership]:
    """For one alert of a person: the memberships that began before it; what was before is no affair of the team's."""
    given = AuditEvent.objects.filter(
        kind=AuditKind.ROLE_GIVEN, team=OuterRef("team"), account=OuterRef("account")
    )  # pruned one day, and then every alert that is left is a later one
    alert = OuterRef(OuterRef("pk"))
    members = Membership.objects.filter(account=OuterRef("account"), team__in=teams)
    return members.filter(~Exists(given.filter(pk__gt=alert)) | Exists(given.filter(pk__lt=alert)))
