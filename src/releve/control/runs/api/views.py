"""The API of runs: find them, open them, see what they were, name and bound them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from releve.control.accounts.models import Account
from releve.control.accounts.origin import Origin
from releve.control.api import page
from releve.control.api.documents import refusals
from releve.control.api.renderer import PlainJSON
from releve.control.api.views import OwnView, person
from releve.control.fleet.models import Asset, Device
from releve.control.fleet.queries import assets_of, editable_device, refuse_unless
from releve.control.runs import queries
from releve.control.runs.api import precondition
from releve.control.runs.api.precondition import etag
from releve.control.runs.api.serializers import (
    DEFAULT_FUNCTIONS,
    DEFAULT_WIDTH_S,
    BucketList,
    BucketQuery,
    RunAnswer,
    RunChange,
    RunList,
    RunQuery,
    RunRequest,
    RunWithSummary,
)
from releve.control.runs.api.shown import run_shown, summary_shown
from releve.control.runs.edit import services
from releve.control.runs.models import Run
from releve.control.teams.queries import EDITORS, role_in
from releve.protocol.problem import BadRequest

TAG = ["Runs"]
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="The `ETag` of your last answer, or `*`."
)
ETAG = OpenApiParameter("ETag", str, OpenApiParameter.HEADER, response=[200, 201], description="What `If-Match` wants.")
MOST_BUCKETS = 10_000  # of one page; `next` says where to go on
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RunView(OwnView):
    """A route about one run: who may ask is settled before what is asked."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a stranger with 404 and a viewer's change with 403, whatever the body says."""
        super().initial(request, *args, **kwargs)
        find = queries.run_for if request.method in SAFE_METHODS else queries.editable_run
        find(person(request), kwargs["run_id"])


