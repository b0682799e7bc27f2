"""uvicorn's HTTP protocol with what it lacks: deadlines for headers, bodies and answers, and a limit on headers."""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from releve.http.answer import encode
from releve.http.request import BODY_ARRIVED
from releve.protocol.problem import BadRequest, HeadersTooLarge, Problem, TooSlow

HEADER_LIMIT_BYTES = 64 * 1024
JOINED_BYTES = 64 * 1024
WRITE_S = 30.0  # a client that takes nothing of its answer for so long is not there any more
BODY_GRACE_S = 2.0  # the guard answers a slow body first; this ends what goes on sending after its answer


class JoinedWrites:
    """A transport that hands over in one piece what one turn of the event loop wrote.

    uvicorn writes an answer's head and body one after the other, and each would be a system call.
    """

    __slots__ = ("_loop", "_parts", "_size", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Keep it until the turn ends, or until it is so much that whoever writes must hear whether it is taken."""
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)
        self._size += len(data)
        if self._size >= JOINED_BYTES:
            self.flush()

    def write_now(self, data: bytes) -> None:
        """Hand it over behind what was written, without waiting for the turn to end: whoever calls has joined it."""
        if self._parts:
            self._parts.append(data)
            self.flush()
        elif not self._transport.is_closing():
            self._transport.write(data)

    def flush(self) -> None:
        """Hand over what was written; an answer to whoever has hung up since is nobody's."""
        if self._parts:
            parts, self._parts, self._size = self._parts, [], 0
            if not self._transport.is_closing():
                self._transport.write(b"".join(parts))

    def close(self) -> None:
        """Close after what was written, or without it when nobody takes it."""
        self.flush()
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._loop.call_later(WRITE_S, self._transport.abort)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Another protocol takes over, after what was written."""
        self.flush()
        self._transport.set_protocol(protocol)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request does not arrive in time; a request that arrives whole arms no timer.

    Subclasses made by `bounded` carry the deadlines, because uvicorn makes the instances.
    """

    writes: JoinedWrites
    header_s: float
    body_s: float
    write_s: float

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._draining: asyncio.TimerHandle | None = None
        self._is_in_headers = True
        self._is_complete = False
        self._header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first request its deadline."""
        self.writes = JoinedWrites(transport, self.loop)
        super().connection_made(self.writes)  # type: ignore[arg-type]
        self._arm(self.header_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        self._disarm()
        self._drained()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not keep up: it has so long to take some of its answer."""
        super().pause_writing()
        if self._draining is None:
            self._draining = self.loop.call_later(self.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken some."""
        self._drained()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parse, then bound what is not complete yet."""
        if self._is_complete:
            self._is_in_headers, self._is_complete, self._header_bytes = True, False, 0
        was_in_headers = self._is_in_headers
        super().data_received(data)
        if self._is_complete:
            self._disarm()
        elif self._is_in_headers:
            self._bound_headers(len(data))
        elif was_in_headers:
            self._disarm()
            self._arm(self.body_s)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_in_headers, self._is_complete = True, False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its headers are there."""
        self._is_in_headers, self._header_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Its body is there."""
        self._is_complete = True
        self.scope[BODY_ARRIVED] = True  # type: ignore[literal-required]
        super().on_message_complete()

    def _bound_headers(self, received: int) -> None:
        self._header_bytes += received
        if self._header_bytes > HEADER_LIMIT_BYTES:
            self._end(HeadersTooLarge())
        elif self._deadline is None:
            self._arm(self.header_s)

    def _arm(self, seconds: float) -> None:
        self._deadline = self.loop.call_later(seconds, self._end, TooSlow("the request did not arrive in time"))

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _drained(self) -> None:
        if self._draining is not None:
            self._draining.cancel()
            self._draining = None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the parser's words name no part of the request
        """Refuse what is no request that can be read, as every other refusal is."""
        self.transport.write(
            _whole(BadRequest("this is no HTTP/1.1 request; its line, a header or its framing is wrong"))
        )
        self.transport.close()

    def _end(self, problem: Problem) -> None:
        self._disarm()
        if self.transport is not None and not self.transport.is_closing():
            if self._is_in_headers:
                self.transport.write(_whole(problem))
            self.transport.close()


def _whole(problem: Problem) -> bytes:
    """An answer as bytes, where no request stands that could be answered through ASGI."""
    body = encode(problem.document())
    head = (
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


def bounded(*, header_s: float, body_s: float, write_s: float = WRITE_S) -> type[BoundedProtocol]:
    """The protocol class for uvicorn, with its deadlines in seconds."""
    deadlines = {"header_s": header_s, "body_s": body_s + BODY_GRACE_S, "write_s": write_s}
    return type("Bounded", (BoundedProtocol,), deadlines)
