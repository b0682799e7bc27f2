"""The API of a device as a whole: it is deleted, brought back, and what was changed of it is undone."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.origin import Origin
from releve.control.api.documents import refusals
from releve.control.api.views import person
from releve.control.fleet.models import DeviceChange
from releve.control.fleet.queries import device_for, editable_device
from releve.control.fleet.serializers import DeviceAnswer, DeviceChangeList
from releve.control.fleet.undo import LISTED, changes_of, undo
from releve.control.fleet.views import TAG, FleetView, OneDevice, shown
from releve.control.runs.edit.deleting import bring_back, delete_device, deleted_of
from releve.control.teams.queries import EDITORS, teams_of


class WholeDevice(OneDevice):
    """One device of your teams, which may go with all that it sent."""

    @extend_schema(operation_id="device_delete", tags=TAG, responses={204: None, **refusals(400, 403, 404, 409)})
    def delete(self, request: Request, device_id: int) -> Response:
        """Delete a device with its readings, its runs and its quarantine; `restore` brings it back within a day.

        It is refused everywhere at once, and its name is free. One that another team had before cannot be deleted.
        """
        device = editable_device(person(request), device_id)
        delete_device(device, by=person(request), origin=Origin.of(request))
        return Response(status=204)


class RestoreDevice(FleetView):
    """The return of a deleted device."""

    @extend_schema(
        operation_id="device_restore", tags=TAG, request=None, responses={200: DeviceAnswer, **refusals(403, 404, 409)}
    )
    def post(self, request: Request, device_id: int) -> Response:
        """Bring back a device that was deleted less than a day ago; its sign-ins stay ended."""
        account = person(request)
        device = get_object_or_404(deleted_of(teams_of(account, EDITORS)), pk=device_id)
        return Response(shown([bring_back(device, by=account, origin=Origin.of(request))])[0])


class DeviceChanges(FleetView):
    """What people changed of a device."""

    @extend_schema(operation_id="device_changes", tags=TAG, responses={200: DeviceChangeList, **refusals(403, 404)})
    def get(self, request: Request, device_id: int) -> Response:
        """List what your team changed of a device and its channels, the newest first, with what it replaced."""
        device = device_for(person(request), device_id)
        return Response({"data": [_row(change) for change in changes_of(device)[:LISTED]]})


class UndoDeviceChange(FleetView):
    """What a change replaced, put back."""

    @extend_schema(
        operation_id="device_change_undo",
        tags=TAG,
        request=None,
        responses={200: DeviceAnswer, **refusals(400, 403, 404, 409)},
    )
    def post(self, request: Request, device_id: int, change_id: int) -> Response:
        """Undo a change, as long as the device is still as it left it."""
        account = person(request)
        device = editable_device(account, device_id)
        change = get_object_or_404(changes_of(device), pk=change_id)
        return Response(shown([undo(change, by=account, origin=Origin.of(request))])[0])


def _row(change: DeviceChange) -> dict[str, Any]:
    return {
        "id": change.pk,
        "at": change.at,
        "by": change.by.email if change.by else "",
        "before": change.before,
        "after": change.after,
        "undone_at": change.undone_at,
    }
