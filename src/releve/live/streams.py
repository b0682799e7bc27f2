"""`GET /api/v1/live`: what was just committed, as server-sent events (HTML standard, section 9.2)."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection

from releve.access.authenticate import Authenticator
from releve.access.visitor import Visitors
from releve.http.request import Request, Send
from releve.ingest.counters import Counters
from releve.live.choice import chosen
from releve.live.past import MOST_AWAY_S, OVERLAP_US, TooMuch, arrived_since, last_values
from releve.live.told import Told
from releve.live.viewer import HEADERS, RETRY_MS, Key, Viewer, gap, gone
from releve.live.wish import LAST_EVENT_ID, Wish
from releve.protocol.instant import iso
from releve.protocol.problem import MethodNotAllowed, NotFound, Throttled, Unavailable
from releve.storage.pool import Pool

PATH = "/api/v1/live"
MOST_STREAMS = 2_000  # of one worker
MOST_OF_ONE = 100  # of one viewer at one worker, so that nobody's streams keep everybody else's out
LOOKING_AT_ONCE = 4
OPENING_AT_ONCE = 2  # read from the database, so that a crowd that comes back leaves room for others
RETRY_S = 1.0
PAUSE_S, PAUSE_EACH_S, LONGEST_PAUSE_S = 0.1, 0.000_5, 0.5  # what comes within it goes out in one write
SIBLINGS_HEAR_S = 2.5  # they look every second who asks
FIRST_PIECE = 500  # events of the opening that are written at once
NO_MORE = "the sign-in ended, or what is shown is not yours any more"


class Streams:
    """The live streams that are open at this worker.

    Args:
        visitors: Lets people in.
        authenticator: Hears of revocations, and knows whether it still does.
        pool: Finds devices, and what they sent.
        counters: Where refusals are counted.
        opened: Called when a stream has begun to watch; whether there are others who must hear of it.
    """

    def __init__(
        self,
        visitors: Visitors,
        authenticator: Authenticator,
        pool: Pool,
        counters: Counters,
        *,
        opened: Callable[[], bool],
    ) -> None:
        self._visitors = visitors
        self._authenticator = authenticator
        self._pool = pool
        self._counters = counters
        self._opened = opened
        self._viewers: set[Viewer] = set()
        self._of_device: defaultdict[int, set[Viewer]] = defaultdict(set)
        self._of_all: set[Viewer] = set()
        self._dirty: set[Viewer] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking = asyncio.Semaphore(LOOKING_AT_ONCE)
        self._opening = asyncio.Semaphore(OPENING_AT_ONCE)
        authenticator.on_revoked(self.heard)

    @property
    def wanted(self) -> Collection[int] | None:
        """The devices whose readings anybody here would hear; None for all of them."""
        return None if self._of_all else self._of_device.keys()

    async def answer(self, request: Request, send: Send) -> None:
        """Stream until the viewer goes.

        Raises:
            Problem: Nothing is streamed.
        """
        if request.method != "GET":
            raise MethodNotAllowed(f"{PATH} takes GET only")
        wish = Wish.of(request.query, last_event_id=request.text(LAST_EVENT_ID.lower().encode()))
        if wish.share is None:
            visitor = await self._visitors.known(request.scope)
        else:
            visitor = await self._visitors.by_link(request.scope, wish.share)
        choice = await chosen(self._pool, wish, visitor.sender, visitor.shown)
        viewer = Viewer(visitor, viewer=visitor.sender.principal, wish=wish, choice=choice)
        self._let_in(viewer)
        try:
            await self._stream(viewer, request, send)
        except OSError:
            return  # the viewer went first
        finally:
            self._let_out(viewer)

    def deliver(self, told: Told) -> None:
        """Let a reading wait for whoever sees it; for nobody while revocations cannot be heard (promise P5)."""
        viewers = self._of_device.get(told.device_id)
        if (not viewers and not self._of_all) or self._authenticator.feed.is_cut:
            return
        event_id = _now_us()
        for viewer in (*(viewers or ()), *self._of_all):
            if viewer.put(told, event_id):
                self._dirty.add(viewer)

    def heard(self, what: str | None) -> None:
        """Something was revoked or changed; None when anything may have been."""
        principal = None if what is None else what.replace("-", "")
        for viewer in self._viewers:
            if principal is None or viewer.is_of(principal):
                task = asyncio.create_task(self._look_again(viewer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """Have viewers write what waits for them, until cancelled."""
        looked_s = 0.0
        while True:
            await asyncio.sleep(min(LONGEST_PAUSE_S, PAUSE_S + PAUSE_EACH_S * len(self._viewers)))
            now_s = time.monotonic()
            due = self._dirty
            if now_s - looked_s > 1:
                looked_s, due = now_s, self._viewers
            for viewer in due:
                viewer.tick(now_s)
            self._dirty.clear()

    def close(self) -> None:
        """End all of them; their viewers come back, to whoever is there then."""
        for viewer in self._viewers:
            viewer.close()

    def _let_in(self, viewer: Viewer) -> None:
        if len(self._viewers) >= MOST_STREAMS:
            raise Throttled("too many live streams are open; try again later")
        if sum(each.viewer == viewer.viewer for each in self._viewers) >= MOST_OF_ONE:
            raise Throttled(f"{MOST_OF_ONE} live streams of yours are open; close some")
        self._viewers.add(viewer)
        self._index(viewer)
        viewer.has_siblings = self._opened()

    def _let_out(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        self._dirty.discard(viewer)
        self._forget(viewer)

    def _index(self, viewer: Viewer) -> None:
        if viewer.choice.stretches is None:
            self._of_all.add(viewer)
        for device_id in viewer.choice.stretches or ():
            self._of_device[device_id].add(viewer)

    def _forget(self, viewer: Viewer) -> None:
        self._of_all.discard(viewer)
        for device_id in viewer.choice.stretches or ():
            self._of_device[device_id].discard(viewer)
            if not self._of_device[device_id]:
                del self._of_device[device_id]

    async def _stream(self, viewer: Viewer, request: Request, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": b"retry: %d\n\n" % RETRY_MS, "more_body": True})
        writing = asyncio.create_task(self._write(viewer, send))
        leaving = asyncio.create_task(gone(request.receive))
        try:
            await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                await writing
        finally:
            for task in (writing, leaving):
                task.cancel()
            await asyncio.gather(writing, leaving, return_exceptions=True)

    async def _write(self, viewer: Viewer, send: Send) -> None:
        """What the database has, then what comes in."""
        try:
            seen = await self._open(viewer, send)
        except Unavailable:
            viewer.close()  # it comes back, and the database with it
        else:
            viewer.opened_with(seen)
        catching_up = asyncio.create_task(self._catch_up(viewer))
        try:
            await viewer.run(send)
        finally:
            catching_up.cancel()
            await asyncio.gather(catching_up, return_exceptions=True)

    async def _catch_up(self, viewer: Viewer) -> None:
        """Tell what other workers committed before they heard that somebody here wants it."""
        if not viewer.has_siblings:
            return
        await asyncio.sleep(SIBLINGS_HEAR_S)
        try:
            async with self._opening:
                # Whoever comes back was told of the time before; others began with last values, and hear of none that
                # were before those.
                overlap_us = 0 if viewer.wish.since_us is None else OVERLAP_US
                found = await arrived_since(self._pool, viewer.choice, viewer.began_us, overlap_us=overlap_us)
        except Unavailable:
            viewer.close()
        except TooMuch:
            return  # it has seen what this worker committed, and loses of the others' what came in those seconds
        else:
            for told in found:
                if viewer.put(told, _now_us()):
                    self._dirty.add(viewer)

    async def _open(self, viewer: Viewer, send: Send) -> set[Key]:
        """Write last values, and before them what the viewer has missed; what that was."""
        now_us, since_us = _now_us(), viewer.wish.since_us
        missed: list[Told] = []
        is_missing = False
        async with self._opening:
            if since_us is not None and now_us - since_us > MOST_AWAY_S * 1_000_000:
                is_missing = True
            elif since_us is not None:
                try:
                    missed = await arrived_since(self._pool, viewer.choice, since_us)
                except TooMuch:
                    is_missing = True
            found = missed if since_us is not None and not is_missing else await last_values(self._pool, viewer.choice)
        if is_missing and since_us is not None:
            text = gap(**{"from": iso(since_us), "to": iso(now_us)})
            await send({"type": "http.response.body", "body": text, "more_body": True})
        # Until all of it is written, one that breaks off comes back to where it was.
        event_id = min(since_us, now_us) if missed and since_us is not None else now_us
        for first in range(0, len(found), FIRST_PIECE):
            frames = [told.frame(event_id, viewer.choice.channels) for told in found[first : first + FIRST_PIECE]]
            body = b"".join(frame for frame in frames if frame is not None)
            await send({"type": "http.response.body", "body": body, "more_body": True})
        return {told.key for told in found}

    async def _look_again(self, viewer: Viewer) -> None:
        while viewer in self._viewers:
            try:
                async with self._looking:
                    await self._look(viewer)
            except Unavailable:
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _look(self, viewer: Viewer) -> None:
        """Ask again who looks at it and whether they may, and end it if not."""
        sender = await viewer.visitor.again()
        if sender is None:
            viewer.end(NO_MORE)
            return
        try:
            choice = await chosen(self._pool, viewer.wish, sender, viewer.visitor.shown)
        except NotFound as problem:
            viewer.end(problem.detail)
            return
        if viewer in self._viewers:
            self._forget(viewer)
            viewer.sender, viewer.choice = sender, choice
            self._index(viewer)


def _now_us() -> int:
    return time.time_ns() // 1_000
