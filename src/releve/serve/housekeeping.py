"""What a process writes down beside the readings: when devices were last seen, and which sign-ins are in use."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import structlog

from releve.ingest.batch import GroupCommit
from releve.protocol.problem import Unavailable
from releve.storage.pool import Pool
from releve.storage.queries import query

EVERY_S = 1.0
_log = structlog.get_logger()


class Housekeeping:
    """Flushes what the ingest path only keeps in memory, about once a second.

    Args:
        group: Knows which devices it stored readings of.
        pool: Lends a connection.
        used: The sign-ins that were used since it was last asked.
    """

    def __init__(self, group: GroupCommit, pool: Pool, *, used: Callable[[], Iterable[str]] = tuple) -> None:
        self._group = group
        self._pool = pool
        self._used = used

    async def run(self) -> None:
        """Flush until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.flush()

    async def flush(self) -> None:
        """Write down what is new; what cannot be written now is kept for the next time."""
        await self._flush_seen()
        await self._flush_used()

    async def _flush_seen(self) -> None:
        seen, self._group.seen = self._group.seen, {}
        if not seen:
            return
        rows = [(device_id, *instants) for device_id, instants in seen.items()]
        try:
            async with self._pool.connection() as connection:
                await connection.execute(query("mark_seen"), [list(column) for column in zip(*rows, strict=True)])
        except Unavailable as problem:
            _log.warning("last-seen times wait for the database", devices=len(rows), error=problem.detail)
            self._group.seen = seen | self._group.seen

    async def _flush_used(self) -> None:
        """A sign-in whose use is lost here is looked up again within the hour."""
        used = list(self._used())
        if not used:
            return
        with contextlib.suppress(Unavailable):
            async with self._pool.connection() as connection:
                await connection.execute(query("mark_sign_ins_used"), [used])
