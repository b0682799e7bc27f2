"""The API of vehicles in a race."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.api import page
from releve.control.api.documents import refusals
from releve.control.api.views import OwnView, person
from releve.control.families.race import LapFigures, Race, latest_of, race_of, vehicle_for, vehicles_of
from releve.control.families.race_serializers import LiveVehicleList, QuantityAnswer, VehicleWithRace, WholeLap
from releve.control.fleet.models import Asset
from releve.control.runs.models import Run

TAG = ["Vehicles"]


class Vehicles(OwnView):
    """The vehicles of your teams."""

    @extend_schema(
        operation_id="vehicles_live",
        tags=TAG,
        parameters=[page.PageQuery],
        responses={200: LiveVehicleList, **refusals(400, 403)},
    )
    def get(self, request: Request) -> Response:
        """List the vehicles with whether each is in a race."""
        wanted = page.query(request)
        rows = vehicles_of(person(request))
        if "team" in wanted:
            rows = rows.filter(team=wanted["team"])
        vehicles, following = page.ascending(rows, wanted)
        latest = latest_of(vehicles)
        return Response({"data": [shown(each, latest.get(each.pk)) for each in vehicles], "next": following})


class OneVehicle(OwnView):
    """One vehicle of your teams."""

    @extend_schema(operation_id="vehicle_live", tags=TAG, responses={200: VehicleWithRace, **refusals(403, 404)})
    def get(self, request: Request, asset_id: int) -> Response:
        """Show a vehicle's race as it stands, or its latest one."""
        vehicle = vehicle_for(person(request), asset_id)
        run = latest_of([vehicle]).get(vehicle.pk)
        mounts = vehicle.mounts.all()
        answer = {
            **shown(vehicle, run),
            "devices": [{"id": mount.device.pk, "name": mount.device.name} for mount in mounts],
            "race": None if run is None else _race(race_of(run, timezone.now())),
        }
        return Response(answer)


def shown(vehicle: Asset, run: Run | None) -> dict[str, Any]:
    """A vehicle in a list."""
    return {
        "id": vehicle.pk,
        "name": vehicle.name,
        "team": {"id": vehicle.team.pk, "name": vehicle.team.name},
        "race_name": None if run is None else run.name,
        "is_racing": run is not None and run.is_open,
        "since": None if run is None else run.started_at,
    }


def _race(race: Race) -> dict[str, Any]:
    own = ("heard", "is_heard", "lap", "lap_time_s", "delta_s", "reference_lap", "energy_per_lap", "laps_left")
    best = next((lap for lap in race.laps if lap.is_best), None)
    return {
        "run": race.run.pk,
        "name": race.run.name,
        "is_open": race.run.is_open,
        "started_at": race.run.started_at,
        **{name: getattr(race, name) for name in own},
        **{name: QuantityAnswer(getattr(race, name)).data for name in ("speed", "distance", "battery")},
        "last_lap": _lap(race.laps[-1] if race.laps else None),
        "best_lap": _lap(best),
        "laps": WholeLap(race.laps, many=True).data,
    }


def _lap(lap: LapFigures | None) -> Any:
    return None if lap is None else WholeLap(lap).data
