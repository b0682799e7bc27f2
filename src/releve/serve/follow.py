"""Keeps runs followed in the background, in a thread of its own, so that a first look at a long run is quick."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

_log = structlog.get_logger()


class Follower:
    """Calls the control plane's upkeep again and again.

    Args:
        keep_up: Brings every run up to date once; it blocks, so it gets a thread.
        every_s: Pause between two times, in seconds; 0 never calls it.
    """

    def __init__(self, keep_up: Callable[[], object], *, every_s: float) -> None:
        self._keep_up = keep_up
        self._every_s = every_s

    async def run(self) -> None:
        """Follow until cancelled; what fails is tried again the next time."""
        if not self._every_s:
            return
        with ThreadPoolExecutor(1, thread_name_prefix="follow runs") as thread:
            while True:
                await asyncio.sleep(self._every_s)
                try:
                    await asyncio.get_running_loop().run_in_executor(thread, self._keep_up)
                except Exception as error:  # noqa: BLE001 - upkeep: whatever fails, people's own looks still bring it up
                    _log.warning("runs could not be followed", error=str(error).strip()[:500])
