"""The revocation feed: what any process revoked is heard within moments, and silence is noticed (promise P5)."""

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg
import structlog
from psycopg import AsyncConnection

CHANNEL = "releve_revocation"
CUT_S = 30.0
PROBE_S = 5.0
RETRY_S = 0.5
# `kind:name`, as our own statements say it; anybody who may NOTIFY can say more.
_UUID = r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"
_NOTICE = re.compile(rf"(?:signin|link):{_UUID}|(?!signin:|link:)[a-z-]+:[\w-]{{1,64}}", re.ASCII)

_log = structlog.get_logger()


class RevocationFeed:
    """Listens on a connection of its own and passes each revoked principal on.

    Args:
        url: The database's address.
        revoked: Called with what was understood of a notice: `device:<id>`, `account:<id>` or `signin:<hex>`.
        missed: Called when the feed was away, so that everything remembered must be looked up again.
    """

    def __init__(self, url: str, *, revoked: Callable[[str], None], missed: Callable[[], None]) -> None:
        self._url = url
        self._revoked = revoked
        self._missed = missed
        self._alive_s = float("-inf")
        self._began = asyncio.Event()

    @property
    def is_cut(self) -> bool:
        """Whether nothing has been heard for so long that a revocation might have been missed: nobody is let in."""
        return time.monotonic() - self._alive_s > CUT_S

    async def began(self, *, patience_s: float) -> None:
        """Wait until it listens for the first time, or until patience ends: the database may be away for long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._began.wait()

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
            self._url,
            autocommit=True,
            connect_timeout=5,
            application_name="releve revocation feed",
            options="-c statement_timeout=30000",
        )
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._missed()
            self._alive_s = time.monotonic()
            self._began.set()
            while True:
                async for notice in connection.notifies(timeout=PROBE_S):
                    self._heard(notice.payload)
                await asyncio.wait_for(connection.execute("SELECT 1"), timeout=PROBE_S)
                self._alive_s = time.monotonic()

    def _heard(self, payload: str) -> None:
        """Pass a notice on; after one that says nothing we know, whatever it meant is found by looking again."""
        if _NOTICE.fullmatch(payload):
            self._revoked(payload)
        else:
            _log.warning("a revocation notice is not understood; everything is looked up again", notice=payload[:80])
            self._missed()
