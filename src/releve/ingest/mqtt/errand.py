"""What runs beside a link: held until it ends, and heard of when it fails."""

import asyncio
from collections.abc import Callable, Coroutine


class Errands:
    """The tasks of one link.

    Args:
        failed: Called with the error of a task that failed.
    """

    __slots__ = ("_failed", "_tasks")

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run something, and keep hold of it."""
        self.watch(asyncio.get_running_loop().create_task(work))

    def watch(self, task: "asyncio.Task[None]") -> None:
        """Keep hold of something that runs already."""
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def finished(self) -> None:
        """Wait for those that run."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)
