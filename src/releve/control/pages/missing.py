"""What is answered where no view answers: a problem document to programs, a friendly page to people."""

import sys

import structlog
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from releve.protocol.problem import Broken, Forbidden, NotFound, Problem, Unavailable

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
_log = structlog.get_logger()


class Malformed(Problem):
    """The request is malformed."""

    title = "Malformed request"


def is_for_programs(request: HttpRequest) -> bool:
    """Programs call the API and the contracts' paths, or do not ask for HTML."""
    first = request.path_info.lstrip("/").partition("/")[0]
    return first in MACHINE_PATHS or "text/html" not in request.headers.get("Accept", "")


class StrangeHost(Malformed):
    """The server does not answer to the host that the request names; RELEVE_ALLOWED_HOSTS names those that it does."""

    title = "Unknown host"


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400, from Django itself: a host that is not ours, a malformed form."""
    if not isinstance(exception, DisallowedHost):
        return _problem(Malformed())
    _log.warning("host-refused", host=request.META.get("HTTP_HOST", "")[:200], setting="RELEVE_ALLOWED_HOSTS")
    response = _problem(StrangeHost())
    response._has_been_logged = True  # type: ignore[attr-defined] # noqa: SLF001 - Django's own mark; see serve/process/logs.py
    return response


def not_allowed(request: HttpRequest, exception: Exception | None = None, **_: str) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """403, also for a form without its CSRF token."""
    return _problem(Forbidden()) if is_for_programs(request) else render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """404, the same for what does not exist and for what is another team's."""
    return _problem(NotFound()) if is_for_programs(request) else render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: drawn without the database or the session, which may be what is broken."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):  # PostgreSQL restarts
        return _problem(Unavailable("the database does not answer; try again"))
    return _problem(Broken()) if is_for_programs(request) else render(None, "500.html", status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - it would tell an attacker more than a person
    """403: a form that did not come from our page, or stood open for too long."""
    return not_allowed(request)


def _problem(problem: Problem) -> JsonResponse:
    return JsonResponse(
        problem.document(),
        status=problem.status,
        content_type="application/problem+json",
        json_dumps_params={"ensure_ascii": False},
        headers={} if problem.retry_after_s is None else {"Retry-After": str(problem.retry_after_s)},
    )
