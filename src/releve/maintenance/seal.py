"""Turns rows that are minutes old into segments, joins small segments, and takes away what they replaced."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec
import psycopg
import structlog
from psycopg import errors

from releve.history.segment import READINGS, Damaged
from releve.maintenance.loop import Service
from releve.storage import sealing
from releve.storage.pool import Pool
from releve.storage.queries import query
from releve.storage.reader import AsyncReader
from releve.storage.sealing import Moved, Step
from releve.storage.segments import Unfaithful

EVERY_S = 30.0
AFTER_S = 5.0  # a server that starts has something else to do
ROUND_S = 60.0  # a longer round is gone on with in the next one, after what else there is to do
THOROUGH_S = 300.0  # between two looks at every segment
AGE_S = 3600.0  # no row that may be sealed grows older
ROWS = 8_000  # of one device, after which they are sealed at once
DEVICES = 1_000  # looked at by one statement
SMALL, MANY = READINGS // 4, 8  # segments of a device that are to be joined
REPLACED_S = 900.0  # a scan that planned to read a segment has that long to do so
REST = 1.0  # pause for each second of work: at most half of a core
LONGEST_REST_S = 5.0
AGAIN_S = 600.0  # until a device is tried again whose rows could not be sealed
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '300ms'"  # who waits for a late reading's lock keeps other late ones waiting
Done = TypeVar("Done")
_log = structlog.get_logger()


class Stepping:
    """Runs steps of one device each, with a pause after each, and goes on past those that cannot be done.

    Args:
        pool: Lends connections.
        rest: Seconds of pause for each second of work.
    """

    def __init__(self, pool: Pool, *, rest: float = REST) -> None:
        self._pool = pool
        self._rest = rest
        self._failed: dict[int, float] = {}

    @property
    def failed(self) -> int:
        """How many devices could not be worked on lately."""
        return sum(until_s > time.monotonic() for until_s in self._failed.values())

    def is_left_out(self, device_id: int) -> bool:
        """Whether a device failed a short while ago."""
        return self._failed.get(device_id, 0.0) > time.monotonic()

    async def step(self, device_id: int, work: Callable[..., Awaitable[Done]], *details: Any) -> Done | Step:
        """Do it in one transaction; an empty step, where it cannot be done now.

        Args:
            device_id: Whose readings.
            work: Is called with a reader, the device and the details.
            details: What else it is told.

        Raises:
            Unavailable: The database does not answer.
        """
        began_s = time.monotonic()
        step: Done | Step
        try:
            step = await self._within_transaction(work, device_id, *details)
        except Moved as error:
            _log.debug("history moved", device_id=device_id, reason=str(error))
            step = Step()
        except (
            *(Unfaithful, Damaged, ValueError, msgspec.MsgspecError),
            *(psycopg.DataError, psycopg.IntegrityError, errors.ProgramLimitExceeded),
        ) as error:
            _log.exception("a device's readings stay as they are", device_id=device_id, reason=str(error))
            self._failed[device_id] = time.monotonic() + AGAIN_S
            step = Step()
        else:
            self._failed.pop(device_id, None)
        await asyncio.sleep(min(LONGEST_REST_S, self._rest * (time.monotonic() - began_s)))
        return step

    async def _within_transaction(self, work: Callable[..., Awaitable[Done]], *details: Any) -> Done:
        async with self._pool.connection() as connection:
            try:
                async with connection.transaction():
                    await connection.execute(LOCK_TIMEOUT)
                    return await work(AsyncReader(connection), *details)
            except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
                raise Moved(str(error)) from error


class Sealing:
    """Keeps each device's fresh rows few.

    Args:
        pool: Lends connections.
        rest: Seconds of pause for each second of work.

    Attributes:
        sizes: What there is of history: `fresh`, `segments`, `sealed`, `bytes`.
    """

    def __init__(self, pool: Pool, *, rest: float = REST) -> None:
        self._pool = pool
        self._stepping = Stepping(pool, rest=rest)
        self._after = 0
        self._joined: dict[int, int] = {}
        self._thorough_s = float("-inf")
        self.sizes: dict[str, int] = {}

    @property
    def failed(self) -> int:
        """How many devices could not be sealed lately."""
        return self._stepping.failed

    def service(self) -> Service:
        """Every half minute."""
        return Service(name="seal", period_s=EVERY_S, round=self.seal, after_s=AFTER_S)

    async def seal(self) -> Mapping[str, int]:
        """Do it once, for about a minute at most; the next round goes on where this one ended.

        Raises:
            Unavailable: The database does not answer.
        """
        deadline_s = time.monotonic() + ROUND_S
        done: Counter[str] = Counter()
        while devices := await self._look():
            for device_id, is_due in devices:
                self._after = device_id
                if is_due and not self._stepping.is_left_out(device_id):
                    await self._seal_device(device_id, done, deadline_s)
                if time.monotonic() > deadline_s:
                    break
            if time.monotonic() > deadline_s:
                break
        else:
            self._after = 0
        done["dropped"] += (await self._pool.ask(query("drop_replaced"), {"older_s": REPLACED_S}))[0][0]
        if time.monotonic() >= self._thorough_s:
            await self._join(done)
            await self._measure()
            self._thorough_s = time.monotonic() + THOROUGH_S
        return {name: count for name, count in done.items() if count}

    async def _look(self) -> list[tuple[int, bool]]:
        values = {"after": self._after, "age_s": AGE_S, "older_s": sealing.OLDER_S, "rows": ROWS, "limit": DEVICES}
        return [(device_id, is_due) for device_id, is_due in await self._pool.ask(query("devices_to_seal"), values)]

    async def _seal_device(self, device_id: int, done: Counter[str], deadline_s: float) -> None:
        while True:
            step = await self._stepping.step(device_id, sealing.seal)
            _count(done, step)
            if not step.is_more or time.monotonic() > deadline_s:
                return

    async def _join(self, done: Counter[str]) -> None:
        """Join small segments of devices that have more of them than when it was last tried."""
        found = dict(await self._pool.ask(query("devices_to_join"), {"small": SMALL, "many": MANY}))
        self._joined = {device_id: self._joined.get(device_id, 0) for device_id in found}
        for device_id, small in found.items():
            if small >= self._joined[device_id] + MANY and not self._stepping.is_left_out(device_id):
                step = Step(is_more=True)
                while step.is_more:
                    step = await self._stepping.step(device_id, sealing.join)
                    _count(done, step)
                self._joined[device_id] = small if not step.segments else 0

    async def _measure(self) -> None:
        fresh, segments, sealed, size = (await self._pool.ask(query("history_sizes"), {}))[0]
        self.sizes = {"fresh": fresh or 0, "segments": segments, "sealed": sealed, "bytes": size}


def _count(done: Counter[str], step: Step) -> None:
    done["readings"] += step.readings
    done["segments"] += step.segments
    done["written"] += step.written
    done["damaged"] += step.damaged
