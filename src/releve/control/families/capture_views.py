"""The API of profilometres: their captures in figures and in stretches."""

from collections.abc import Mapping
from typing import Any, Final

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.api import page
from releve.control.api.documents import refusals
from releve.control.api.views import OwnView, person
from releve.control.families.capture import (
    LISTED,
    Figures,
    captures_of,
    figures_of,
    latest_of,
    profilometres_of,
    strip_of,
)
from releve.control.families.capture_serializers import (
    CaptureQuery,
    ProfilometreList,
    ProfilometreWithCapture,
    StripAnswer,
    StripQuery,
)
from releve.control.fleet.models import Device
from releve.control.fleet.queries import device_for
from releve.control.runs.api.views import RunView, checked
from releve.control.runs.columns import instant
from releve.control.runs.models import Run
from releve.control.runs.queries import run_for
from releve.history.stretch import DISTANCE, HUMIDITY, PROFILE, TEMPERATURE, Along, Stretch

TAG = ["Profilometres"]
NAMES: Final = {PROFILE: "profile", TEMPERATURE: "temperature", HUMIDITY: "humidity", DISTANCE: "distance"}


class Profilometres(OwnView):
    """The profilometres of your teams."""

    @extend_schema(
        operation_id="profilometres",
        tags=TAG,
        parameters=[page.PageQuery],
        responses={200: ProfilometreList, **refusals(400, 403)},
    )
    def get(self, request: Request) -> Response:
        """List the profilometres with the latest capture of each."""
        wanted = page.query(request)
        account = person(request)
        rows = profilometres_of(account)
        if "team" in wanted:
            rows = rows.filter(team=wanted["team"])
        devices, following = page.ascending(rows, wanted)
        latest = latest_of(account, devices)
        return Response({"data": [_shown(each, latest.get(each.pk)) for each in devices], "next": following})


class OneProfilometre(OwnView):
    """One profilometre of your teams."""

    @extend_schema(
        operation_id="profilometre",
        tags=TAG,
        parameters=[CaptureQuery],
        responses={200: ProfilometreWithCapture, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, device_id: int) -> Response:
        """Show a capture of a device as it stands, and list its latest ones."""
        account = person(request)
        device = device_for(account, device_id)
        captures = captures_of(account, device)
        listed = list(captures[:LISTED])
        number = checked(CaptureQuery, request.query_params).get("run")
        run = next(iter(listed), None) if number is None else captures.filter(pk=number).first()
        if run is None and number is not None:
            raise Http404
        answer = {
            **_shown(device, next(iter(listed), None)),
            "capture": None if run is None else _figures(figures_of(run)),
            "captures": [_named(each) for each in listed],
        }
        return Response(answer)


class RunStretches(RunView):
    """A capture in stretches."""

    @extend_schema(
        operation_id="run_stretches",
        tags=["Runs"],
        parameters=[StripQuery],
        responses={200: StripAnswer, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, run_id: int) -> Response:
        """Show RMS and peak of the profile on each stretch of a run, by time or by distance, and its climate there."""
        wanted = checked(StripQuery, request.query_params)
        strip = strip_of(run_for(person(request), run_id), Along(wanted["by"]), wanted.get("width"))
        answer = {
            "by": strip.along.value,
            "width": strip.width,
            "units": _by_name(strip.units),
            "is_cut_off": strip.is_cut_off,
            "data": [_stretch(each) for each in strip.stretches],
        }
        return Response(answer)


def _shown(device: Device, latest: Run | None) -> dict[str, Any]:
    return {
        "id": device.pk,
        "name": device.name,
        "team": {"id": device.team.pk, "name": device.team.name},
        "latest": None if latest is None else _named(latest),
    }


def _named(run: Run) -> dict[str, Any]:
    bounds = {"started_at": run.started_at, "ended_at": run.ended_at}
    return {"run": run.pk, "name": run.name, **bounds, "is_open": run.is_open}


def _figures(found: Figures) -> dict[str, Any]:
    return {
        **_named(found.run),
        "first": found.first,
        "last": found.last,
        "n": found.n,
        "time_s": (found.last - found.first).total_seconds() if found.first and found.last else 0.0,
        "length": found.length,
        "latest": _by_name(found.latest),
        "units": _by_name(found.units),
        "statistics": found.statistics,
    }


def _by_name(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[channel] for channel, name in NAMES.items()}


def _stretch(each: Stretch) -> dict[str, Any]:
    told = each._asdict()
    return {"begin": told.pop("begin"), "time": instant(told.pop("time_us")), **told}
