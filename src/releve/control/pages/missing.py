"""What is answered where no view answers: a problem document to programs, a friendly page to people."""

import sys

import structlog
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from releve.protocol.problem import Broken, Forbidden, NotFound, Problem, StrangeHost, Unavailable

MACHINE_PATHS = (
    "api",
    "auth",
    "data",
    "get_broker_data",
    "get_stats_races",
    "healthz",
    "live",
    "metrics",
    "mqtt",
    "race",
    "races",
    "readyz",
    "sensor_data",
    "stats_every_5_seconds",
    "stats_race",
    "status",
    "users",
    "vehicle",
    "vehicles",
)
PAGES_AMONG_THEM = ("api/docs", "api/redoc")
RETRY_S = 5
_log = structlog.get_logger()


class Malformed(Problem):
    """The request is malformed."""

    title = "Malformed request"


def is_for_programs(request: HttpRequest) -> bool:
    """Programs call the API and the contracts' paths, or do not ask for HTML."""
    path = request.path_info.strip("/")
    is_machines = path.partition("/")[0] in MACHINE_PATHS and path not in PAGES_AMONG_THEM
    return is_machines or "text/html" not in request.headers.get("Accept", "")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400, from Django itself: a host that is not ours, a malformed form."""
    if not isinstance(exception, DisallowedHost):
        return _problem(Malformed())
    _log.warning("host-refused", host=request.META.get("HTTP_HOST", "")[:200], setting="RELEVE_ALLOWED_HOSTS")
    return _logged(_problem(StrangeHost()))


def not_allowed(request: HttpRequest, exception: Exception | None = None, **_: str) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """403, also for a form without its CSRF token."""
    return _problem(Forbidden()) if is_for_programs(request) else render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """404, the same for what does not exist and for what is another team's."""
    return _problem(NotFound()) if is_for_programs(request) else render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: drawn without the database or the session, which may be what is broken."""
    error = sys.exception()
    if isinstance(error, OperationalError | InterfaceError):  # PostgreSQL restarts
        _log.warning("pages wait for the database", error=str(error).strip()[:500])
        return _logged(_database_away(request))
    return _problem(Broken()) if is_for_programs(request) else render(None, "500.html", status=500)


def _database_away(request: HttpRequest) -> HttpResponse:
    """503: a page that asks again by itself, unless it is the answer to a form, which might then be sent twice."""
    if is_for_programs(request):
        return _problem(Unavailable("the database does not answer; try again"))
    context = {"again_after_s": RETRY_S if request.method == "GET" else None}
    response = render(None, "503.html", context, status=503)
    response.headers["Retry-After"] = str(RETRY_S)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - it would tell an attacker more than a person
    """403: a form that did not come from our page, or stood open for too long."""
    return not_allowed(request)


def _logged(response: HttpResponse) -> HttpResponse:
    """The answer, of which Django shall not write a line of its own: ours stands in the log already."""
    response._has_been_logged = True  # type: ignore[attr-defined] # noqa: SLF001 - Django's own mark; see process/logs.py
    return response


def _problem(problem: Problem) -> JsonResponse:
    return JsonResponse(
        problem.document(),
        status=problem.status,
        content_type="application/problem+json",
        json_dumps_params={"ensure_ascii": False},
        headers={} if problem.retry_after_s is None else {"Retry-After": str(problem.retry_after_s)},
    )
