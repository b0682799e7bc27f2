"""Turns what went wrong into the answer: contract routes have their own shapes, ours are RFC 9457 documents."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from releve.control.accounts.credentials import Busy
from releve.control.accounts.limiter import TooManyAttempts
from releve.protocol import problem
from releve.protocol.problem import Problem

PROBLEM_TYPE = "application/problem+json"


class Conflict(Problem):
    """It clashes with what is there already."""

    title = "Conflict"
    status = 409


_BY_STATUS: dict[int, type[Problem]] = {
    400: problem.BadRequest,
    401: problem.Unauthenticated,
    403: problem.Forbidden,
    404: problem.NotFound,
    405: problem.MethodNotAllowed,
    409: Conflict,
    413: problem.TooLarge,
    415: problem.UnsupportedMedia,
    429: problem.Throttled,
    503: problem.Unavailable,
}


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer of a contract route: `detail`, and for a bad body each field with its reasons."""
    if isinstance(error, Problem):
        return _with_retry(Response({"detail": str(error)}, status=error.status), error.retry_after_s)
    if isinstance(error, (TooManyAttempts, Busy)):
        is_busy = isinstance(error, Busy)
        code = status.HTTP_503_SERVICE_UNAVAILABLE if is_busy else status.HTTP_429_TOO_MANY_REQUESTS
        return _with_retry(Response({"detail": error.__doc__}, status=code), error.retry_after_s)
    return exception_handler(error, context)


def answer_problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer of a route of ours: a problem document, with contract C's members where it has some."""
    if isinstance(error, Problem):
        response = Response(error.document(), status=error.status)
        _with_retry(response, error.retry_after_s)
    else:
        plain = answer(error, context)
        if plain is None:
            return None
        response = plain
        response.data = _document(error, plain)
    response.content_type = PROBLEM_TYPE
    return response


def _document(error: Exception, plain: Response) -> dict[str, Any]:
    kind = _BY_STATUS.get(plain.status_code, Problem)
    if isinstance(error, exceptions.ValidationError):
        reasons = list(_reasons(plain.data))
        document = kind("; ".join(f"{field}: {reason}" for field, reason in reasons)).document()
        return document | {"errors": [{"field": field, "reason": reason} for field, reason in reasons]}
    if isinstance(error, (Http404, exceptions.NotFound)):
        return kind().document()
    if isinstance(error, PermissionDenied):
        return kind().document()
    if isinstance(error, exceptions.UnsupportedMediaType):
        return kind("send the body as JSON, with the header `Content-Type: application/json`").document()
    return {**kind(str(plain.data.get("detail", ""))).document(), **plain.data}


def _reasons(data: Any, field: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _reasons(value, f"{field}.{name}" if field else str(name))
    elif isinstance(data, list):
        for item in data:
            yield from _reasons(item, field)
    else:
        yield field, str(data)


def _with_retry(response: Response, retry_after_s: int | None) -> Response:
    if retry_after_s is not None:
        response["Retry-After"] = str(retry_after_s)
    return response
