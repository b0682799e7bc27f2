"""Asks the control process again and again whether it lives, and now and then something that only it knows."""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from releve.access.visitor import Browsing
from releve.http.request import Header
from releve.serve.hand_over import introduction
from releve.serve.hand_over.connection import HungUp
from releve.serve.hand_over.pool import Connections, ControlAway, Crowded

EVERY_S = 1.0
LOOK_S = 1.0  # an answer costs it no thread, so it comes at once or not at all
SILENT_S = 5.0  # a process that answers nothing for so long stands still
ANSWER_S = 5.0
STATE, SESSION = "state", "session"


class Watch:
    """What is known of the control process.

    Args:
        connections: Lends connections for questions; those of clients' requests may all be taken.
        proof: What only processes of this installation know.
    """

    def __init__(self, connections: Connections, *, proof: str) -> None:
        self._connections = connections
        self._proof = proof
        self._heard_s = time.monotonic()
        self._looking: asyncio.Task[list[str]] | None = None

    @property
    def is_away(self) -> bool:
        """Whether it has answered nothing for so long that nobody should wait for it."""
        return time.monotonic() - self._heard_s > SILENT_S

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.reasons()
            await asyncio.sleep(EVERY_S)

    async def reasons(self) -> list[str]:
        """Why people are not answered as they should be; within the second."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    async def session_of(self, cookies: str) -> Browsing | None:
        """Whose browser session a Cookie header stands for.

        Raises:
            ControlAway: That cannot be known just now.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                body = await self._ask(SESSION, ((b"cookie", cookies.encode("latin-1")),))
            found: Browsing | None = msgspec.json.decode(body, type=Browsing | None)
        except (HungUp, TimeoutError, ValueError) as error:
            raise ControlAway from error
        return found

    async def _look(self) -> list[str]:
        try:
            async with asyncio.timeout(LOOK_S):
                body = await self._ask(STATE)
        except (ControlAway, Crowded, HungUp):
            return ["pages, the API and people's sign-in are away: the control process does not run"]
        except TimeoutError:
            return ["pages, the API and people's sign-in are away: the control process does not answer"]
        self._heard_s = time.monotonic()
        return list(msgspec.json.decode(body)["reasons"])

    async def _ask(self, question: str, headers: Sequence[Header] = ()) -> bytes:
        connection = await self._connections.take()
        is_answered = False
        try:
            asked = (introduction.HEADER, introduction.asking(question, proof=self._proof))
            connection.send("GET", introduction.head_of("GET", b"/", [(b"host", b"control"), asked, *headers]))
            connection.is_sent = True
            answer = await connection.head()
            body = b""
            while piece := await connection.piece():
                body += piece
            is_answered = answer.status == 200  # noqa: PLR2004 - HTTP's own number
        finally:
            if not is_answered:
                connection.close()
            self._connections.give_back(connection)
        if not is_answered:
            raise HungUp(f"the question was answered with {answer.status}")
        return body
