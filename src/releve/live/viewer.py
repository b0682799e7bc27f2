"""One open live stream: what waits for it is bounded, and however slowly it reads, nobody else waits."""

import asyncio
import time
from collections import deque
from typing import NamedTuple

import msgspec

from releve.access.visitor import Visitor
from releve.http.request import Receive, Send
from releve.live.choice import Choice
from releve.live.told import Told
from releve.live.wish import Wish

MOST_WAITING = 500  # events; beyond that the newest of each device is left of them
MOST_WAITING_BYTES = 256 * 1024
RETRY_MS = 2_000  # how long a browser waits before it comes back
HEARTBEAT_S = 15.0
LIFE_S = 3_600.0  # it then comes back by itself, to whichever worker
SEEN_S = 10.0  # how long the hub may still bring what was found in the database when the stream began
MOST_SEEN = 30_000
QUIET = b": \n\n"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx passes each event on at once
    (b"x-content-type-options", b"nosniff"),
]
Key = tuple[int, int, bytes]
_encode = msgspec.json.Encoder().encode


class _Event(NamedTuple):
    """An event that waits: of which reading, and its bytes."""

    key: Key
    frame: bytes


class Viewer:
    """One stream, from its opening to its end.

    Args:
        visitor: Who looks.
        viewer: Who it counts for.
        wish: What was asked for.
        choice: What that is.

    Attributes:
        sender: Whose rights it has, as of the last look.
        choice: What is shown, as of the last look.
        began_us: When it began, microseconds since 1970.
        has_siblings: Whether there are other workers, which hear only later that it watches.
    """

    def __init__(self, visitor: Visitor, *, viewer: str, wish: Wish, choice: Choice) -> None:
        self.visitor = visitor
        self.viewer = viewer
        self.wish = wish
        self.choice = choice
        self.sender = visitor.sender
        self._waiting: deque[_Event] = deque()
        self._bytes = 0
        self._left_out = 0
        self._seen: set[Key] | None = set()
        self._wake = asyncio.Event()
        self._ending = ""
        self._is_over = False
        self._began_s = self._wrote_s = time.monotonic()
        self.began_us = time.time_ns() // 1_000
        self.has_siblings = False

    def put(self, told: Told, event_id: int) -> bool:
        """Let a reading wait for its turn; whether it is one that this viewer sees."""
        if not self.sender.may_read(told.team_id) or not self.choice.has(told):
            return False
        frame = told.frame(event_id, self.choice.channels)
        if frame is None or self._has_seen(told.key):
            return False
        if len(self._waiting) >= MOST_WAITING or self._bytes + len(frame) > MOST_WAITING_BYTES:
            self._leave_out()
        self._waiting.append(_Event(told.key, frame))
        self._bytes += len(frame)
        return True

    def opened_with(self, seen: set[Key]) -> None:
        """What the database had is with the viewer: what the hub brings of it is not told again."""
        if self._seen is not None:
            self._seen |= seen
        self._waiting = deque(event for event in self._waiting if event.key not in seen)
        self._bytes = sum(len(event.frame) for event in self._waiting)
        self._wake.set()

    def is_of(self, principal: str) -> bool:
        """Whether it is what the revocation feed names: its viewer, or a device that it shows."""
        kind, _, number = principal.partition(":")
        if kind == "device":
            # Of a stream that names none, each reading is asked for the team that its device is of now.
            return number.isdigit() and int(number) in (self.choice.stretches or ())
        return principal in (self.sender.principal, f"signin:{self.sender.sign_in}")

    def end(self, reason: str) -> None:
        """Say why, and end it: it is nobody's any more."""
        self._ending = reason
        self.close()

    def close(self) -> None:
        """End it; the viewer comes back by itself."""
        self._is_over = True
        self._wake.set()

    def tick(self, now_s: float) -> None:
        """Let it write what waits, show that it lives, or end when it has lived long enough."""
        if now_s - self._began_s > SEEN_S:
            self._seen = None
        if now_s - self._began_s > LIFE_S or time.time() > self.sender.expires_s:
            self.close()
        elif self._waiting or now_s - self._wrote_s > HEARTBEAT_S:
            self._wake.set()

    async def run(self, send: Send) -> None:
        """Write until the end; the answer has begun."""
        while not self._is_over:
            await self._wake.wait()
            self._wake.clear()
            self._wrote_s = time.monotonic()
            if not self._is_over:
                await send({"type": "http.response.body", "body": self._taken(), "more_body": True})
        last = b"" if not self._ending else b"event: end\ndata: %b\n\n" % _encode({"reason": self._ending})
        await send({"type": "http.response.body", "body": last})

    def _has_seen(self, key: Key) -> bool:
        """Whether it was told already; asked for as long as both the hub and the database may bring it."""
        if self._seen is None:
            return False
        if key in self._seen:
            return True
        if len(self._seen) < MOST_SEEN:
            self._seen.add(key)
        return False

    def _taken(self) -> bytes:
        parts = [] if not self._left_out else [gap(left_out=self._left_out)]
        parts += [event.frame for event in self._waiting]
        self._waiting.clear()
        self._bytes = self._left_out = 0
        return b"".join(parts) or QUIET

    def _leave_out(self) -> None:
        """Keep the newest event of each device only, and of those no more than half of what may wait."""
        newest = {event.key[0]: event for event in self._waiting}
        kept = list(newest.values())[-(MOST_WAITING // 2) :]
        while sum(len(event.frame) for event in kept) > MOST_WAITING_BYTES // 2:
            kept = kept[1:]
        self._left_out += len(self._waiting) - len(kept)
        self._waiting = deque(kept)
        self._bytes = sum(len(event.frame) for event in kept)


def gap(**what: int | str) -> bytes:
    """The event that says that something is missing; it has no id, so that one comes back to where one was."""
    return b"event: gap\ndata: %b\n\n" % _encode(what)


async def gone(receive: Receive) -> None:
    """Wait until the viewer hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
