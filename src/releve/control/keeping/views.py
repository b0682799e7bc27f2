"""The API of how long readings are kept: for ever, unless a team says otherwise."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.origin import Origin
from releve.control.api.documents import refusals
from releve.control.api.flag import is_set
from releve.control.api.views import OwnView, person
from releve.control.fleet.models import Device
from releve.control.fleet.queries import device_for, refuse_unless
from releve.control.keeping import queries, services
from releve.control.keeping.models import Rule
from releve.control.keeping.serializers import DeviceKeeping, DeviceRule, RuleList, RuleSet, TeamRule
from releve.control.teams.models import Team
from releve.control.teams.queries import ADMINISTRATORS, role_in, teams_of
from releve.protocol.keeping import Days
from releve.protocol.problem import BadRequest
from releve.storage.forecast import Going

TAG = ["Keeping"]
DRY_RUN = OpenApiParameter("dry_run", bool, description="Only say what would be deleted.")
CHANNEL = OpenApiParameter("channel", str, description="The rule of one channel; by default that of the device.")


class KeepingView(OwnView):
    """A route about rules."""

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Say which part of a rule is wrong."""
        return _answer


class Rules(KeepingView):
    """The rules of your teams."""

    @extend_schema(operation_id="keeping", tags=TAG, responses={200: RuleList, **refusals(403)})
    def get(self, request: Request) -> Response:
        """List the rules of your teams; what no rule is about is kept for ever."""
        return Response({"data": [_shown(rule) for rule in queries.rules_of(person(request))]})


class OfTeam(KeepingView):
    """The rule of a team."""

    @extend_schema(
        operation_id="team_keeping_set",
        tags=TAG,
        parameters=[DRY_RUN],
        request=TeamRule,
        responses={200: RuleSet, **refusals(400, 403, 404)},
        examples=[OpenApiExample("A year, and charts for ever", {"raw_days": 365}, request_only=True)],
    )
    def put(self, request: Request, team_id: int) -> Response:
        """Keep the readings of the team's devices so long; a rule of a device or of a channel comes before it.

        Administrators of the team only. Charts of what was deleted are drawn from ladders, as long as these are kept.
        """
        team = _team(request, team_id)
        body = TeamRule(data=request.data)
        body.is_valid(raise_exception=True)
        return _set(request, team, None, body.validated_data)

    @extend_schema(
        operation_id="team_keeping_remove",
        tags=TAG,
        parameters=[DRY_RUN],
        request=None,
        responses={200: RuleSet, **refusals(400, 403, 404)},
    )
    def delete(self, request: Request, team_id: int) -> Response:
        """Take the team's rule back."""
        return _remove(request, _team(request, team_id), None, "")


class OfDevice(KeepingView):
    """The rules of a device and of its channels."""

    @extend_schema(operation_id="device_keeping", tags=TAG, responses={200: DeviceKeeping, **refusals(403, 404)})
    def get(self, request: Request, device_id: int) -> Response:
        """Show the rules about a device, what they come to, and where readings were deleted."""
        device = device_for(person(request), device_id)
        rules = list(queries.rules_about(device))
        found = queries.in_force(rules)
        return Response(
            {
                "rules": [_shown(rule) for rule in rules],
                "in_force": {
                    **_days(found.days),
                    "archive": found.is_archived,
                    "channels": {name: _days(days) for name, days in found.channels.items()},
                },
                "deleted": [asdict(each) for each in queries.deleted_of(device)],
            }
        )

    @extend_schema(
        operation_id="device_keeping_set",
        tags=TAG,
        parameters=[DRY_RUN],
        request=DeviceRule,
        responses={200: RuleSet, **refusals(400, 403, 404)},
        examples=[OpenApiExample("A channel for a week", {"channel": "noise", "raw_days": 7}, request_only=True)],
    )
    def put(self, request: Request, device_id: int) -> Response:
        """Keep the readings of the device, or one of its channels, so long; the narrower rule counts.

        Administrators of the team only.
        """
        device = _device(request, device_id)
        body = DeviceRule(data=request.data)
        body.is_valid(raise_exception=True)
        return _set(request, device.team, device, body.validated_data)

    @extend_schema(
        operation_id="device_keeping_remove",
        tags=TAG,
        parameters=[DRY_RUN, CHANNEL],
        request=None,
        responses={200: RuleSet, **refusals(400, 403, 404)},
    )
    def delete(self, request: Request, device_id: int) -> Response:
        """Take the device's rule back, or that of a channel."""
        device = _device(request, device_id)
        return _remove(request, device.team, device, request.query_params.get("channel", ""))


def _set(request: Request, team: Team, device: Device | None, given: Mapping[str, Any]) -> Response:
    rule = {
        "team": team,
        "device": device,
        "channel": given.get("channel", ""),
        "days": Days(given["raw_days"], given["ladder_days"]),
        "is_archived": given["archive"],
    }
    if is_set(request, "dry_run"):
        return _tried(team, device, lambda: services.draft_rule(**rule))
    made = services.set_rule(**rule, by=person(request), origin=Origin.of(request))
    return Response({"rule": _shown(made), "dry_run": False})


def _remove(request: Request, team: Team, device: Device | None, channel: str) -> Response:
    if not Rule.objects.filter(team=team, device=device, channel=channel).exists():
        raise Http404
    rule: dict[str, Any] = {"team": team, "device": device, "channel": channel}
    if is_set(request, "dry_run"):
        return _tried(team, device, lambda: services.drop_rule(**rule))
    services.remove_rule(**rule, by=person(request), origin=Origin.of(request))
    return Response({"rule": None, "dry_run": False})


def _tried(team: Team, device: Device | None, change: Callable[[], Rule | bool]) -> Response:
    """Change it, look what would be deleted, and take the change back."""
    with transaction.atomic():
        rule = change()
        going = queries.would_go(None if device is None else device.pk, team if device is None else None)
        shown = _shown(rule) if isinstance(rule, Rule) else None
        answer = {"rule": shown, "dry_run": True, "would_delete": _going(going)}
        transaction.set_rollback(True)
    return Response(answer)


def _going(going: Mapping[int, Going]) -> list[dict[str, Any]]:
    names = dict(Device.objects.filter(pk__in=going).values_list("pk", "name"))
    return [{"device": device, "name": names.get(device, ""), **each._asdict()} for device, each in going.items()]


def _team(request: Request, team_id: int) -> Team:
    team = teams_of(person(request)).filter(pk=team_id).first()
    if team is None:
        raise Http404
    refuse_unless(role_in(person(request), team), ADMINISTRATORS)
    return team


def _device(request: Request, device_id: int) -> Device:
    device = device_for(person(request), device_id)
    refuse_unless(role_in(person(request), device.team), ADMINISTRATORS)
    return device


def _shown(rule: Rule) -> dict[str, Any]:
    return {
        "team": rule.team_id,
        "device": rule.device_id,
        "channel": rule.channel,
        "raw_days": rule.raw_days,
        "ladder_days": rule.ladder_days,
        "archive": rule.is_archived,
    }


def _days(days: Days) -> dict[str, int | None]:
    return {"raw_days": days.raw, "ladder_days": days.ladder}


def _answer(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, services.BadRule):
        error = BadRequest(str(error), field=error.field)
    return OwnView().get_exception_handler()(error, context)
