"""The API of devices: see them, add them, change them, refuse them."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.models import Account
from releve.control.accounts.origin import Origin
from releve.control.api import page
from releve.control.api.documents import refusals
from releve.control.api.errors import Conflict
from releve.control.api.views import OwnView, person
from releve.control.fleet import services
from releve.control.fleet.models import Device
from releve.control.fleet.queries import (
    assets_of,
    device_for,
    devices_of,
    editable_device,
    last_heard,
    links,
    refuse_unless,
    state,
)
from releve.control.fleet.serializers import (
    DeviceAnswer,
    DeviceChange,
    DeviceList,
    DeviceRequest,
    DeviceWithSecret,
    SecretAnswer,
)
from releve.control.runs.edit.moving import move_device
from releve.control.teams.models import Team
from releve.control.teams.queries import EDITORS, role_in, teams_of
from releve.protocol.problem import BadRequest

TAG = ["Fleet"]


class FleetView(OwnView):
    """A route that changes devices."""

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Say which field of the device is wrong."""
        return _answer


class Devices(FleetView):
    """The devices of your teams."""

    @extend_schema(
        operation_id="devices",
        tags=TAG,
        parameters=[page.PageQuery],
        responses={200: DeviceList, **refusals(400, 403)},
    )
    def get(self, request: Request) -> Response:
        """List the devices of your teams with their state."""
        wanted = page.query(request)
        rows = devices_of(person(request))
        if "team" in wanted:
            rows = rows.filter(team=wanted["team"])
        devices, following = page.ascending(rows, wanted)
        return Response({"data": shown(devices), "next": following})

    @extend_schema(
        operation_id="device_add",
        tags=TAG,
        request=DeviceRequest,
        responses={201: DeviceWithSecret, **refusals(400, 403, 404, 409)},
        examples=[OpenApiExample("A machine's Pi", {"name": "raspberry1", "contract": "gym"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Add a device to a team that you edit; its secret is in this answer and never again."""
        body = DeviceRequest(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        team = _team_to_edit(person(request), given.pop("team", None))
        device, secret = services.register_device(team=team, by=person(request), origin=Origin.of(request), **given)
        return Response({**shown([device])[0], "secret": secret.text}, status=201)


class OneDevice(FleetView):
    """One device of your teams."""

    @extend_schema(operation_id="device", tags=TAG, responses={200: DeviceAnswer, **refusals(403, 404)})
    def get(self, request: Request, device_id: int) -> Response:
        """Show a device with its state."""
        return Response(shown([device_for(person(request), device_id)])[0])

    @extend_schema(
        operation_id="device_change",
        tags=TAG,
        request=DeviceChange,
        responses={200: DeviceAnswer, **refusals(400, 403, 404, 409)},
    )
    def patch(self, request: Request, device_id: int) -> Response:
        """Change a device's name, contract, time zone or asset, or give it to another team that you edit.

        What this replaces is kept, and `undo` of the change puts it back.
        A move ends the old team's runs of it, cancels its commands that wait and drops its configuration; each team
        reads its own side.
        """
        account, origin = person(request), Origin.of(request)
        device = editable_device(account, device_id)
        body = DeviceChange(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        team = _team_to_edit(account, given.pop("team")) if "team" in given else None
        is_mounted, asset_id = "asset" in given, given.pop("asset", None)
        with transaction.atomic():
            if given or (team is None and not is_mounted):
                services.change_device(device, by=account, origin=origin, **given)
            if is_mounted:
                asset = None if asset_id is None else get_object_or_404(assets_of(account), pk=asset_id)
                services.mount_device(device, asset=asset, by=account, origin=origin)
            if team is not None:
                move_device(device, team=team, by=account, origin=origin)
        return Response(shown([device])[0])


class NewSecret(FleetView):
    """The replacement of a device's secret."""

    @extend_schema(
        operation_id="device_new_secret",
        tags=TAG,
        request=None,
        responses={200: SecretAnswer, **refusals(403, 404)},
    )
    def post(self, request: Request, device_id: int) -> Response:
        """Replace a device's secret; the old one and every token of the device are refused at once."""
        device = editable_device(person(request), device_id)
        secret = services.new_secret(device, by=person(request), origin=Origin.of(request))
        return Response({"secret": secret.text})


class Disable(FleetView):
    """The refusal of a device."""

    @extend_schema(
        operation_id="device_disable",
        tags=TAG,
        request=None,
        responses={200: DeviceAnswer, **refusals(403, 404)},
    )
    def post(self, request: Request, device_id: int) -> Response:
        """Refuse a device everywhere, at once."""
        device = editable_device(person(request), device_id)
        services.disable_device(device, by=person(request), origin=Origin.of(request))
        return Response(shown([device])[0])


class Enable(FleetView):
    """The readmission of a device."""

    @extend_schema(
        operation_id="device_enable",
        tags=TAG,
        request=None,
        responses={200: DeviceAnswer, **refusals(403, 404)},
    )
    def post(self, request: Request, device_id: int) -> Response:
        """Let a device sign in again; its earlier tokens stay refused."""
        device = editable_device(person(request), device_id)
        services.enable_device(device, by=person(request), origin=Origin.of(request))
        return Response(shown([device])[0])


def shown(devices: Iterable[Device]) -> list[dict[str, Any]]:
    """The devices as the API answers them."""
    rows, now = list(devices), timezone.now()
    heard, linked = last_heard(rows), links(rows)
    return [
        {
            "id": device.pk,
            "name": device.name,
            "team": {"id": device.team.pk, "name": device.team.name},
            "contract": device.contract,
            "timezone": device.timezone,
            "is_enabled": device.is_enabled,
            "created_at": device.created_at,
            "state": state(device, heard.get(device.pk), now),
            "last_seen": heard[device.pk].last_seen if device.pk in heard else None,
            "last_time": heard[device.pk].last_time if device.pk in heard else None,
            "link": asdict(linked[device.pk]) if device.pk in linked else None,
        }
        for device in rows
    ]


def _team_to_edit(account: Account, team_id: int | None) -> Team:
    """The team asked for, or the only one.

    Raises:
        BadRequest: None was asked for, and there are several.
        Http404: It is not one of the account's.
        PermissionDenied: The account only views.
    """
    teams = teams_of(account) if team_id is None else teams_of(account).filter(pk=team_id)
    found = list(teams[:2])
    if not found:
        raise Http404
    if len(found) > 1:
        raise BadRequest("you are in several teams; say which", field="team")
    refuse_unless(role_in(account, found[0]), EDITORS)
    return found[0]


def _answer(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, services.DeviceProblem):
        is_clash = isinstance(error, services.NameTaken | services.ChangedSince)
        error = (Conflict if is_clash else BadRequest)(str(error), field=error.field)
    return OwnView().get_exception_handler()(error, context)
