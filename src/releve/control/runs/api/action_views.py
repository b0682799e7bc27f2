"""The API of what people do to runs: close, re-open, merge, split, undo, leave out, set by hand."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.origin import Origin
from releve.control.api.documents import refusals
from releve.control.api.views import OwnView, person
from releve.control.runs import queries
from releve.control.runs.api.serializers import (
    ChangeList,
    CloseRequest,
    ExclusionAnswer,
    ExclusionList,
    ExclusionRequest,
    HandStatistics,
    MergeRequest,
    RunAnswer,
    RunPair,
    RunWithSummary,
    SplitRequest,
    UndoRequest,
)
from releve.control.runs.api.shown import change_shown, exclusion_shown, run_shown, summary_shown
from releve.control.runs.api.views import ETAG, IF_MATCH, TAG, RunView, answer, checked, seen
from releve.control.runs.edit import services
from releve.control.runs.models import Run
from releve.protocol.problem import BadRequest

LARGEST_IDENTITY = 2**63
MAY_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="An `ETag` of the run; 412 where it was changed since.",
)
CHANGED: dict[Any, Any] = {200: RunAnswer, **refusals(400, 403, 404, 409, 412, 428)}
PAIR: dict[Any, Any] = {200: RunPair, **refusals(400, 403, 404, 409, 412, 428)}


class Close(RunView):
    """The end of a run."""

    @extend_schema(
        operation_id="run_close", tags=TAG, parameters=[IF_MATCH, ETAG], request=CloseRequest, responses=CHANGED
    )
    def post(self, request: Request, run_id: int) -> Response:
        """End a run, now or at an instant."""
        ended_at = checked(CloseRequest, request.data).get("ended_at", timezone.now())
        with seen(request, run_id) as held:
            run = services.close_run(held, ended_at=ended_at, by=person(request), origin=Origin.of(request))
        return answer(run)


class Reopen(RunView):
    """A run that goes on after all."""

    @extend_schema(operation_id="run_reopen", tags=TAG, parameters=[IF_MATCH, ETAG], request=None, responses=CHANGED)
    def post(self, request: Request, run_id: int) -> Response:
        """Let a run go on."""
        with seen(request, run_id) as held:
            run = services.reopen(held, by=person(request), origin=Origin.of(request))
        return answer(run)


class Merge(RunView):
    """Two runs that are one."""

    @extend_schema(
        operation_id="run_merge", tags=TAG, parameters=[IF_MATCH, ETAG], request=MergeRequest, responses=CHANGED
    )
    def post(self, request: Request, run_id: int) -> Response:
        """Take another run in, with what lies between the two."""
        wanted = checked(MergeRequest, request.data)
        with seen(request, run_id) as held:
            other = queries.editable_run(person(request), wanted["run"])
            run = services.merge(held, other, by=person(request), origin=Origin.of(request))
        return answer(run)


class Split(RunView):
    """One run that is two."""

    @extend_schema(operation_id="run_split", tags=TAG, parameters=[IF_MATCH], request=SplitRequest, responses=PAIR)
    def post(self, request: Request, run_id: int) -> Response:
        """Cut a run in two; the second is a new run."""
        wanted = checked(SplitRequest, request.data)
        with seen(request, run_id) as held:
            pair = services.split(held, at=wanted["at"], by=person(request), origin=Origin.of(request))
        return Response({"data": [run_shown(run) for run in pair]})


class Undo(OwnView):
    """A change that is taken back."""

    @extend_schema(
        operation_id="run_undo",
        tags=TAG,
        request=UndoRequest,
        responses={200: RunPair, **refusals(400, 403, 404, 409)},
    )
    def post(self, request: Request, run_id: int) -> Response:
        """Take back the last change of the run's bounds or name, or the named one if no later one stands on it."""
        wanted = checked(UndoRequest, request.data)
        change = queries.undoable_change(person(request), run_id, wanted.get("change"))
        runs = services.undo(change, by=person(request), origin=Origin.of(request))
        return Response({"data": [run_shown(run) for run in runs if run.deleted_at is None]})


