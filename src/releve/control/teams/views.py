"""The API of teams and of the audit."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.models import AuditEvent
from releve.control.accounts.queries import own_events
from releve.control.api import page
from releve.control.api.documents import refusals
from releve.control.api.views import OwnView, person
from releve.control.teams.queries import ADMINISTRATORS, events_of, memberships_of, teams_of
from releve.control.teams.serializers import EventList, TeamList

TAG = ["Teams"]


class Teams(OwnView):
    """The teams of whoever asks."""

    @extend_schema(operation_id="teams", tags=TAG, responses={200: TeamList, **refusals(403)})
    def get(self, request: Request) -> Response:
        """List your teams and your role in each."""
        rows = memberships_of(person(request))
        return Response({"data": [{"id": row.team.pk, "name": row.team.name, "role": row.role} for row in rows]})


class Audit(OwnView):
    """What happened in the teams that you administer."""

    @extend_schema(
        operation_id="audit",
        tags=TAG,
        parameters=[page.PageQuery],
        responses={200: EventList, **refusals(400, 403, 404)},
    )
    def get(self, request: Request) -> Response:
        """List what happened in the teams that you administer, the latest first."""
        wanted = page.query(request)
        administered = teams_of(person(request), ADMINISTRATORS)
        if "team" in wanted:
            if not teams_of(person(request)).filter(pk=wanted["team"]).exists():
                raise Http404
            administered = administered.filter(pk=wanted["team"])
        if not administered.exists():
            raise PermissionDenied
        return _answer(events_of(administered), wanted)


class OwnAudit(OwnView):
    """What happened to your account."""

    @extend_schema(
        operation_id="audit_own",
        tags=TAG,
        parameters=[page.PageQuery],
        responses={200: EventList, **refusals(400, 403)},
    )
    def get(self, request: Request) -> Response:
        """List what happened to your own account, the latest first."""
        return _answer(own_events(person(request)), page.query(request))


def _answer(events: QuerySet[AuditEvent], wanted: dict[str, int]) -> Response:
    rows, following = page.descending(events.select_related("account", "device"), wanted)
    return Response({"data": [_shown(row) for row in rows], "next": following})


def _shown(event: AuditEvent) -> dict[str, Any]:
    return {
        "id": event.pk,
        "time": event.time,
        "kind": event.kind,
        "is_alert": event.is_alert,
        "team": event.team_id,
        "account": event.account.email if event.account else None,
        "device": event.device.name if event.device else None,
        "address": event.address,
        "user_agent": event.user_agent,
        "detail": event.detail,
    }
