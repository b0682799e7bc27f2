"""The vehicles and races of contract B, over assets and runs."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from releve.control.accounts.origin import Origin
from releve.control.api.parser import AnyTypeJSONParser
from releve.control.api.views import JSONView
from releve.control.contracts.racing import queries, services
from releve.control.contracts.racing.access import Caller, MayRace
from releve.control.contracts.racing.errors import answer_message
from releve.control.contracts.racing.serializers import (
    Message,
    Named,
    RaceBody,
    RaceChange,
    RaceChanged,
    RaceData,
    RaceList,
    VehicleChanged,
    VehicleData,
    VehicleList,
)
from releve.control.fleet.models import Asset
from releve.control.fleet.services import rename_asset
from releve.control.runs.models import Run

TAG = ["Vehicles and races"]
_MEANING = {
    400: "The body or the query cannot be read.",
    401: "No token, and the installation lets nobody in without one.",
    403: "Your role lets you look only, or a device asked.",
    404: "There is no such thing, or it is not yours.",
}


def refusals(*statuses: int) -> dict[int, OpenApiResponse]:
    """The responses of those statuses."""
    return {status: OpenApiResponse(Message, _MEANING[status]) for status in (401, 403, *statuses)}


class RacingView(JSONView):
    """A route of contract B."""

    parser_classes = (AnyTypeJSONParser,)
    permission_classes = (MayRace,)

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Refuse in the words of contract B."""
        return answer_message


class NewVehicle(RacingView):
    """Where vehicles are added."""

    @extend_schema(
        operation_id="vehicle_add", tags=TAG, request=Named, responses={201: VehicleChanged, **refusals(400)}
    )
    def post(self, request: Request) -> Response:
        """Add a vehicle."""
        name = checked(Named, request)["name"]
        caller = Caller.of(request)
        vehicle = services.add_vehicle(team=caller.home(), name=name, by=caller.account, origin=Origin.of(request))
        return Response({"message": "Vehicle successfully added", "data": shown_vehicle(vehicle)}, status=201)


class Vehicles(RacingView):
    """Every vehicle."""

    @extend_schema(operation_id="vehicles", tags=TAG, responses={200: VehicleList, **refusals()})
    def get(self, request: Request) -> Response:
        """List the vehicles of your teams."""
        return Response({"data": [shown_vehicle(vehicle) for vehicle in queries.vehicles(Caller.of(request))]})


class OneVehicle(RacingView):
    """One vehicle."""

    @extend_schema(operation_id="vehicle", tags=TAG, responses={200: VehicleData, **refusals(404)})
    def get(self, request: Request, number: int) -> Response:
        """Show a vehicle."""
        return Response({"data": shown_vehicle(Caller.of(request).vehicle(number))})

    @extend_schema(
        operation_id="vehicle_change", tags=TAG, request=Named, responses={200: VehicleChanged, **refusals(400, 404)}
    )
    def put(self, request: Request, number: int) -> Response:
        """Rename a vehicle."""
        caller = Caller.of(request)
        vehicle = caller.vehicle(number)
        caller.editing(vehicle)
        name = checked(Named, request)["name"]
        rename_asset(vehicle, name=name, by=caller.account, origin=Origin.of(request))
        return Response({"message": "Vehicle successfully updated", "data": shown_vehicle(vehicle)})

    @extend_schema(operation_id="vehicle_delete", tags=TAG, responses={200: Message, **refusals(404)})
    def delete(self, request: Request, number: int) -> Response:
        """Delete a vehicle and its races; the readings stay, and each race can be brought back."""
        caller = Caller.of(request)
        vehicle = caller.vehicle(number)
        caller.editing(vehicle)
        services.delete_vehicle(vehicle, by=caller.account, origin=Origin.of(request))
        return Response({"message": "Vehicle successfully deleted"})


class NewRace(RacingView):
    """Where races are opened."""

    @extend_schema(
        operation_id="race_add", tags=TAG, request=RaceBody, responses={201: RaceChanged, **refusals(400, 404)}
    )
    def post(self, request: Request) -> Response:
        """Open a race of a vehicle."""
        body = checked(RaceBody, request)
        caller = Caller.of(request)
        vehicle = caller.vehicle(body["vehicle_id"])
        caller.editing(vehicle)
        race = services.add_race(vehicle, name=body["name"], by=caller.account, origin=Origin.of(request))
        return Response({"message": "Race successfully added", "data": shown_race(race)}, status=201)


class Races(RacingView):
    """Every race."""

    @extend_schema(operation_id="races", tags=TAG, responses={200: RaceList, **refusals()})
    def get(self, request: Request) -> Response:
        """List the races of your teams."""
        return Response({"data": [shown_race(race) for race in Caller.of(request).races()]})


class OneRace(RacingView):
    """One race."""

    @extend_schema(operation_id="race", tags=TAG, responses={200: RaceData, **refusals(404)})
    def get(self, request: Request, number: int) -> Response:
        """Show a race."""
        return Response({"data": shown_race(Caller.of(request).race(number))})

    @extend_schema(
        operation_id="race_change", tags=TAG, request=RaceChange, responses={200: RaceChanged, **refusals(400, 404)}
    )
    def put(self, request: Request, number: int) -> Response:
        """Rename a race, or say which vehicle drove it."""
        caller = Caller.of(request)
        race = caller.race(number)
        caller.editing(race)
        body = checked(RaceChange, request)
        vehicle = caller.vehicle(body["vehicle_id"]) if "vehicle_id" in body else None
        if vehicle is not None and vehicle.team_id != race.team_id:
            return Response({"message": "the vehicle belongs to another team than the race"}, status=400)
        services.change_race(race, name=body["name"], vehicle=vehicle, by=caller.account, origin=Origin.of(request))
        return Response({"message": "Race successfully updated", "data": shown_race(caller.race(number))})

    @extend_schema(operation_id="race_delete", tags=TAG, responses={200: Message, **refusals(404)})
    def delete(self, request: Request, number: int) -> Response:
        """Delete a race, which can be undone; its readings stay."""
        caller = Caller.of(request)
        race = caller.race(number)
        caller.editing(race)
        services.delete_race(race, by=caller.account, origin=Origin.of(request))
        return Response({"message": "Race successfully deleted"})


def checked(kind: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body, checked.

    Raises:
        ValidationError: It breaks a rule; the message names the field.
    """
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    values: dict[str, Any] = body.validated_data
    return values


def shown_vehicle(vehicle: Asset) -> dict[str, Any]:
    """A vehicle on the wire."""
    return {"id": vehicle.pk, "name": vehicle.name}


def shown_race(race: Run) -> dict[str, Any]:
    """A race on the wire."""
    return {"id": race.pk, "vehicle_id": race.asset_id, "name": str(race)}