class Changes(OwnView):
    """The history of a run."""

    @extend_schema(operation_id="run_changes", tags=TAG, responses={200: ChangeList, **refusals(403, 404)})
    def get(self, request: Request, run_id: int) -> Response:
        """List what people did to a run, a deleted one too."""
        changes = queries.changes_for(person(request), run_id)
        return Response({"data": [change_shown(change) for change in changes[:1000]]})


class Exclusions(RunView):
    """Readings of a run that are left out."""

    @extend_schema(operation_id="run_exclusions", tags=TAG, responses={200: ExclusionList, **refusals(403, 404)})
    def get(self, request: Request, run_id: int) -> Response:
        """List what is left out of a run's statistics, and why."""
        found = queries.exclusions_of(queries.run_for(person(request), run_id))
        return Response({"data": [exclusion_shown(exclusion) for exclusion in found[:1000]]})

    @extend_schema(
        operation_id="run_exclude",
        tags=TAG,
        parameters=[MAY_MATCH],
        request=ExclusionRequest,
        responses={201: ExclusionAnswer, **refusals(400, 403, 404, 412)},
    )
    def post(self, request: Request, run_id: int) -> Response:
        """Leave readings out of every statistic, at once; they stay stored."""
        wanted = checked(ExclusionRequest, request.data)
        if "If-Match" not in request.headers:
            return self._left_out(request, queries.editable_run(person(request), run_id), wanted)
        with seen(request, run_id) as held:
            return self._left_out(request, held, wanted)

    def _left_out(self, request: Request, run: Run, wanted: dict[str, Any]) -> Response:
        who: dict[str, Any] = {"by": person(request), "origin": Origin.of(request)}
        if "reading" in wanted:
            identity = int(wanted["reading"])
            if not -LARGEST_IDENTITY <= identity < LARGEST_IDENTITY:
                raise BadRequest("an identity has 64 bits", field="reading")
            exclusion = services.exclude_reading(
                run, time=wanted["since"], reading_id=identity, reason=wanted["reason"], **who
            )
        else:
            span: dict[str, Any] = {name: wanted[name] for name in ("since", "until")}
            exclusion = services.exclude(run, reason=wanted["reason"], **span, **who)
        return Response(exclusion_shown(exclusion), status=201)


class OneExclusion(RunView):
    """One exclusion of a run."""

    @extend_schema(operation_id="run_include", tags=TAG, responses={204: None, **refusals(403, 404)})
    def delete(self, request: Request, run_id: int, exclusion_id: int) -> Response:
        """Let the readings count again."""
        run = queries.editable_run(person(request), run_id)
        exclusion = queries.exclusions_of(run).filter(pk=exclusion_id).first()
        if exclusion is None:
            raise Http404
        services.include(exclusion, by=person(request), origin=Origin.of(request))
        return Response(status=204)


class Statistics(RunView):
    """Statistics of a run that a person set."""

    @extend_schema(
        operation_id="run_correct",
        tags=TAG,
        request=HandStatistics,
        responses={200: RunWithSummary, **refusals(400, 403, 404)},
    )
    def put(self, request: Request, run_id: int) -> Response:
        """Set statistics by hand; they are marked as such and stay until released."""
        wanted = checked(HandStatistics, request.data)
        run = queries.editable_run(person(request), run_id)
        services.correct_by_hand(run, wanted["statistics"], by=person(request), origin=Origin.of(request))
        return Response({**run_shown(run), "summary": summary_shown(queries.summary(run))})

    @extend_schema(operation_id="run_release", tags=TAG, responses={204: None, **refusals(403, 404)})
    def delete(self, request: Request, run_id: int) -> Response:
        """Show the computed statistics again."""
        run = queries.editable_run(person(request), run_id)
        services.release_hand_values(run, by=person(request), origin=Origin.of(request))
        return Response(status=204)
