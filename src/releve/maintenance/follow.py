"""Cuts runs as readings arrive, in a thread of its own: whoever looks finds them as they are."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from releve.maintenance.loop import Service

AFTER_S = 1.5  # the first round loads Django, and would take a core from the server that starts


class Following:
    """Calls the control plane's upkeep of runs.

    Args:
        keep_up: Cuts what has arrived and tells how much that was; it blocks, so it gets a thread.
        every_s: Pause between two times, in seconds.
        name: What it is called in logs and metrics.
    """

    def __init__(self, keep_up: Callable[[], Mapping[str, int]], *, every_s: float, name: str) -> None:
        self._keep_up = keep_up
        self._every_s = every_s
        self._name = name
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    def service(self) -> Service:
        """As often as is set."""
        return Service(name=self._name, period_s=self._every_s, round=self.follow, after_s=AFTER_S)

    async def follow(self) -> Mapping[str, int]:
        """Do it once."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._keep_up)
