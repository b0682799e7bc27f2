"""One HTTP request of the data plane, straight from ASGI: checked headers and a bounded body."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import msgspec

from releve.protocol.problem import (
    BadEncoding,
    RepeatedHeader,
    TooLarge,
    TooSlow,
    UnsupportedMedia,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

# A second one of these with another value is how requests are smuggled, and what the ESP32 does by mistake.
_ONCE = frozenset({
    b"authorization", b"host", b"token", b"content-length", b"content-type", b"content-encoding", b"idempotency-key",
})  # fmt: skip
BODY_ARRIVED = "releve.body_arrived"  # set in the scope by a server that has the whole body before it calls us


class Disconnected(Exception):
    """The client went away before its request was complete."""


class Limits(msgspec.Struct, frozen=True):
    """What a request may cost: bytes of the inflated body, and seconds for the whole body to arrive."""

    body_bytes: int
    body_s: float


class Request:
    """A request whose headers have been checked.

    Raises:
        RepeatedHeader: A header that decides who sends what stands twice.
    """

    __slots__ = ("headers", "id", "limits", "method", "path", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive, *, path: str, limits: Limits, id: str) -> None:  # noqa: A002 - it is what it is
        self.scope = scope
        self.receive = receive
        self.path = path
        self.limits = limits
        self.id = id
        self.method: str = scope["method"]
        self.headers = _checked(scope["headers"])

    @property
    def query(self) -> bytes:
        """The query string as sent."""
        return self.scope["query_string"]  # type: ignore[no-any-return]

    def text(self, name: bytes) -> str:
        """A header's value, empty when it is not there."""
        return self.headers.get(name, b"").decode("latin-1")

    def token(self) -> str | None:
        """The access token: `Authorization: Bearer`, or contract A's header `token`."""
        authorization = self.headers.get(b"authorization")
        if authorization is None:
            token = self.headers.get(b"token")
            return None if not token else token.decode("latin-1")
        scheme, _, token = authorization.partition(b" ")
        return token.strip().decode("latin-1") if scheme.lower() == b"bearer" else None

    def credential(self) -> str | None:
        """The access token, or a device's own secret: as `token`, and HTTP Basic too, which keeps its scheme."""
        authorization = self.headers.get(b"authorization", b"")
        if authorization[:6].lower() == b"basic ":
            return f"Basic {authorization[6:].strip().decode('latin-1')}"
        return self.token()

    @property
    def address(self) -> str:
        """Where the client is."""
        client = self.scope.get("client")
        return client[0] if client else ""

    async def body(self) -> bytes:
        """The whole body, inflated.

        Raises:
            TooLarge: It is longer than the limit, as sent or inflated.
            TooSlow: It did not arrive in time.
            BadEncoding: It is not the gzip that it is said to be.
            UnsupportedMedia: It is encoded some other way.
            Disconnected: The client went away.
        """
        length = self.headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.limits.body_bytes:
            raise TooLarge(f"the body is larger than {self.limits.body_bytes} bytes; send fewer readings at once")
        body = await self._received()
        encoding = self.headers.get(b"content-encoding", b"identity").lower()
        if encoding == b"identity":
            return body
        if encoding != b"gzip":
            raise UnsupportedMedia(
                f"Content-Encoding {encoding.decode('latin-1')!r} is not understood; use gzip or none"
            )
        return inflate(body, limit=self.limits.body_bytes)

    async def keep_body(self) -> bytes:
        """Wait for the whole body, as sent, and keep it: whoever reads it next waits for nobody.

        Raises:
            TooLarge, TooSlow, Disconnected: As `body`.
        """
        body = await self._received()
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        receive = self.receive

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        self.receive = again
        return body

    async def _received(self) -> bytes:
        if BODY_ARRIVED in self.scope:  # nothing to wait for, so no timer
            return await self._joined()
        try:
            async with asyncio.timeout(self.limits.body_s):
                return await self._joined()
        except TimeoutError as error:
            raise TooSlow from error

    async def _joined(self) -> bytes:
        message = await self._next()
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            return body
        parts = [body]
        size = len(body)
        while message.get("more_body", False):
            message = await self._next()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.limits.body_bytes:
                raise TooLarge(f"the body is larger than {self.limits.body_bytes} bytes; send fewer readings at once")
        return b"".join(parts)

    async def _next(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        return message


async def while_there(request: Request, work: Awaitable[None]) -> None:
    """Do work that takes long, and drop it as soon as the client hangs up: its statement ends, its connection is free.

    The request's body must have arrived.

    Raises:
        Disconnected: The client hung up.
    """
    doing = asyncio.ensure_future(work)
    watching = asyncio.create_task(_gone(request.receive))
    try:
        await asyncio.wait((doing, watching), return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise Disconnected
        await doing
    finally:
        for task in (doing, watching):
            task.cancel()
        await asyncio.gather(doing, watching, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def inflate(body: bytes, *, limit: int) -> bytes:
    """Undo gzip, every member of it, without ever holding more than the limit.

    Raises:
        TooLarge: It inflates beyond the limit.
        BadEncoding: It is not gzip, or breaks off.
    """
    inflated = b""
    try:
        while body:
            member = zlib.decompressobj(wbits=31)
            inflated += member.decompress(body, limit + 1 - len(inflated))
            if len(inflated) > limit:
                raise TooLarge(f"the body inflates beyond {limit} bytes; send fewer readings at once")
            if not member.eof:
                raise BadEncoding("the gzip data breaks off")
            body = member.unused_data
    except zlib.error as error:
        raise BadEncoding(f"not gzip: {error}") from error
    return inflated


def _checked(pairs: Iterable[Header]) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for name, value in pairs:
        if name in headers and name in _ONCE:
            raise RepeatedHeader(f"the header {name.decode('latin-1').title()} stands more than once; send it once")
        headers[name] = value
    return headers
