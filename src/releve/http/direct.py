"""Requests that are answered without ASGI: the parser sees them whole, and several are answered in one write.

A request may be answered so when it is whole in what was just received, or soon after, and whoever answers directly
says that it is usual. Every other one takes ASGI's way, from its first byte on: nothing of it was used up. Answers
leave a connection in the order of their requests, whichever way these went.
"""

from collections import deque
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from releve.http.answer import framed
from releve.http.protocol import BoundedProtocol, bounded
from releve.http.request import Header

if TYPE_CHECKING:
    import asyncio

BODY_WAIT_S = 0.25  # for a body that comes behind its headers; then ASGI's way waits for it, with its own deadline
MOST_AT_ONCE = 256  # requests of one connection that are under way; further ones wait unread
MOST_BYTES_AT_ONCE = 262_144  # of their bodies
_USUAL = b"x-content-type-options: nosniff\r\ncontent-type: application/json\r\n"
_CLOSE = b"connection: close\r\n"


class Reply:
    """The place of one request's answer among those of its connection.

    Attributes:
        connection: Whose answer it is.
        size: Bytes of the request's body.
        is_last: Whether the connection is closed after it.
        data: The answer once it is there.
    """

    __slots__ = ("connection", "data", "is_last", "size")

    def __init__(self, connection: "DirectProtocol", *, size: int, is_last: bool) -> None:
        self.connection = connection
        self.size = size
        self.is_last = is_last
        self.data: bytes | None = None

    def give(self, body: bytes, extra: bytes) -> None:
        """Answer a JSON document with 200; `extra` are header lines that all answers have."""
        opening = self.connection.opening()
        closing = _CLOSE if self.is_last else b""
        self.data = b"%bcontent-length: %d\r\n%b%b%b\r\n%b" % (opening, len(body), _USUAL, extra, closing, body)

    def give_other(self, status: int, body: bytes, headers: Iterable[Header], extra: bytes) -> None:
        """Answer anything else."""
        told = framed(body, headers)
        lines = b"".join([b"%b: %b\r\n" % header for header in (*self.connection.server_state.default_headers, *told)])
        closing = _CLOSE if self.is_last else b""
        first = b"HTTP/1.1 %d %b\r\n" % (status, HTTPStatus(status).phrase.encode())
        self.data = b"".join((first, lines, extra, closing, b"\r\n", body))


class Direct(Protocol):
    """Who answers usual requests directly."""

    urls: frozenset[bytes]
    most_bytes: int

    def is_usual(self, url: bytes, pairs: list[Header]) -> bool:
        """Whether a request with these headers may be answered directly once its body is there."""

    def take(self, url: bytes, pairs: list[Header], body: bytes, reply: Reply, *, is_first: bool) -> bool:
        """Take a whole request and answer it by and by; False leaves it, and all that is known of it, as it was.

        Args:
            url: As sent, one of `urls`.
            pairs: Its headers, their names in small letters.
            body: Not more than `most_bytes`.
            reply: To be given the answer; then `reply.connection.write_replies` is to be called.
            is_first: Whether every earlier request of the connection is answered.
        """


