"""Who asks on a route of contract B, a person or a caller without a token, and which things they see."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from releve.control.accounts.models import Account
from releve.control.api.authentication import credential
from releve.control.api.negotiation import is_trusted
from releve.control.fleet.models import Asset
from releve.control.runs.cut.car import CHANNEL, VEHICLE, follow_cars
from releve.control.runs.models import Kind, Run
from releve.control.teams.models import Team
from releve.control.teams.queries import EDITORS, teams_of
from releve.control.teams.services import default_team
from releve.protocol.nobody import may_change, may_look
from releve.protocol.run.part import part_of
from releve.protocol.site import STRANGE

LOOK_ONLY = "Your role lets you look only."
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks, whose things they see, and where they may change them.

    Attributes:
        account: The person; None without a sign-in.
        teams: Ids of the teams whose things they see.
        editable: Those of them in which they may change something, the one that new things belong to first.
    """

    account: Account | None
    teams: list[int]
    editable: list[int]

    @classmethod
    def of(cls, request: Request) -> "Caller":
        """The caller of a request that the permission let through; who changes something changes what there is now."""
        caller = cls._of(request)
        if request.method not in SAFE:
            follow_cars(caller.teams)
        return caller

    @classmethod
    def _of(cls, request: Request) -> "Caller":
        if isinstance(request.user, Account):
            return cls(
                account=request.user,
                teams=_ids(teams_of(request.user)),
                editable=_ids(teams_of(request.user, EDITORS)),
            )
        home = default_team().pk
        return cls(account=None, teams=[home], editable=[home] if may_change(settings.RELEVE.anonymous_role) else [])

    def home(self) -> Team:
        """The team that what they make belongs to.

        Raises:
            PermissionDenied: They may change nothing anywhere.
        """
        if not self.editable:
            raise PermissionDenied(LOOK_ONLY)
        return Team.objects.get(pk=self.editable[0])

    def vehicle(self, number: int) -> Asset:
        """A vehicle that they see.

        Raises:
            NoVehicle: There is none, or it is another team's.
        """
        found = Asset.objects.filter(pk=number, kind=VEHICLE, team__in=self.teams).select_related("team").first()
        if found is None:
            raise NoVehicle
        return found

    def race(self, number: int) -> Run:
        """A race that they see.

        Raises:
            NoRace: There is none, or it is another team's.
        """
        found = self.races_named(number).first()
        if found is None:
            raise NoRace
        return found

    def races_named(self, number: int) -> QuerySet[Run]:
        """The race of that number: the one that has it, else the newest of a car that named it unannounced."""
        races = self.races()
        if Run.objects.filter(pk=number, kind=Kind.RACE, team__in=self.teams).exists():  # a deleted one stays deleted
            return races.filter(pk=number)
        named = races.filter(part=part_of(CHANNEL, str(number))).order_by("-id").values_list("pk", flat=True)[:1]
        return races.filter(pk__in=list(named))

    def races(self) -> QuerySet[Run]:
        """The races that they see."""
        found = Run.objects.filter(kind=Kind.RACE, team__in=self.teams, deleted_at=None)
        return found.select_related("team", "device", "asset").order_by("id")

    def editing(self, found: Asset | Run) -> None:
        """Let those go on who may change it.

        Raises:
            PermissionDenied: They only see it.
        """
        if found.team_id not in self.editable:
            raise PermissionDenied(LOOK_ONLY)


class NoVehicle(Http404):
    """Vehicle not found."""


class NoRace(Http404):
    """Race not found."""


class MayRace(BasePermission):
    """A person, or anybody without a token as far as the setting `RELEVE_ANONYMOUS_ROLE` goes; never a device."""

    message = "A device's sign-in may not do that."

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002 - the framework's signature
        """Whether the caller may ask at all.

        Raises:
            NotAuthenticated: Nobody is signed in, and that is not enough here.
            PermissionDenied: Without a sign-in one may only look.
        """
        if isinstance(request.user, Account):
            return request.user.is_active
        if request.user and request.user.is_authenticated:
            return False
        role = settings.RELEVE.anonymous_role
        if not may_look(role) or credential(request) is not None or "HTTP_AUTHORIZATION" in request.META:
            raise NotAuthenticated
        if request.method not in SAFE and not may_change(role):
            raise PermissionDenied(LOOK_ONLY)
        if request.method not in SAFE and not is_trusted(request):
            raise PermissionDenied(STRANGE)
        return True


def _ids(teams: Any) -> list[int]:
    return list(teams.order_by("id").values_list("id", flat=True))
