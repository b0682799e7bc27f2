"""One HTTP request of the data plane, straight from ASGI: checked headers and a bounded body."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

import msgspec

from releve.protocol.problem import (
    BadEncoding,
    Overloaded,
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
STRANGERS_BYTES = 65_536  # the body of somebody who has shown no credential
_PIECE_BYTES = 65_536
_RATIO = 300  # a batch of eight thousand readings that are all zero comes to 100; a bomb to 1,000
_CREDENTIALS = (b"authorization", b"token", b"cookie")
BODY_ARRIVED = "releve.body_arrived"  # set in the scope by a server that has the whole body before it calls us


class Disconnected(Exception):
    """The client went away before its request was complete."""


class Limits(msgspec.Struct, frozen=True):
    """What a request may cost: bytes of the inflated body, and seconds for the whole body to arrive."""

    body_bytes: int
    body_s: float


class InFlight:
    """The bytes of larger bodies that one process holds at a time; small ones are held by every connection anyway."""

    MOST = 64 * 1024 * 1024

    def __init__(self, most: int = MOST) -> None:
        self.left = most

    def take(self, held: "Held", size: int) -> None:
        """Let a request hold so many bytes more.

        Raises:
            Overloaded: Others hold too many.
        """
        if size > self.left:
            raise Overloaded("too many large bodies at once; nothing was stored, send it again")
        self.left -= size
        held.size += size


class Held:
    """What one request holds of it, given back when the request is forgotten, whichever way it ends."""

    __slots__ = ("_of", "size")

    def __init__(self, of: InFlight) -> None:
        self._of = of
        self.size = 0

    def __del__(self) -> None:
        self._of.left += self.size


IN_FLIGHT = InFlight()


class Request:
    """A request whose headers have been checked.

    Raises:
        RepeatedHeader: A header that decides who sends what stands twice.
    """

    __slots__ = ("_held", "headers", "id", "limits", "method", "path", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive, *, path: str, limits: Limits, id: str) -> None:  # noqa: A002 - it is what it is
        self.scope = scope
        self.receive = receive
        self.path = path
        self.limits = limits
        self.id = id
        self.method: str = scope["method"]
        self.headers = _checked(scope["headers"])
        self._held = Held(IN_FLIGHT)

    @property
    def query(self) -> bytes:
        """The query string as sent."""
        return self.scope["query_string"]  # type: ignore[no-any-return]

    def text(self, name: bytes) -> str:
        """A header's value, empty when it is not there."""
        return self.headers.get(name, b"").decode("latin-1")

    def token(self) -> str | None:
        """The access token: `Authorization: Bearer`, or contract A's header `token`."""
        return token_of(self.headers)

    def credential(self) -> str | None:
        """The access token, or a device's own secret: as `token`, and HTTP Basic too, which keeps its scheme."""
        return credential_of(self.headers)

    @property
    def address(self) -> str:
        """Where the client is."""
        client = self.scope.get("client")
        return client[0] if client else ""

    async def body(self) -> bytes:
        """The whole body, inflated; to be asked for once the sender is known.

        Raises:
            TooLarge: It is longer than the limit, as sent or inflated.
            TooSlow: It did not arrive in time.
            BadEncoding: It is not the gzip that it is said to be.
            UnsupportedMedia: It is encoded some other way.
            Overloaded: The bodies of others take too much room.
            Disconnected: The client went away.
        """
        body = await self._received(self.limits.body_bytes)
        encoding = self._encoding
        if encoding == b"identity":
            return body
        if encoding != b"gzip":
            raise UnsupportedMedia(
                f"Content-Encoding {encoding.decode('latin-1')!r} is not understood; use gzip or none"
            )
        most = min(self.limits.body_bytes, len(body) * _RATIO)
        IN_FLIGHT.take(self._held, most)
        return await inflated(body, limit=most)

    async def keep_body(self) -> bytes:
        """Wait for the whole body, as sent, and keep it: whoever reads it next waits for nobody.

        Raises:
            TooLarge, TooSlow, Disconnected: As `body`.
        """
        body = await self._received(self._strangers_limit)
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        receive = self.receive

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        self.receive = again
        return body

    async def strangers_body(self) -> bytes:
        """The whole body on a route that has not looked who sends it: as it is, and short without a credential.

        Raises:
            TooLarge, TooSlow, Overloaded, Disconnected: As `body`.
            UnsupportedMedia: It is encoded.
        """
        if self._encoding != b"identity":
            raise UnsupportedMedia("this route takes no Content-Encoding; send the body as it is")
        return await self._received(self._strangers_limit)

    @property
    def _strangers_limit(self) -> int:
        has_shown = any(name in self.headers for name in _CREDENTIALS)
        return self.limits.body_bytes if has_shown else STRANGERS_BYTES

    @property
    def _encoding(self) -> bytes:
        return self.headers.get(b"content-encoding", b"identity").lower()

    async def _received(self, limit: int) -> bytes:
        length = self.headers.get(b"content-length", b"0")
        if length.isdigit() and int(length[:20]) > limit:
            raise _too_large(limit)
        if BODY_ARRIVED in self.scope:  # nothing to wait for, so no timer
            return await self._joined(limit)
        try:
            async with asyncio.timeout(self.limits.body_s):
                return await self._joined(limit)
        except TimeoutError as error:
            raise TooSlow from error

    async def _joined(self, limit: int) -> bytes:
        message = await self._next()
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return body
        parts = [body]
        size = len(body)
        while message.get("more_body", False):
            message = await self._next()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise _too_large(limit)
            IN_FLIGHT.take(self._held, len(parts[-1]))
        return b"".join(parts)

    async def _next(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        return message


def token_of(headers: Mapping[bytes, bytes]) -> str | None:
    """As `Request.token`."""
    authorization = headers.get(b"authorization")
    if authorization is None:
        token = headers.get(b"token")
        return None if not token else token.decode("latin-1")
    scheme, _, token = authorization.partition(b" ")
    return token.strip().decode("latin-1") if scheme.lower() == b"bearer" else None


def credential_of(headers: Mapping[bytes, bytes]) -> str | None:
    """As `Request.credential`."""
    authorization = headers.get(b"authorization", b"")
    if authorization[:6].lower() == b"basic ":
        return f"Basic {authorization[6:].strip().decode('latin-1')}"
    return token_of(headers)


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


async def inflated(body: bytes, *, limit: int) -> bytes:
    """Undo gzip of one member, piece by piece, so that everybody else gets a turn of the event loop in between.

    Further members (RFC 1952 allows them) are refused: each may be empty, and 200,000 of them cost seconds.

    Raises:
        TooLarge: It inflates beyond the limit.
        BadEncoding: It is not gzip, breaks off, or goes on behind its end.
    """
    member = zlib.decompressobj(wbits=31)
    parts: list[bytes] = []
    size = 0
    try:
        while not member.eof:
            piece = member.decompress(body, _PIECE_BYTES)
            body = member.unconsumed_tail
            size += len(piece)
            if size > limit:
                raise TooLarge(f"the body inflates beyond {limit} bytes; send fewer readings at once")
            if not piece and not body and not member.eof:
                raise BadEncoding("the gzip data breaks off")
            parts.append(piece)
            await asyncio.sleep(0)
    except zlib.error as error:
        raise BadEncoding(f"not gzip: {error}") from error
    if member.unused_data:
        raise BadEncoding("the gzip data goes on behind its end; send one member")
    return b"".join(parts)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes; send fewer readings at once")


def _checked(pairs: Iterable[Header]) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for name, value in pairs:
        if name in headers and name in _ONCE:
            raise RepeatedHeader(f"the header {name.decode('latin-1').title()} stands more than once; send it once")
        headers[name] = value
    return headers
