"""Background tasks under watch: one that fails is logged, counted and started again after a pause that grows."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
STEADY_AFTER_S = 30.0  # a task that lived this long starts over with the first pause
HOPELESS_AFTER = 3  # failures in a row, from which on the process says that it is not ready

Work = Callable[[], Awaitable[object]]
_log = structlog.get_logger()


class Tasks:
    """What one process does beside answering, for as long as it lives.

    Attributes:
        restarts: How often each task was started again.
    """

    def __init__(self) -> None:
        self.restarts: Counter[str] = Counter()
        self._running: list[asyncio.Task[None]] = []
        self._failed: dict[str, str] = {}

    def start(self, name: str, work: Work) -> None:
        """Run a task that never ends by itself, again whenever it does."""
        self.restarts.setdefault(name, 0)
        self._running.append(asyncio.create_task(self._keep_running(name, work), name=name))

    async def stop(self) -> None:
        """End every task, the last one first."""
        while self._running:
            task = self._running.pop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def reasons(self) -> list[str]:
        """Why the process is not well: each task that fails again and again."""
        return [f"the background task {name!r} fails again and again: {why}" for name, why in self._failed.items()]

    async def _keep_running(self, name: str, work: Work) -> None:
        failures, pause_s = 0, FIRST_PAUSE_S
        while True:
            began_s = time.monotonic()
            well = asyncio.get_running_loop().call_later(STEADY_AFTER_S, self._failed.pop, name, None)
            try:
                await work()
                why = "it ended, which it never should"
                _log.error("background task ended", task=name)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next start may do without it
                why = f"{type(error).__name__}: {error}".strip()[:300]
                _log.exception("background task failed", task=name)
            finally:
                well.cancel()
            if time.monotonic() - began_s > STEADY_AFTER_S:
                failures, pause_s = 0, FIRST_PAUSE_S
            failures += 1
            if failures >= HOPELESS_AFTER:
                self._failed[name] = why
            self.restarts[name] += 1
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
