"""The API of gym machines: what each does now, its sets of a day, its records."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.api import page
from releve.control.api.documents import refusals
from releve.control.api.views import OwnView, person
from releve.control.families import day
from releve.control.families.machine import (
    Present,
    machine_for,
    machines_of,
    present_of,
    presents_of,
    series_between,
)
from releve.control.families.machine_serializers import (
    DayQuery,
    MachineList,
    MachineWithSet,
    RecordAnswer,
    RecordList,
    RecordQuery,
    SeriesAnswer,
    SeriesList,
)
from releve.control.families.record import records_of
from releve.control.runs.api.views import checked
from releve.history.working import Phase

TAG = ["Machines"]


class Machines(OwnView):
    """The gym machines of your teams."""

    @extend_schema(
        operation_id="machines",
        tags=TAG,
        parameters=[page.PageQuery],
        responses={200: MachineList, **refusals(400, 403)},
    )
    def get(self, request: Request) -> Response:
        """List the gym machines with what each does at this moment."""
        wanted = page.query(request)
        rows = machines_of(person(request))
        if "team" in wanted:
            rows = rows.filter(team=wanted["team"])
        machines, following = page.ascending(rows, wanted)
        found = presents_of(machines, timezone.now())
        return Response({"data": [shown(each) for each in found], "next": following})


class OneMachine(OwnView):
    """One gym machine of your teams."""

    @extend_schema(operation_id="machine", tags=TAG, responses={200: MachineWithSet, **refusals(403, 404)})
    def get(self, request: Request, asset_id: int) -> Response:
        """Show what a machine does at this moment, with the set under way or the last one."""
        machine = machine_for(person(request), asset_id)
        return Response(shown_whole(present_of(machine, timezone.now())))


class MachineSeries(OwnView):
    """The sets on one gym machine."""

    @extend_schema(
        operation_id="machine_series",
        tags=TAG,
        parameters=[DayQuery],
        responses={200: SeriesList, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, asset_id: int) -> Response:
        """List the sets of a day, as they stand after every correction."""
        machine = machine_for(person(request), asset_id)
        wanted = checked(DayQuery, request.query_params).get("day") or today()
        found = series_between(machine, *day.span_of(wanted, wanted))
        return Response({"day": wanted, "data": SeriesAnswer(found, many=True).data})


class MachineRecords(OwnView):
    """The records of one gym machine."""

    @extend_schema(
        operation_id="machine_records",
        tags=TAG,
        parameters=[RecordQuery],
        responses={200: RecordList, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, asset_id: int) -> Response:
        """Show the records of the last days, found from the readings that count at this moment."""
        machine = machine_for(person(request), asset_id)
        days = checked(RecordQuery, request.query_params)["days"]
        last = today()
        found = series_between(machine, *day.span_of(last - timedelta(days=days - 1), last))
        return Response({"days": days, "data": RecordAnswer(records_of(found, day.zone()), many=True).data})


def today() -> date:
    """The day that it is by the installation's clock."""
    return timezone.now().astimezone(day.zone()).date()


def shown(present: Present) -> dict[str, Any]:
    """A machine in a list."""
    return {
        "id": present.asset.pk,
        "name": present.asset.name,
        "key": present.asset.key,
        "team": {"id": present.asset.team.pk, "name": present.asset.team.name},
        "phase": None if present.phase is None else present.phase.value,
        "in_use": present.phase in (Phase.WORKING, Phase.RESTING),
        "since": present.since,
        "since_s": present.since_s,
        "heard": present.heard,
    }


def shown_whole(present: Present) -> dict[str, Any]:
    """A machine by itself."""
    mounts = present.asset.mounts.all()
    return {
        **shown(present),
        "devices": [{"id": mount.device.pk, "name": mount.device.name} for mount in mounts],
        "set": None if present.set is None else SeriesAnswer(present.set).data,
    }
