"""Pages of other sites that the operator lets call the API: the CORS protocol of the Fetch standard, section 3.2.

Cookies are never let through this way (no `Access-Control-Allow-Credentials`), so such a page signs in with a token,
and cannot borrow the session of somebody who has our own pages open.
"""

from collections.abc import Awaitable, Callable

from releve.http.request import Message, Receive, Scope, Send

METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
HEADERS = b"authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, prefer, token"
EXPOSED = b"etag, link, location, retry-after, x-request-id"
MAX_AGE_S = b"600"
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class CrossOrigin:
    """Answers a browser's question in front of a call, and says on each answer that the page may read it.

    Args:
        application: Answers everything else.
        origins: As browsers write them: `https://board.example.com`, `http://192.168.1.5:3000`.
    """

    def __init__(self, application: Application, origins: frozenset[str]) -> None:
        self._application = application
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI connection."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        readable = [(b"vary", b"Origin")]
        if origin in self._origins:
            readable += [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", EXPOSED)]
            if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
                await _answer_question(send, readable)
                return

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *readable]}
            await send(message)

        await self._application(scope, receive, send_readable)


async def _answer_question(send: Send, readable: list[tuple[bytes, bytes]]) -> None:
    """Which calls a page may make; whether it may make this one is told by its answer."""
    allowed = [
        (b"access-control-allow-methods", METHODS),
        (b"access-control-allow-headers", HEADERS),
        (b"access-control-max-age", MAX_AGE_S),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": [*readable, *allowed]})
    await send({"type": "http.response.body", "body": b""})
