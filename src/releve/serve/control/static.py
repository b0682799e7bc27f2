"""Static files, straight from the disk: a client that reads slowly holds a file open, and no thread."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import IO, Any

from whitenoise.base import WhiteNoise

from releve.http.request import Request, Send

PIECE_BYTES = 64 * 1024
Handler = Callable[[Request, Send], Awaitable[None]]


class StaticFiles:
    """Answers every file that the control plane's packages bring along.

    Args:
        files: Their table, made by the control plane.
    """

    def __init__(self, files: WhiteNoise) -> None:
        self._files = files.files

    def find(self, path: str) -> Handler | None:
        """The handler of a path, None when it is no static file's."""
        return self.answer if path in self._files else None

    async def answer(self, request: Request, send: Send) -> None:
        """Answer one file, or the part of it that is asked for."""
        found = self._files[request.path]
        environ = {f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": request.text(name) for name in _ASKED}
        answer = found.get_response(request.method, {name: value for name, value in environ.items() if value})
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": int(answer.status), "headers": headers})
        if answer.file is None:
            await send({"type": "http.response.body", "body": b""})
            return
        with answer.file:
            await _send_file(send, answer.file)


_ASKED = (b"if-none-match", b"if-modified-since", b"range", b"accept-encoding")


async def _send_file(send: Send, file: IO[Any]) -> None:
    """Piece by piece; each is a read of what the machine most likely has in memory."""
    while piece := file.read(PIECE_BYTES):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0)  # a client that takes everything at once shares the loop with the others
    await send({"type": "http.response.body", "body": b""})
