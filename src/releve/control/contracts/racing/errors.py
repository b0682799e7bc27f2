"""What contract B answers when it refuses: always JSON with `message`, because its clients read that."""

from typing import Any

from django.http import Http404
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from releve.control.api.errors import answer, answer_problem
from releve.protocol.problem import Problem


def answer_message(error: Exception, context: dict[str, Any]) -> Response | None:
    """The refusal as `{"message": …}`, with the fields at fault where there are some."""
    if isinstance(error, Http404):
        return Response({"message": (type(error).__doc__ or "Not found.").rstrip(".")}, status=404)
    has_document = isinstance(error, (Problem, ValidationError))
    response = answer_problem(error, context) if has_document else answer(error, context)
    if response is None:
        return None
    said: dict[str, Any] = response.data or {}
    message = str(said.get("message") or said.get("detail") or "Refused")
    response.data = {"message": message} | ({"errors": said["errors"]} if "errors" in said else {})
    response.content_type = None
    return response
