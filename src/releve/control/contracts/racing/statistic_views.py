"""The statistics of contract B: per race, of all races, and per five seconds."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from releve.control.accounts.origin import Origin
from releve.control.contracts.racing import queries, services
from releve.control.contracts.racing.access import Caller, NoRace
from releve.control.contracts.racing.serializers import (
    Correction,
    CorrectionOfRace,
    FiveSeconds,
    Message,
    RaceTotals,
    StatisticsChanged,
    StatisticsList,
)
from releve.control.contracts.racing.views import TAG, RacingView, checked, refusals
from releve.control.runs.models import Run
from releve.protocol.contract.lenient import whole
from releve.protocol.problem import BadReading

NONE_FOUND = "No statistics found for the given race_id"
REQUIRED = "race_id parameter is required"


class BadParameter(APIException):
    """A parameter is missing or wrong."""

    status_code = 400


class RaceStatistics(RacingView):
    """The statistics of one race."""

    @extend_schema(
        operation_id="race_statistics",
        tags=TAG,
        parameters=[OpenApiParameter("race_id", int, required=True)],
        responses={200: StatisticsList, **refusals(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """Show the statistics of a race as they are at this moment."""
        number = asked_race(request)
        if number is None:
            raise BadParameter(REQUIRED)
        try:
            found = queries.race_statistics(Caller.of(request).race(number))
        except NoRace:
            found = None
        if found is None:
            return Response({"message": NONE_FOUND}, status=404)
        return Response({"data": [found]})

    @extend_schema(
        operation_id="race_statistics_add",
        tags=TAG,
        request=CorrectionOfRace,
        responses={201: StatisticsChanged, **refusals(400, 404)},
    )
    def post(self, request: Request) -> Response:
        """Set the statistics of a race by hand; they stand until they are deleted."""
        values = checked(CorrectionOfRace, request)
        caller = Caller.of(request)
        race = caller.race(values.pop("race_id"))
        _correct(race, values, caller, request)
        return Response({"message": "Stats race successfully added", "data": queries.race_statistics(race)}, status=201)


class OneRaceStatistics(RacingView):
    """The statistics of one race, by their number, which is the race's."""

    @extend_schema(
        operation_id="race_statistics_change",
        tags=TAG,
        request=Correction,
        responses={200: StatisticsChanged, **refusals(400, 404)},
    )
    def put(self, request: Request, number: int) -> Response:
        """Correct the statistics of a race by hand; they stand until they are deleted."""
        caller = Caller.of(request)
        race = caller.race(number)
        caller.editing(race)
        _correct(race, checked(Correction, request), caller, request)
        return Response({"message": "Stats race successfully updated", "data": queries.race_statistics(race)})

    @extend_schema(operation_id="race_statistics_delete", tags=TAG, responses={200: Message, **refusals(404)})
    def delete(self, request: Request, number: int) -> Response:
        """Release what was set by hand; the computed statistics show again."""
        caller = Caller.of(request)
        race = caller.race(number)
        caller.editing(race)
        if queries.race_statistics(race) is None:
            return Response({"message": NONE_FOUND}, status=404)
        services.release(race, by=caller.account, origin=Origin.of(request))
        return Response({"message": "Stats race successfully deleted"})


class AllStatistics(RacingView):
    """The statistics of every race, as a bare array."""

    @extend_schema(operation_id="races_statistics", tags=TAG, responses={200: RaceTotals(many=True), **refusals()})
    def get(self, request: Request) -> Response:
        """List what every race with readings was."""
        return Response(list(queries.totals(list(Caller.of(request).races()))))


class EveryFiveSeconds(RacingView):
    """Every five seconds of every race, as a bare array."""

    @extend_schema(
        operation_id="races_every_5_seconds",
        tags=TAG,
        parameters=[OpenApiParameter("race_id", int)],
        responses={200: FiveSeconds(many=True), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List the mean speed and battery, the last distance and track of every five seconds, by race and date."""
        caller = Caller.of(request)
        number = asked_race(request)
        chosen = caller.races() if number is None else caller.races_named(number)
        rows = enumerate(queries.five_seconds(list(chosen)), start=1)
        return Response([{"id": place, **row} for place, row in rows])


def asked_race(request: Request) -> int | None:
    """The race that the query names, None where it names none.

    Raises:
        BadParameter: It is not a number.
    """
    text = request.query_params.get("race_id", "").strip()
    if not text:
        return None
    try:
        return whole(text, "race_id")
    except BadReading as error:
        raise BadParameter("race_id must be the number of a race") from error


def _correct(race: Run, values: dict[str, Any], caller: Caller, request: Request) -> None:
    caller.editing(race)
    services.correct(race, values, by=caller.account, origin=Origin.of(request))
