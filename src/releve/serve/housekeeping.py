"""What a worker writes down beside the readings: when devices were last seen, and its counts for its siblings."""

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import structlog

from releve.ingest import metrics
from releve.ingest.batch import GroupCommit
from releve.ingest.counters import Counters
from releve.protocol.problem import Unavailable
from releve.storage.pool import Pool
from releve.storage.queries import query

EVERY_S = 1.0
_log = structlog.get_logger()


class Housekeeping:
    """Flushes what the ingest path only keeps in memory, about once a second."""

    def __init__(
        self,
        group: GroupCommit,
        pool: Pool,
        *,
        counters: Counters,
        control_counts: Callable[[], Mapping[str, int]],
        run_dir: Path,
        index: int | str,
    ) -> None:
        self._group = group
        self._pool = pool
        self._counters = counters
        self._control_counts = control_counts
        self._path = run_dir / f"worker-{index}.metrics.json"

    async def run(self) -> None:
        """Flush until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.flush()

    async def flush(self) -> None:
        """Write down what is new; what cannot be written now is kept for the next time."""
        self._write_snapshot()
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

    async def finish(self) -> None:
        """Flush a last time and take this worker's counts away."""
        await self.flush()
        self._path.unlink(missing_ok=True)

    def snapshots(self) -> list[Mapping[str, Any]]:
        """This worker's counts, then its siblings'."""
        return [self._snapshot(), *metrics.siblings(self._path.parent, own=self._path)]

    def _snapshot(self) -> dict[str, Any]:
        sign_ins = [[event, count] for event, count in self._control_counts().items()]
        own = self._counters.snapshot()
        return {**own, "sign_ins": sign_ins + own["sign_ins"]}

    def _write_snapshot(self) -> None:
        draft = self._path.with_suffix(f".{os.getpid()}")
        try:
            draft.write_bytes(msgspec.json.encode(self._snapshot()))
            draft.replace(self._path)
        except OSError as error:
            _log.warning("metrics cannot be written for the other workers", error=str(error))
