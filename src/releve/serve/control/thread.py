"""Django in a pool of threads: no client's slowness holds one, and it is noticed when none is free."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from a2wsgi import WSGIMiddleware

from releve.http import guard
from releve.http.request import Request, Send
from releve.protocol.problem import Unavailable
from releve.serve.spool import Spool

THREADS = 8
MOST_WAITING = 512
MOST_BYTES = 256 * 1024 * 1024  # of one answer that its client has not read; beyond that its thread waits
STUCK_S = 5.0
TICKET = "releve.ticket"
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Busy(Unavailable):
    """Too many requests wait for their turn; try again."""

    title = "Too busy"
    retry_after_s = 2


class Threads:
    """Answers requests with a WSGI application.

    Args:
        application: The WSGI application.
        threads: How many requests it answers at the same time.
    """

    def __init__(self, application: Wsgi, *, threads: int = THREADS) -> None:
        self._application = application
        self._threads = WSGIMiddleware(self._begin, workers=threads)  # type: ignore[arg-type] # a WSGI application, less strictly typed
        self._waiting: dict[object, float] = {}

    def reasons(self) -> list[str]:
        """Why people wait."""
        waited_s = time.monotonic() - min(self._waiting.values(), default=float("inf"))
        return [f"no thread of the control process was free for {waited_s:.0f} s"] if waited_s > STUCK_S else []

    async def answer(self, request: Request, send: Send) -> None:
        """Answer one request; its body is read before a thread is asked for, its answer is sent after.

        Raises:
            Busy: Too many wait already.
            Problem: The body is not to be had.
        """
        scope, receive = await guard.buffered(request)
        if len(self._waiting) >= MOST_WAITING:
            raise Busy
        ticket = object()
        self._waiting[ticket] = time.monotonic()
        with Spool(most_bytes=MOST_BYTES) as spool:
            sending = asyncio.create_task(spool.send_to(send))
            answering = asyncio.create_task(
                self._threads({**scope, TICKET: ticket}, receive, spool.put)  # type: ignore[arg-type] # ASGI, typed by another
            )
            try:
                await asyncio.wait((sending, answering), return_when=asyncio.FIRST_EXCEPTION)
                for task in (answering, sending):
                    if task.done():
                        await task  # what it raised
            finally:
                self._waiting.pop(ticket, None)
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
                if not answering.done():  # a thread cannot be stopped; it ends by itself, and nobody reads its answer
                    answering.add_done_callback(_ignored)

    def _begin(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self._waiting.pop(environ["asgi.scope"][TICKET], None)
        return self._application(environ, start_response)


def _ignored(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        task.exception()
