"""An answer on its way to a client: however slowly it is read, whoever made it is free again."""

import asyncio
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

from releve.http.request import Message, Send

MEMORY_BYTES = 256 * 1024  # beyond that it waits on the disk
PIECE_BYTES = 64 * 1024


class Spool:
    """Takes what it is told as fast as that comes, and sends it as fast as it is read.

    Args:
        most_bytes: Beyond so much nothing more is taken, until the client has taken all of it or is cut.
    """

    def __init__(self, *, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._head: Message | None = None
        self._body = SpooledTemporaryFile[bytes](max_size=MEMORY_BYTES)
        self._written = 0
        self._sent = 0
        self._is_whole = False
        self._arrived = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    @property
    def is_begun(self) -> bool:
        """Whether the client may have been told something."""
        return self._head is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._body.close()
        self._has_room.set()

    async def put(self, message: Message) -> None:
        """Take one message of the answer; it waits only while too much has not been read."""
        if message["type"] == "http.response.start":
            self._head = message
        else:
            await self._has_room.wait()
            self._append(message.get("body", b""))
            self._is_whole = not message.get("more_body", False)
        self._arrived.set()

    async def send_to(self, send: Send) -> None:
        """Send the answer to its end."""
        while self._head is None:
            await self._more()
        await send(self._head)
        while True:
            piece = self._next()
            if piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(0)  # a client that takes everything at once shares the loop with the others
            elif self._is_whole:
                await send({"type": "http.response.body", "body": b""})
                return
            else:
                await self._more()

    async def _more(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()

    def _append(self, body: bytes) -> None:
        if self._body.closed:
            return  # the client went
        self._body.seek(self._written)
        self._body.write(body)
        self._written += len(body)
        if self._written >= self._most_bytes:
            self._has_room.clear()

    def _next(self) -> bytes:
        self._body.seek(self._sent)
        piece = self._body.read(min(PIECE_BYTES, self._written - self._sent))
        self._sent += len(piece)
        if self._sent == self._written and self._written:  # a long answer takes no more of the disk than the bound
            self._body.seek(0)
            self._body.truncate()
            self._written = self._sent = 0
            self._has_room.set()
        return piece
