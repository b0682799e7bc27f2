"""The last text of every racing topic, written down a few times a second for all workers to answer from."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from releve.ingest.submission import Value
from releve.protocol.problem import Unavailable
from releve.storage.link_store import LinkStore

EVERY_S = 0.1
Told = Callable[[Sequence[Value]], None]
_log = structlog.get_logger()


class LastValues:
    """Gathers values and writes the newest of each topic; memory is bounded by the topics, not by the messages.

    Attributes:
        on_kept: Told what was written down.
    """

    def __init__(self, store: LinkStore) -> None:
        self.on_kept: Told = lambda _: None
        self._store = store
        self._fresh: dict[tuple[int, str], tuple[str, int]] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._arrived = asyncio.Event()
        self._asked = asyncio.Event()

    def keep(self, values: Sequence[Value]) -> None:
        """Take values; of one topic the one that came last, in whatever order they are taken."""
        for device_id, topic, text, received_us in values:
            known = self._fresh.get((device_id, topic))
            if known is None or known[1] <= received_us:
                self._fresh[device_id, topic] = (text, received_us)
        self._arrived.set()

    async def kept(self) -> None:
        """Wait until everything that was taken so far is written down.

        Raises:
            Unavailable: It could not be; it is tried again.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._arrived.set()
        self._asked.set()
        await future

    async def run(self) -> None:
        """Write until cancelled: at once what an acknowledgement waits for, the rest a few times a second."""
        while True:
            await self._arrived.wait()
            await self.flush()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._asked.wait()

    async def flush(self) -> None:
        """Write what is fresh; what cannot be written now is tried again."""
        self._arrived.clear()
        self._asked.clear()
        fresh, self._fresh = self._fresh, {}
        waiting, self._waiting = self._waiting, []
        rows = [(*key, *value) for key, value in fresh.items()]
        try:
            if rows:
                await self._store.keep_values(rows)
        except Unavailable as problem:
            _log.warning("last values wait for the database", topics=len(fresh))
            self._fresh = fresh | self._fresh
            self._arrived.set()
            _tell(waiting, problem)
        except Exception:
            _tell(waiting, Unavailable())  # what broke is left out, or it would break every time
            raise
        else:
            _tell(waiting, None)
            self.on_kept(rows)


def _tell(waiting: Sequence["asyncio.Future[None]"], problem: Unavailable | None) -> None:
    for future in waiting:
        if future.done():
            continue
        if problem is None:
            future.set_result(None)
        else:
            future.set_exception(problem)
