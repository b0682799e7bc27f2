"""How the API document describes what our own routes answer when they refuse."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from releve.control.api.errors import PROBLEM_TYPE


class FieldAtFault(serializers.Serializer[Any]):
    """One field and what is wrong with it."""

    field = serializers.CharField()
    reason = serializers.CharField()


class ProblemDocument(serializers.Serializer[Any]):
    """RFC 9457, with `message` for clients that read that."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    message = serializers.CharField()
    code = serializers.CharField(required=False)
    errors = FieldAtFault(many=True, required=False)  # type: ignore[assignment] # the metaclass takes it away again


_MEANING = {
    400: "The body or the query cannot be read; `errors` names the fields.",
    401: "No token, or none that is valid.",
    403: "Your role in the team does not allow it.",
    404: "There is no such thing, or it is not yours.",
    409: "It clashes with what is there already.",
    412: "It is no longer what `If-Match` names; read it again.",
    428: "Say in `If-Match` which state you change: the `ETag` of your last answer.",
}


def refusals(*statuses: int) -> dict[Any, OpenApiResponse]:
    """The responses of those statuses, each a problem document."""
    return {(status, PROBLEM_TYPE): _response(status) for status in (401, *statuses)}


def _response(status: int) -> OpenApiResponse:
    example: dict[str, Any] = {
        "type": "urn:releve:problem:…",
        "title": "…",
        "status": status,
        "detail": _MEANING[status],
        "message": _MEANING[status],
    }
    return OpenApiResponse(ProblemDocument, _MEANING[status], [OpenApiExample("Refused", example)])