class Runs(OwnView):
    """The runs of your teams."""

    @extend_schema(operation_id="runs", tags=TAG, parameters=[RunQuery], responses={200: RunList, **refusals(400, 403)})
    def get(self, request: Request) -> Response:
        """List races, series and captures; what has just arrived is cut within a few seconds."""
        wanted = checked(RunQuery, request.query_params)
        account = person(request)
        found, following = page.ascending(_filtered(queries.runs_of(account), wanted), wanted)
        return Response({"data": [run_shown(run) for run in found], "next": following})

    @extend_schema(
        operation_id="run_open",
        tags=TAG,
        parameters=[ETAG],
        request=RunRequest,
        responses={201: RunAnswer, **refusals(400, 403, 404, 409)},
        examples=[OpenApiExample("A race", {"device": 7, "kind": "race", "name": "Friday"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Open a run by hand; with an end it is closed already."""
        given = checked(RunRequest, request.data)
        account = person(request)
        device, asset = _owners(account, given.pop("device", None), given.pop("asset", None))
        owner = device or asset
        if owner is None:
            raise BadRequest("say whose run it is: a device, an asset, or both", field="device")
        given.setdefault("started_at", timezone.now())
        run = services.open_run(
            team=owner.team, device=device, asset=asset, by=account, origin=Origin.of(request), **given
        )
        return answer(run, status=201)


class OneRun(RunView):
    """One run of your teams."""

    @extend_schema(
        operation_id="run", tags=TAG, parameters=[ETAG], responses={200: RunWithSummary, **refusals(403, 404)}
    )
    def get(self, request: Request, run_id: int) -> Response:
        """Show a run with its summary, from every reading that counts at this moment."""
        run = queries.run_for(person(request), run_id)
        shown = {**run_shown(run), "summary": summary_shown(queries.summary(run))}
        return Response(shown, headers={"ETag": etag(run)})

    @extend_schema(
        operation_id="run_change",
        tags=TAG,
        parameters=[IF_MATCH, ETAG],
        request=RunChange,
        responses={200: RunAnswer, **refusals(400, 403, 404, 409, 412, 428)},
    )
    def patch(self, request: Request, run_id: int) -> Response:
        """Name a run, or move its bounds."""
        given = checked(RunChange, request.data)
        with seen(request, run_id) as held:
            run = held
            if "name" in given:
                run = services.rename(held, name=given.pop("name"), by=person(request), origin=Origin.of(request))
            if given:
                run = services.move_boundary(run, by=person(request), origin=Origin.of(request), **given)
        return answer(run)

    @extend_schema(
        operation_id="run_delete",
        tags=TAG,
        parameters=[IF_MATCH],
        responses={204: None, **refusals(403, 404, 412, 428)},
    )
    def delete(self, request: Request, run_id: int) -> Response:
        """Delete a run; its readings stay, and `undo` brings it back."""
        with seen(request, run_id) as held:
            services.delete(held, by=person(request), origin=Origin.of(request))
        return Response(status=204)


class Buckets(RunView):
    """A run in pieces of equal length."""

    renderer_classes = [PlainJSON]  # noqa: RUF012 - the framework's own way of declaring

    @extend_schema(
        operation_id="run_buckets",
        tags=TAG,
        parameters=[BucketQuery],
        responses={200: BucketList, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, run_id: int) -> Response:
        """Show what each channel did in each bucket: peaks stay visible beside the mean."""
        wanted = {
            "bucket": DEFAULT_WIDTH_S,
            "fn": DEFAULT_FUNCTIONS,
            **checked(BucketQuery, request.query_params),
        }
        run = queries.run_for(person(request), run_id)
        span = _span(run, wanted)
        found = queries.buckets(run, wanted["bucket"], wanted["fn"], span=span)
        units = queries.units(run, {name for each in found for name in each["channels"]})
        told = {"units": units} if units else {}
        return Response({"data": found, "next": span[1] if _goes_on(run, span[1]) else None, **told})


def checked(shape: type[Serializer[Any]], given: Any) -> dict[str, Any]:
    """A body or a query held to its shape."""
    asked = shape(data=given)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


@contextmanager
def seen(request: Request, run_id: int) -> Iterator[Run]:
    """A run that the sender may change and has seen as it is; nobody else changes it meanwhile."""
    with precondition.seen(person(request), run_id, request.headers.get("If-Match")) as run:
        yield run


def answer(run: Run, *, status: int = 200) -> Response:
    """A run with its ETag."""
    return Response(run_shown(run), status=status, headers={"ETag": etag(run)})


def _filtered(runs: QuerySet[Run], wanted: dict[str, Any]) -> QuerySet[Run]:
    conditions: dict[str, Callable[[Any], Q]] = {
        "team": lambda value: Q(team=value),
        "device": lambda value: Q(device=value),
        "asset": lambda value: Q(asset=value),
        "kind": lambda value: Q(kind=value),
        "open": lambda value: Q(ended_at__isnull=value),
        "from": lambda value: Q(ended_at=None) | Q(ended_at__gt=value),
        "to": lambda value: Q(started_at__lt=value),
    }
    for name, condition in conditions.items():
        if wanted.get(name) is not None:
            runs = runs.filter(condition(wanted[name]))
    return runs


def _owners(account: Account, device_id: int | None, asset_id: int | None) -> tuple[Device | None, Asset | None]:
    device = None if device_id is None else editable_device(account, device_id)
    if asset_id is None:
        return device, None
    asset = assets_of(account).filter(pk=asset_id).first()
    if asset is None or (device is not None and device.team != asset.team):
        raise Http404
    refuse_unless(role_in(account, asset.team), EDITORS)
    return device, asset


def _span(run: Run, wanted: dict[str, Any]) -> tuple[datetime, datetime]:
    width = timedelta(seconds=wanted["bucket"])
    start = wanted.get("after", run.started_at)
    start -= (start - EPOCH) % width
    longest = (datetime(9000, 1, 1, tzinfo=UTC) - start) // width
    return start, start + width * min(wanted["limit"], MOST_BUCKETS, longest)


def _goes_on(run: Run, until: datetime) -> bool:
    end = run.ended_at or queries.last_time(run)
    return end is not None and until <= end
