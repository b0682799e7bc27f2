"""Answers of the data plane, straight to ASGI: a document, or a problem in its contract's words."""

from collections.abc import Iterable
from typing import Any

import msgspec

from releve.http.request import Header, Send
from releve.protocol.problem import BadRequest, Problem, StrangeVersion, TooLarge, TooSlow, Unauthenticated

CHALLENGE: Header = (b"www-authenticate", b'Bearer realm="api"')
_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", b"application/problem+json")
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
encode = msgspec.json.Encoder().encode


async def answer(send: Send, status: int, document: Any, headers: Iterable[Header] = ()) -> None:
    """Answer one JSON document."""
    await send_bytes(send, status, encode(document), (_JSON, *headers))


async def answer_options(send: Send, method: str) -> None:
    """Answer which methods a route takes."""
    await answer(send, 200, {"message": f"takes {method}"}, ((b"allow", f"{method}, OPTIONS".encode()),))


async def answer_problem(send: Send, problem: Problem, document: Any = None, headers: Iterable[Header] = ()) -> None:
    """Answer a problem, as RFC 9457 says unless the contract has its own document."""
    body, told = told_of(problem, document, headers)
    await send_bytes(send, problem.status, body, told)


def told_of(problem: Problem, document: Any = None, headers: Iterable[Header] = ()) -> tuple[bytes, list[Header]]:
    """The body and the headers, but for those that every answer has, of a problem's answer."""
    extra = [_PROBLEM if document is None else _JSON, *headers]
    if isinstance(problem, Unauthenticated) and CHALLENGE not in extra:
        extra.append(CHALLENGE)  # RFC 9110, section 15.5.2
    if problem.retry_after_s is not None:
        extra.append((b"retry-after", str(problem.retry_after_s).encode()))
    if isinstance(problem, TooLarge | TooSlow | BadRequest | StrangeVersion):
        extra.append((b"connection", b"close"))  # the rest of the body is not worth reading
    return encode(problem.document() if document is None else document), extra


def framed(body: bytes, headers: Iterable[Header]) -> list[Header]:
    """The headers of an answer with this body: those that every answer has, and its own."""
    return [(b"content-length", b"%d" % len(body)), _NO_SNIFFING, *headers]


async def send_bytes(send: Send, status: int, body: bytes, headers: Iterable[Header]) -> None:
    """Answer one body with its length."""
    await send({"type": "http.response.start", "status": status, "headers": framed(body, headers)})
    await send({"type": "http.response.body", "body": body})
