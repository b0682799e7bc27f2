"""Empties the table of earlier releases into segments while the server runs, and drops it month by month."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import structlog

from releve.maintenance.loop import Service
from releve.maintenance.seal import Stepping
from releve.storage import sealing, takeover
from releve.storage.pool import Pool
from releve.storage.takeover import Month

EVERY_S = 60.0
AFTER_S = 10.0
ROUND_S = 60.0
REST = 2.0  # pause for each second of work: nobody waits for it
_log = structlog.get_logger()


class Progress(NamedTuple):
    """How far it is.

    Attributes:
        months: Partitions that are left.
        rows: Rows in them, as PostgreSQL estimates it.
        per_s: Rows a second that went since this process began.
    """

    months: int
    rows: int
    per_s: float

    @property
    def remaining_s(self) -> float | None:
        """How long it goes on at that rate; None while that is unknown."""
        return self.rows / self.per_s if self.per_s else None


class TakingOver:
    """Seals what earlier releases stored.

    Args:
        pool: Lends connections.
        rest: Seconds of pause for each second of work.

    Attributes:
        progress: How far it is; None before the first round.
    """

    def __init__(self, pool: Pool, *, rest: float = REST) -> None:
        self._pool = pool
        self._stepping = Stepping(pool, rest=rest)
        self._taken = 0
        self._worked_s = 0.0
        self.progress: Progress | None = None

    @property
    def failed(self) -> int:
        """How many devices could not be taken over lately."""
        return self._stepping.failed

    def service(self) -> Service:
        """Once a minute, for a minute, until nothing is left."""
        return Service(name="take-over", period_s=EVERY_S, round=self.take_over, after_s=AFTER_S)

    async def take_over(self) -> Mapping[str, Any]:
        """Go on with it for about a minute; what it did and what is left.

        Raises:
            Unavailable: The database does not answer.
        """
        began_s = time.monotonic()
        taken = dropped = 0
        for month in await takeover.months(self._pool):
            n, is_through = await self._take(month, deadline_s=began_s + ROUND_S)
            taken += n
            if not is_through:
                break
            dropped += await self._drop(month)
        if taken:
            self._taken += taken
            self._worked_s += time.monotonic() - began_s
        await self._look()
        return self._told(taken, dropped) if taken or dropped else {}

    async def _take(self, month: Month, *, deadline_s: float) -> tuple[int, bool]:
        """How many rows were sealed, and whether every device had its turn."""
        taken, after = 0, 0
        while (device_id := await takeover.next_device(self._pool, month, after=after)) is not None:
            after = device_id
            is_more = not self._stepping.is_left_out(device_id)
            while is_more:
                step = await self._stepping.step(device_id, sealing.take_over, month.span)
                taken += step.readings
                is_more = step.is_more
                if time.monotonic() > deadline_s:
                    return taken, False
        return taken, True

    async def _drop(self, month: Month) -> bool:
        async with self._pool.connection() as connection:
            is_dropped = await takeover.drop_if_empty(connection, month)
        if is_dropped:
            _log.info("a month of the old table is empty and was dropped", table=month.name)
        return is_dropped

    async def _look(self) -> None:
        left = await takeover.months(self._pool)
        per_s = self._taken / self._worked_s if self._worked_s else 0.0
        self.progress = Progress(len(left), sum(month.rows for month in left), per_s)

    def _told(self, taken: int, dropped: int) -> Mapping[str, Any]:
        told: dict[str, Any] = {"readings": taken, "months_dropped": dropped}
        if self.progress is not None:
            told |= {"months_left": self.progress.months, "rows_left": self.progress.rows}
            told |= {"readings_per_s": round(self.progress.per_s)}
            if self.progress.remaining_s is not None:
                told |= {"remaining_s": round(self.progress.remaining_s)}
        return told
