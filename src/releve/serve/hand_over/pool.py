"""Kept-alive connections to the control process, and no more of them than it can answer."""

import asyncio
import time

from releve.protocol.problem import Unavailable
from releve.serve.hand_over.address import Address, connecting
from releve.serve.hand_over.connection import Connection

MOST = 256  # requests handed over at the same time
IDLE_S = 30.0  # the control process keeps a quiet connection for longer
CONNECT_S = 2.0


class ControlAway(Unavailable):
    """The part that answers people is away; it is started again. Devices go on meanwhile."""

    title = "Not available just now"
    retry_after_s = 2


class Crowded(Unavailable):
    """Too many requests wait for an answer; try again."""

    title = "Too busy"
    retry_after_s = 2


class Connections:
    """Lends connections.

    Args:
        address: Where the control process listens.
        most: How many may be lent.
    """

    def __init__(self, address: Address, *, most: int = MOST) -> None:
        self._address = address
        self._most = most
        self._lent = 0
        self._idle: list[tuple[float, Connection]] = []

    async def take(self, *, fresh: bool = False) -> Connection:
        """One that stands, a new one if need be.

        Raises:
            ControlAway: Nobody listens there.
            Crowded: All are lent.
        """
        if self._lent >= self._most:
            raise Crowded
        self._lent += 1
        try:
            return (None if fresh else self._waiting()) or await self._connect()
        except BaseException:
            self._lent -= 1
            raise

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next request, if another may follow on it."""
        self._lent -= 1
        if connection.is_reusable:
            self._idle.append((time.monotonic(), connection))
        else:
            connection.close()

    def close(self) -> None:
        """End those that nobody uses."""
        while self._idle:
            self._idle.pop()[1].close()

    def _waiting(self) -> Connection | None:
        while self._idle:
            since_s, connection = self._idle.pop()
            if connection.is_reusable and time.monotonic() - since_s < IDLE_S:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                if self._address.path is None:
                    _, made = await loop.create_connection(Connection, self._address.host, self._address.port)
                else:
                    _, made = await loop.create_unix_connection(Connection, sock=connecting(self._address.path))
        except (OSError, TimeoutError) as error:
            raise ControlAway from error
        return made
