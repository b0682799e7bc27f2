"""One kept-alive HTTP/1.1 connection to the control process: bounded in both directions, and told when it breaks."""

import asyncio
from collections import deque

import httptools

from releve.http.request import Header  # noqa: TC001 - as all of ours, it is not worth a block of its own

BUFFERED_BYTES = 256 * 1024  # of an answer, until its client has taken some
_NO_ANSWER = "the control process hung up"


class HungUp(Exception):
    """The connection broke before the answer was complete."""


class Answer:
    """What came of one request.

    Attributes:
        status: Its status; 0 until the head is there.
        headers: Its headers, names in lower case.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[Header] = []


class Connection(asyncio.Protocol):
    """Sends one request at a time and reads its answer piece by piece.

    Attributes:
        is_lost: Whether it broke.
        is_sent: Whether the whole request was sent; the sender says so.
    """

    def __init__(self) -> None:
        self.is_lost = False
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._changed = asyncio.Event()
        self._is_paused = False
        self._begin("GET")

    @property
    def is_reusable(self) -> bool:
        """Whether another request may follow on it."""
        return not self.is_lost and self.is_sent and self._is_complete and self._may_stay

    # What the hand-over calls

    def send(self, method: str, head: bytes) -> None:
        """Begin a request."""
        self._begin(method)
        self._write(head)

    async def send_more(self, data: bytes) -> None:
        """Go on with its body, as fast as it is taken.

        Raises:
            HungUp: It broke.
        """
        self._write(data)
        await self._writable.wait()
        if self.is_lost:
            raise HungUp(_NO_ANSWER)

    async def head(self) -> Answer:
        """Wait for the head of the answer.

        Raises:
            HungUp: It broke first.
        """
        while not self._has_head:
            await self._change()
        return self._answer

    async def piece(self) -> bytes:
        """The next piece of the body, empty at its end.

        Raises:
            HungUp: It broke in the middle.
        """
        while not self._pieces:
            if self._is_complete:
                return b""
            await self._change()
        piece = b"".join(self._pieces)
        self._pieces.clear()
        self._buffered = 0
        if self._is_paused and self._transport is not None and not self.is_lost:
            self._is_paused = False
            self._transport.resume_reading()
        return piece

    def close(self) -> None:
        """Hang up, which the control process notices."""
        if self._transport is not None:
            self._transport.abort()

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport = transport  # type: ignore[assignment] # a stream's transport is one that reads and writes

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it broke makes no difference
        """It broke."""
        self.is_lost = True
        self._writable.set()
        self._changed.set()

    def pause_writing(self) -> None:
        """The control process does not keep up."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It does again."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Read on; what nobody asked for ends the connection."""
        if self._is_complete:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()
        self._changed.set()

    # What the parser calls

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of the answer."""
        self._answer.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._answer.status = self._parser.get_status_code()
        self._has_head = True
        self._may_stay = self._parser.should_keep_alive()
        if self._is_head:  # whatever length is announced, no body follows [RFC 9110, section 9.3.2]
            self._is_complete, self._may_stay = True, False

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._is_complete:
            return
        self._pieces.append(body)
        self._buffered += len(body)
        if self._buffered > BUFFERED_BYTES and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The whole answer is there."""
        self._is_complete = True

    # Helpers

    def _begin(self, method: str) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answer = Answer()
        self.is_sent = False
        self._is_head = method == "HEAD"
        self._has_head = False
        self._is_complete = False
        self._may_stay = True
        self._is_paused = False
        self._pieces: deque[bytes] = deque()
        self._buffered = 0

    def _write(self, data: bytes) -> None:
        if self._transport is None or self.is_lost:
            raise HungUp(_NO_ANSWER)
        self._transport.write(data)

    async def _change(self) -> None:
        if self.is_lost:
            raise HungUp(_NO_ANSWER)
        self._changed.clear()
        await self._changed.wait()
