"""Runs the parts of Relevé as child processes: in order of readiness, restarted when they die, stopped in reverse."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

from releve.serve.process.part import Keeper, Log, Part, PartFailed

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Owner of every child process; it is the only one that Ctrl-C reaches.

    It needs asyncio's own event loop (uvloop cannot change a child's user), in the main thread
    (children are ended with the thread that started them).

    A plan says what runs::

        async def plan(supervisor: Supervisor) -> None:
            await supervisor.start(database)
            await asyncio.to_thread(migrate)
            await supervisor.start(*workers)

        exit_code = asyncio.run(Supervisor(log=log.info).run(plan))
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._keepers: list[Keeper] = []
        self._stop = asyncio.Event()
        self._at_once = asyncio.Event()
        self._plan: asyncio.Task[None] | None = None

    async def run(self, plan: Callable[["Supervisor"], Awaitable[None]]) -> int:
        """Carry the plan out, keep what it started until a signal comes, stop in reverse; returns the exit code.

        What the plan raises is raised again once everything has stopped.
        """
        self._listen_to_signals()
        self._plan = asyncio.ensure_future(_as_coroutine(plan(self)))
        try:
            await self._plan
            await self._stop.wait()
        except asyncio.CancelledError:
            if not self._stop.is_set():
                raise
        finally:
            await self._stop_all()
        return 1 if self._at_once.is_set() else 0

    async def start(self, *parts: Part) -> None:
        """Start parts side by side and wait until all are ready; from then on they are restarted when they die.

        Raises:
            PartFailed: One ended, or was not ready in time.
        """
        keepers = [self._keeper(part) for part in parts]
        try:
            async with asyncio.TaskGroup() as group:
                for keeper in keepers:
                    group.create_task(keeper.start())
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    def stop(self) -> None:
        """What a signal asks for: everything in reverse order; asked again, at once."""
        if self._stop.is_set():
            self._log("stopping_at_once")
            self._at_once.set()
            return
        self._log("stopping")
        self._stop.set()
        if self._plan is not None:
            self._plan.cancel()

    @property
    def pids(self) -> dict[str, int]:
        """The process of each part that runs now."""
        return {keeper.part.name: keeper.pid for keeper in self._keepers if keeper.pid is not None}

    def _keeper(self, part: Part) -> Keeper:
        keeper = Keeper(part, self._log)
        self._keepers.append(keeper)
        return keeper

    async def _stop_all(self) -> None:
        while self._keepers:
            await self._keepers[-1].stop(at_once=self._at_once)
            self._keepers.pop()
        self._log("stopped")

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _STOPPING:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # nohup
            loop.add_signal_handler(number, self.stop)


async def _as_coroutine(plan: Awaitable[None]) -> None:
    await plan


__all__ = ["Log", "Part", "PartFailed", "Supervisor"]
