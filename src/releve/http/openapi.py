"""What every route of the data plane says alike in the API document: how to sign in, and its refusals."""

from typing import Any

Document = dict[str, Any]

SECURITY: list[Document] = [{"bearer": []}, {"token": []}]
_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def problems(*statuses: int) -> Document:
    """The refusals that a route may answer, by status."""
    return {str(status): _REFUSALS[status] for status in statuses}


def _refusal(description: str) -> Document:
    content = {"application/problem+json": {"schema": _PROBLEM}, "application/json": {"schema": _PROBLEM}}
    return {"description": description, "content": content}


_REFUSALS = {
    400: _refusal("The request is malformed."),
    401: _refusal("No token, or none that is valid."),
    403: _refusal("A valid token for something else."),
    404: _refusal("There is no such thing, or it is not yours."),
    405: _refusal("This address does not answer that method."),
    408: _refusal("The body did not arrive in time."),
    413: _refusal("More bytes or readings than are taken at once."),
    415: _refusal("A type or encoding that is not understood."),
    422: _refusal("A field is wrong; which, and why."),
    429: _refusal("This sender has too much waiting; send it again later."),
    503: _refusal("Nothing was acknowledged; send it again."),
}
