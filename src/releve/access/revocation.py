"""The revocation feed: what any process revoked is heard within moments, and silence is noticed (promise P5)."""

import asyncio
import time
from collections.abc import Callable

import psycopg
import structlog
from psycopg import AsyncConnection

CHANNEL = "releve_revocation"
CUT_S = 30.0
PROBE_S = 5.0
RETRY_S = 0.5

_log = structlog.get_logger()


class RevocationFeed:
    """Listens on a connection of its own and passes each revoked principal on.

    Args:
        url: The database's address.
        revoked: Called with `device:<id>`, `account:<id>` or `signin:<hex>`.
        missed: Called when the feed was away, so that everything remembered must be looked up again.
    """

    def __init__(self, url: str, *, revoked: Callable[[str], None], missed: Callable[[], None]) -> None:
        self._url = url
        self._revoked = revoked
        self._missed = missed
        self._alive_s = float("-inf")

    @property
    def is_cut(self) -> bool:
        """Whether nothing has been heard for so long that a revocation might have been missed: nobody is let in."""
        return time.monotonic() - self._alive_s > CUT_S

    async def run(self) -> None:
        """Listen until cancelled; connect again whenever the connection breaks."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                _log.warning("revocation feed is down", error=str(error).strip())
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        connection = await AsyncConnection.connect(
            self._url, autocommit=True, connect_timeout=5, application_name="releve revocation feed"
        )
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._missed()
            self._alive_s = time.monotonic()
            while True:
                async for notice in connection.notifies(timeout=PROBE_S):
                    self._revoked(notice.payload)
                await asyncio.wait_for(connection.execute("SELECT 1"), timeout=PROBE_S)
                self._alive_s = time.monotonic()
