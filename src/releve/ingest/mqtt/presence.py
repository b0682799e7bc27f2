"""Writes down which links are over, and that this worker is there, so that everybody sees which device is online."""

import asyncio
from time import monotonic

import structlog

from releve.protocol.problem import Unavailable
from releve.storage.link_store import Ended, LinkStore

FLUSH_S = 0.2
ALIVE_EVERY_S = 5.0
_log = structlog.get_logger()


class Presence:
    """Gathers ended links, a few statements a second however many there are."""

    def __init__(self, store: LinkStore) -> None:
        self._store = store
        self._ended: list[Ended] = []
        self._told_s = float("-inf")

    def ended(self, link: Ended) -> None:
        """A link is over."""
        self._ended.append(link)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self.flush()
            await asyncio.sleep(FLUSH_S)

    async def flush(self) -> None:
        """Write what is new; what cannot be written now is tried again."""
        ended, self._ended = self._ended, []
        try:
            if monotonic() - self._told_s > ALIVE_EVERY_S:
                await self._store.is_alive()
                self._told_s = monotonic()
            if ended:
                await self._store.end(ended)
        except Unavailable:
            _log.warning("the ends of links wait for the database", links=len(ended))
            self._ended = ended + self._ended
