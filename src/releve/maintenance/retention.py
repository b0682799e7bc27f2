"""Deletes readings, channels and ladders that were kept as long as their teams asked."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence

import structlog

from releve.maintenance.loop import Service
from releve.maintenance.seal import Stepping
from releve.protocol.keeping import Stretch
from releve.storage import retention, sealing
from releve.storage.pool import Pool
from releve.storage.retention import Archive, Step

EVERY_S = 300.0
AFTER_S = 60.0
ROUND_S = 240.0  # a longer round is gone on with in the next one
THOROUGH_S = 3600.0  # between two looks at every device
REST = 1.0  # pause for each second of work
_log = structlog.get_logger()


class Retention:
    """Does what rules ask for, device by device.

    Args:
        pool: Lends connections.
        archive: Writes readings to a file before they are deleted; None where that cannot be done.
        rest: Seconds of pause for each second of work.

    Attributes:
        deleted: Readings that were deleted since this process began.
    """

    def __init__(self, pool: Pool, *, archive: Archive | None = None, rest: float = REST) -> None:
        self._pool = pool
        self._archive = archive
        self._stepping = Stepping(pool, rest=rest)
        self._after = 0
        self._thorough_s = float("-inf")
        self.deleted = 0

    @property
    def failed(self) -> int:
        """How many devices could not be worked on lately."""
        return self._stepping.failed

    def service(self) -> Service:
        """Every five minutes, of which one in an hour begins with the first device."""
        return Service(name="retention", period_s=EVERY_S, round=self.keep, after_s=AFTER_S)

    async def keep(self) -> Mapping[str, int]:
        """Do it once, for some minutes at most; the next round goes on where this one ended.

        Raises:
            Unavailable: The database does not answer.
        """
        if not self._after and time.monotonic() < self._thorough_s:
            return {}
        deadline_s = time.monotonic() + ROUND_S
        done: Counter[str] = Counter()
        kept = await retention.stretches(self._pool)
        now_us = await retention.present_us(self._pool)
        for device_id in sorted(kept):
            if device_id <= self._after or self._stepping.is_left_out(device_id):
                continue
            await self._keep_device(device_id, kept[device_id], now_us, done, deadline_s)
            if time.monotonic() > deadline_s:
                self._after = device_id - 1  # it may not be through
                break
            self._after = device_id
        else:
            self._after = 0
            self._thorough_s = time.monotonic() + THOROUGH_S
        return {name: count for name, count in done.items() if count}

    async def _keep_device(
        self, device_id: int, kept: Sequence[Stretch], now_us: int, done: Counter[str], deadline_s: float
    ) -> None:
        is_more = await retention.has_old_rows(self._pool, device_id, kept, now_us)
        while is_more:
            is_more = (await self._stepping.step(device_id, sealing.seal)).is_more
        readings = thinned = 0
        is_more = True
        while is_more and time.monotonic() <= deadline_s:
            step = await self._stepping.step(device_id, retention.keep, kept, now_us, self._archive)
            is_more = step.is_more
            if isinstance(step, Step):
                readings, thinned = readings + step.readings, thinned + step.thinned
                done.update(ladders=step.ladders, archived_bytes=step.archived_bytes)
        if readings or thinned:
            self.deleted += readings
            done.update(readings=readings, thinned=thinned)
            _log.info("a rule deleted readings", device_id=device_id, readings=readings, thinned=thinned)
