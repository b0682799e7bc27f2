"""In front of both planes: what no request may do, whichever plane would answer it."""

from releve.http.request import Limits, Message, Receive, Request, Scope
from releve.protocol.problem import BadRequest, MethodNotAllowed, StrangeVersion

VERSIONS = frozenset({"1.0", "1.1"})


def checked(scope: Scope, receive: Receive, *, path: str, limits: Limits, request_id: str) -> Request:
    """The request with its headers checked.

    Raises:
        RepeatedHeader: A header that decides who sends what stands twice.
        MethodNotAllowed: TRACE, which would show a browser's cookies to a script.
        BadRequest: HTTP/1.1 without a Host (RFC 9112, section 3.2), or a NUL in the path or the query, which no text in
            PostgreSQL holds.
        StrangeVersion: Another HTTP than the two that are spoken here.
    """
    if scope["http_version"] not in VERSIONS:
        raise StrangeVersion
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        raise BadRequest("text with a NUL character")
    request = Request(scope, receive, path=path, limits=limits, id=request_id)
    if request.method == "TRACE":
        raise MethodNotAllowed("TRACE is not answered")
    if b"host" not in request.headers and scope["http_version"] == "1.1":
        raise BadRequest("the header Host is missing")
    return request


async def buffered(request: Request) -> tuple[Scope, Receive]:
    """The request for the control plane: its body is read here, bounded, so that a slow one holds no thread.

    Raises:
        Problem: As `Request.strangers_body`.
    """
    body = await request.strangers_body()
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    headers = [
        (name, value)
        for name, value in request.scope["headers"]
        if name not in (b"content-length", b"content-encoding", b"transfer-encoding")
    ]
    headers.append((b"content-length", b"%d" % len(body)))

    async def receive() -> Message:
        return waiting.pop() if waiting else await request.receive()

    return {**request.scope, "path": request.path, "headers": headers}, receive
