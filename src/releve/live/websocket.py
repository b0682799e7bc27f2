"""Contract B's live page at `/live/ws`: `{"topic": "esp32bis/speed", "message": "12.3"}` for what cars say."""

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qs

import structlog

from releve.access.authenticate import Authenticator
from releve.access.visitor import Visitors
from releve.http.answer import CHALLENGE, encode
from releve.http.request import Receive, Scope, Send
from releve.ingest.counters import Counters
from releve.live.page import Page
from releve.protocol.problem import Problem, Throttled, Unauthenticated, Unavailable
from releve.protocol.sender import Sender

PATH = "/live/ws"
MOST_PAGES = 1_000  # of one worker
MOST_OF_ONE = 100  # of one viewer, so that nobody's pages keep everybody else's out
LOOKING_AT_ONCE = 4
RETRY_S = 1.0
REFUSAL = "websocket.http.response"
_log = structlog.get_logger()


class LivePages:
    """The live pages that are open at this worker.

    Args:
        visitors: Lets people in.
        authenticator: Hears of revocations, and knows whether it still does.
        counters: Where refusals are counted.
        opened: Called when a page has begun to watch.
    """

    def __init__(
        self, visitors: Visitors, authenticator: Authenticator, counters: Counters, *, opened: Callable[[], object]
    ) -> None:
        self._visitors = visitors
        self._authenticator = authenticator
        self._counters = counters
        self._opened = opened
        self._pages: set[Page] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking = asyncio.Semaphore(LOOKING_AT_ONCE)
        authenticator.on_revoked(self.heard)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket."""
        await receive()
        try:
            if len(self._pages) >= MOST_PAGES:
                raise Throttled("too many live pages are open")
            visitor = await self._visitors.who(scope)
            viewer = _viewer(visitor.sender, scope)
            if sum(each.viewer == viewer for each in self._pages) >= MOST_OF_ONE:
                raise Throttled(f"{MOST_OF_ONE} live pages of yours are open; close some")
            page = Page(visitor, viewer=viewer, device=_wanted(scope))
        except Problem as problem:
            self._counters.refused("http", problem.slug())
            await _refuse(scope, send, problem)
            return
        self._pages.add(page)
        self._opened()
        try:
            await send({"type": "websocket.accept"})
            code = await page.run(receive, send)
            if code is not None:
                await send({"type": "websocket.close", "code": code})
        except (OSError, RuntimeError):
            return  # the page went first; uvicorn says so in either of these ways
        finally:
            self._pages.discard(page)

    @property
    def has_watchers(self) -> bool:
        """Whether any page is open."""
        return bool(self._pages)

    def deliver_value(self, *, device: str, team_id: int, topic: str, text: str) -> None:
        """Show a value on every page that may show it; on none while revocations cannot be heard (promise P5)."""
        if self._authenticator.feed.is_cut:
            return
        for page in self._pages:
            page.put(device=device, team_id=team_id, topic=topic, text=text)

    def heard(self, what: str | None) -> None:
        """Something was revoked or changed; None when anything may have been."""
        for page in self._pages:
            if what is None or page.is_of(what.replace("-", "")):
                task = asyncio.create_task(self._look_again(page))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _look_again(self, page: Page) -> None:
        while page in self._pages:
            try:
                async with self._looking:
                    await page.look_again()
            except Unavailable:
                await asyncio.sleep(RETRY_S)
            else:
                return


def _viewer(sender: Sender, scope: Scope) -> str:
    """Who a page counts for: a person, and without a sign-in the address."""
    return sender.principal or f"address:{(scope.get('client') or ('',))[0]}"


def _wanted(scope: Scope) -> str:
    """The one car of `?device=NAME`."""
    query: bytes = scope.get("query_string", b"")
    return parse_qs(query.decode("latin-1")).get("device", [""])[0]


async def _refuse(scope: Scope, send: Send, problem: Problem) -> None:
    """Answer the handshake with the problem, where the server can; else it is 403."""
    if REFUSAL not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    body = encode(problem.document())
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body))]
    if isinstance(problem, Unauthenticated):
        headers.append(CHALLENGE)
    await send({"type": f"{REFUSAL}.start", "status": problem.status, "headers": headers})
    await send({"type": f"{REFUSAL}.body", "body": body})