class DirectProtocol(BoundedProtocol):
    """Hands usual requests to whoever answers them directly, all others to ASGI.

    What uvicorn does when a request begins is done only for the others: their callbacks are called then, in the
    parser's order, with what the parser said.
    """

    direct: Direct

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._url = b""
        self._pairs: list[Header] = []
        self._body = b""
        self._is_pending = False  # a request that may be usual is not whole yet
        self._keeps_alive = True
        self._body_wait: asyncio.TimerHandle | None = None
        self._replies: deque[Reply] = deque()
        self._under_way_bytes = 0
        self._held: tuple[Any, Any] | None = None  # ASGI's next cycle, behind direct answers
        self._quiet_since_s: float | None = None
        self._quiet: asyncio.TimerHandle | None = None
        self._opening: tuple[bytes, list[Header] | None] = b"", None

    # What the parser says

    def on_message_begin(self) -> None:
        """A request begins; whose it is, its headers tell."""
        self._is_in_headers, self._is_complete = True, False
        self._url, self._pairs = b"", []

    def on_url(self, url: bytes) -> None:
        """A piece of its target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""
        self._pairs.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Its headers are there."""
        if not self._may_be_direct():
            self._begin()
            return
        self._is_in_headers, self._header_bytes = False, 0
        self._is_pending, self._body = True, b""
        self._keeps_alive = self.parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        """A piece of its body is there."""
        if not self._is_pending:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > self.direct.most_bytes:
            self._give_up()

    def on_message_complete(self) -> None:
        """It is there whole."""
        if self._is_pending:
            reply = Reply(self, size=len(self._body), is_last=not self._keeps_alive)
            if self.direct.take(self._url, self._pairs, self._body, reply, is_first=not self._replies):
                self._is_pending, self._is_complete, self._body = False, True, b""
                self._waited()
                self._replies.append(reply)
                self._under_way_bytes += reply.size
                return
            self._give_up()
        super().on_message_complete()

    # What the transport says

    def data_received(self, data: bytes) -> None:
        """Parse; a usual request whose body is still to come is waited for, any other one begins."""
        self._quiet_since_s = None
        super().data_received(data)
        if self._is_pending and self._body_wait is None:
            if self.transport.is_closing():
                self._is_pending = False
            elif self.direct.is_usual(self._url, self._pairs):
                self._body_wait = self.loop.call_later(BODY_WAIT_S, self._give_up)
            else:
                self._give_up()

    def resume_writing(self) -> None:
        """The client takes answers again."""
        super().resume_writing()
        self.write_replies()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more to be answered."""
        self._waited()
        self._is_pending = False
        self._replies.clear()
        self._held = None
        if self._quiet is not None:
            self._quiet.cancel()
        super().connection_lost(exc)

    # What the server says

    def shutdown(self) -> None:
        """Answer what came, then close."""
        if self._is_pending:
            self._give_up()
        if self._replies and self._held is None:
            self._replies[-1].is_last = True
        else:
            super().shutdown()

    # What whoever answers says

    def opening(self) -> bytes:
        """The first lines of an answer with 200, which stay the same for a second."""
        headers = self.server_state.default_headers
        if self._opening[1] is not headers:
            lines = b"".join([b"%b: %b\r\n" % header for header in headers])
            self._opening = b"HTTP/1.1 200 OK\r\n" + lines, headers
        return self._opening[0]

    def write_replies(self) -> None:
        """Write the answers that are there, up to the first that is not."""
        replies, is_last = self._replies, False
        parts: list[bytes] = []
        if self.transport.is_closing():  # so it was with ASGI's answers
            replies.clear()
            self._held = None
        if not replies or self.flow.write_paused:
            return
        while replies and not is_last and (data := replies[0].data) is not None:
            reply = replies.popleft()
            parts.append(data)
            self._under_way_bytes -= reply.size
            is_last = reply.is_last
        if not parts:
            return
        self.server_state.total_requests += len(parts)
        self.writes.write_now(b"".join(parts))
        if is_last:
            self._replies.clear()
            self.transport.close()
        elif not replies:
            self._go_on()

    # Helpers

    def _may_be_direct(self) -> bool:
        """Whether the parser and the connection are as they have to be; of the headers nothing is known yet."""
        parser = self.parser
        return (
            self._url in self.direct.urls
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and not parser.should_upgrade()
            and (self.cycle is None or self.cycle.response_complete)
            and self._held is None
            and not self.access_log
            and not self.flow.write_paused
            and not self.transport.is_closing()
            and len(self._replies) < MOST_AT_ONCE
            and self._under_way_bytes < MOST_BYTES_AT_ONCE
            and not (self._replies and self._replies[-1].is_last)
        )

    def _begin(self) -> None:
        """Say to ASGI's way what the parser said up to the end of the headers."""
        super().on_message_begin()
        super().on_url(self._url)
        for name, value in self._pairs:
            super().on_header(name, value)
        super().on_headers_complete()

    def _give_up(self) -> None:
        """Let ASGI's way have the request that is not whole yet, or not usual."""
        self._waited()
        self._is_pending, body, self._body = False, self._body, b""
        self._begin()
        if body:
            super().on_body(body)

    def _waited(self) -> None:
        if self._body_wait is not None:
            self._body_wait.cancel()
            self._body_wait = None

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Start it, or keep it until the direct answers before it are written; nothing more is read meanwhile."""
        if self._replies:
            self._held = cycle, app
            self.flow.pause_reading()
        else:
            super()._start_asgi_task(cycle, app)

    def _go_on(self) -> None:
        """Every direct answer is written: start what was kept behind them, or wait for the next request."""
        if self._held is not None:
            (cycle, app), self._held = self._held, None
            self.flow.resume_reading()
            super()._start_asgi_task(cycle, app)
            return
        self._quiet_since_s = self.loop.time()
        if self._quiet is None:  # one timer for many requests: it looks how long it has been quiet when it ends
            self._quiet = self.loop.call_later(self.timeout_keep_alive, self._look_whether_quiet)

    def _look_whether_quiet(self) -> None:
        self._quiet = None
        if self._quiet_since_s is None:
            return
        left_s = self._quiet_since_s + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self._quiet = self.loop.call_later(left_s, self._look_whether_quiet)
        else:
            self.timeout_keep_alive_handler()


def directly(direct: Direct, *, header_s: float, body_s: float, write_s: float) -> type[DirectProtocol]:
    """The protocol class for uvicorn, with whoever answers directly and deadlines in seconds."""
    deadlines = vars(bounded(header_s=header_s, body_s=body_s, write_s=write_s))
    taken = {name: deadlines[name] for name in ("header_s", "body_s", "write_s")}
    return type("Direct", (DirectProtocol,), {**taken, "direct": direct})
