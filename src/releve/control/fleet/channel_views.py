"""The API of a device's channels: what they are called, their units, how they are read."""

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.origin import Origin
from releve.control.api.body import Body
from releve.control.api.documents import refusals
from releve.control.api.views import OwnView, person
from releve.control.fleet import channels
from releve.control.fleet.models import Device
from releve.control.fleet.queries import device_for, editable_device
from releve.protocol.described import ChannelKind, Description
from releve.protocol.problem import BadRequest

MOST_CHANGES = 256


class DisplayName(Body):
    """What a channel is called."""

    en = serializers.CharField(max_length=128, allow_blank=True, allow_null=True, required=False)
    fr = serializers.CharField(max_length=128, allow_blank=True, allow_null=True, required=False)


class ChannelChange(serializers.Serializer[Any]):
    """What is said of a channel; null takes it back."""

    display_name = DisplayName(required=False)
    unit = serializers.CharField(max_length=32, allow_blank=True, allow_null=True, required=False)
    scale = serializers.FloatField(allow_null=True, required=False, help_text="What a number is multiplied by.")
    offset = serializers.FloatField(allow_null=True, required=False, help_text="What is added to it then.")
    kind = serializers.ChoiceField(choices=[each.value for each in ChannelKind], allow_null=True, required=False)
    decimals = serializers.IntegerField(min_value=0, max_value=15, allow_null=True, required=False)
    hidden = serializers.BooleanField(allow_null=True, required=False)


class ChannelAnswer(ChannelChange):
    """A channel as people see it."""

    name = serializers.CharField(help_text="As the device sends it.")


class ChannelList(serializers.Serializer[Any]):
    """The channels of a device."""

    data = ChannelAnswer(many=True)  # type: ignore[assignment] # the metaclass takes it away again


class DeviceChannels(OwnView):
    """The channels of one device of your teams."""

    @extend_schema(operation_id="device_channels", tags=["Fleet"], responses={200: ChannelList, **refusals(403, 404)})
    def get(self, request: Request, device_id: int) -> Response:
        """List every channel that the device has sent, with its unit and how it is read."""
        return Response(_shown(device_for(person(request), device_id)))

    @extend_schema(
        operation_id="device_channels_change",
        tags=["Fleet"],
        request={"application/json": {"type": "object", "additionalProperties": {"type": "object"}}},
        responses={200: ChannelList, **refusals(400, 403, 404)},
        examples=[
            OpenApiExample(
                "Millivolts shown as volts",
                {"battery": {"display_name": {"fr": "Batterie"}, "unit": "V", "scale": 0.001, "decimals": 2}},
                request_only=True,
            )
        ],
    )
    def patch(self, request: Request, device_id: int) -> Response:
        """Say of channels, by their names, what they are called, their unit, and how their numbers are shown.

        What is stored stays as it was sent. Null takes back what was said: the contract's proposal stands again.
        """
        account = person(request)
        device = editable_device(account, device_id)
        channels.change(device, _changes(request.data), by=account, origin=Origin.of(request))
        return Response(_shown(device))

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Say which part of the description is wrong."""
        return _answer


def _changes(body: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(body, Mapping):
        raise BadRequest("must be an object with a member for each channel", field="body")
    if len(body) > MOST_CHANGES:
        raise BadRequest(f"at most {MOST_CHANGES} channels at once", field="body")
    return {str(name): _change(str(name), said) for name, said in body.items()}


def _change(name: str, said: Any) -> dict[str, Any]:
    if not isinstance(said, Mapping):
        raise BadRequest("must be an object", field=name)
    for member in said:
        if member not in ChannelChange().fields:
            raise BadRequest("is nothing that is said of a channel", field=f"{name}.{member}")
    checked = ChannelChange(data=said)
    if not checked.is_valid():
        member, reasons = next(iter(checked.errors.items()))
        raise BadRequest(_first(reasons), field=f"{name}.{member}")
    given = dict(checked.validated_data)
    display = given.pop("display_name", {})
    changes = {f"name_{language}": text for language, text in display.items()}
    if "hidden" in given:
        changes["is_hidden"] = given.pop("hidden")
    return {**changes, **given}


def _first(reasons: Any) -> str:
    while isinstance(reasons, Mapping):
        reasons = next(iter(reasons.values()))
    return str(reasons[0])


def _shown(device: Device) -> dict[str, Any]:
    described = channels.describe(device, channels.names_of(device))
    return {"data": [channel_shown(name, each) for name, each in described.items()]}


def channel_shown(name: str, channel: Description) -> dict[str, Any]:
    """A channel as it is told, to a program and to the charts of a page."""
    return {
        "name": name,
        "display_name": {"en": channel.name_en or name, "fr": channel.name_fr or name},
        "unit": channel.unit,
        "scale": channel.scale,
        "offset": channel.offset,
        "kind": channel.kind.value,
        "decimals": channel.decimals,
        "hidden": channel.is_hidden,
    }


def _answer(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, channels.BadDescription):
        error = BadRequest(str(error), field=error.field)
    return OwnView().get_exception_handler()(error, context)
