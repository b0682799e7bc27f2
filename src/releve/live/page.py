"""One open live page: the newest text of each topic waits for it, and nothing else however slow it reads."""

import asyncio
import time

import msgspec

from releve.access.visitor import Visitor
from releve.http.request import Receive, Send

MOST_WAITING = 1_000  # topics whose newest text may wait; beyond that the oldest is left out
SEND_S = 20.0  # a page that takes nothing for so long is not there any more
NORMAL, POLICY = 1000, 1008
_encode = msgspec.json.Encoder().encode


class Frame(msgspec.Struct, frozen=True):
    """What a page of contract B expects."""

    topic: str
    message: str


class Page:
    """One page, from its acceptance to its end.

    Args:
        visitor: Who looks at it.
        viewer: Who it counts for.
        device: The one car that it shows; empty for every car of the visitor's teams.

    Attributes:
        sender: Whose teams are shown, as of the last look.
    """

    def __init__(self, visitor: Visitor, *, viewer: str = "", device: str = "") -> None:
        self.sender = visitor.sender
        self.viewer = viewer
        self._visitor = visitor
        self._device = device
        self._waiting: dict[tuple[str, str], str] = {}
        self._arrived = asyncio.Event()
        self._ended = asyncio.Event()

    def put(self, *, device: str, team_id: int, topic: str, text: str) -> None:
        """Let a value wait for its turn; it takes the place of one that waits already."""
        if not self.sender.may_read(team_id) or self._device not in ("", device):
            return
        self._waiting.pop((device, topic), None)
        if len(self._waiting) >= MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[device, topic] = text
        self._arrived.set()

    def is_of(self, principal: str) -> bool:
        """Whether it is what the revocation feed names."""
        return principal in (self.sender.principal, f"signin:{self.sender.sign_in}")

    async def look_again(self) -> None:
        """Ask again who looks at it, and end it if that is nobody any more.

        Raises:
            Unavailable: That cannot be known just now.
        """
        sender = await self._visitor.again()
        if sender is None:
            self._ended.set()
        else:
            self.sender = sender

    async def run(self, receive: Receive, send: Send) -> int | None:
        """Show values until the end; the code to close with, None when the page went first."""
        reading, _, ending = tasks = [
            asyncio.create_task(work) for work in (_leaves(receive), self._write(send), self._ends())
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if reading.done() and not reading.cancelled():
            return None
        return POLICY if ending.done() and not ending.cancelled() else NORMAL

    async def _write(self, send: Send) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                key = next(iter(self._waiting))
                frame = Frame(key[1], self._waiting.pop(key))
                async with asyncio.timeout(SEND_S):
                    await send({"type": "websocket.send", "text": _encode(frame).decode()})

    async def _ends(self) -> None:
        """Wait for the end of the sign-in."""
        left_s = self.sender.expires_s - time.time()
        try:
            async with asyncio.timeout(None if left_s == float("inf") else max(left_s, 0)):
                await self._ended.wait()
        except TimeoutError:
            return


async def _leaves(receive: Receive) -> None:
    """Wait until the page closes; what it says is not listened to."""
    while (await receive())["type"] != "websocket.disconnect":
        pass
