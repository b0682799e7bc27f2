"""One supervised part: how it is started, when it is ready, and the keeper that looks after its process."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Protocol

from releve.storage.embedded import Identity, ending_with_parent

READY_POLL_S = 0.05
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 3.0  # while it lasts devices are sent away: a start that fails again is cheap beside that
STEADY_AFTER_S = 30.0  # a part that lived this long starts over with the first pause
DEATH_S = 5.0  # between the abort signal and SIGKILL


class Log(Protocol):
    """What events are told to, such as the `info` of a structlog logger."""

    def __call__(self, event: str, /, **fields: object) -> object:
        """Write one line."""


class PartFailed(Exception):
    """A part ended or was not ready in time, while everything was being started."""


@dataclass(frozen=True, kw_only=True)
class Child:
    """One process to start."""

    command: Sequence[str]
    environment: Mapping[str, str] | None = None  # None: the supervisor's own
    identity: Identity = field(default_factory=Identity)
    output: Callable[[], IO[bytes]] | None = None  # None: the supervisor's own


async def is_running(_pid: int) -> bool:
    """Readiness of a part that is ready as soon as it runs."""
    return True


@dataclass(frozen=True, kw_only=True)
class Part:
    """A named process that shall run for as long as the supervisor does.

    Args:
        name: In every log line.
        child: Called in a thread before every start: prepares the ground and says what to start.
        is_ready: Asked again and again with the process id until it says yes.
        stop_signal: Asks for an orderly end; also what the kernel sends when the supervisor is killed.
        abort_signal: Ends it now, when the grace is over or the operator insists.
        grace_s: What an orderly end may take.
        ready_within_s: What a start may take.
    """

    name: str
    child: Callable[[], Child]
    is_ready: Callable[[int], Awaitable[bool]] = is_running
    stop_signal: signal.Signals = signal.SIGTERM
    abort_signal: signal.Signals = signal.SIGKILL
    grace_s: float = 20.0
    ready_within_s: float = 120.0


class Keeper:
    """Starts a part's process, again whenever it dies, and ends it."""

    def __init__(self, part: Part, log: Log) -> None:
        self.part = part
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    async def start(self) -> None:
        """Start it, wait until it is ready, and restart it from then on."""
        await self._start_once()
        self._watch = asyncio.create_task(self._restart_for_ever())

    async def stop(self, *, at_once: asyncio.Event) -> None:
        """End it in good order, or by force when that takes too long or the event is set."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        if self.pid is None:
            return
        self._signal(self.part.stop_signal)
        if not await self._has_ended(self.part.grace_s, at_once):
            self._log("part_aborted", part=self.part.name, after_s=self.part.grace_s)
            await self._abort()
        self._log("part_stopped", part=self.part.name)

    async def _start_once(self) -> None:
        began = time.monotonic()
        process = await self._spawn()
        try:
            async with asyncio.timeout(self.part.ready_within_s):
                await self._wait_until_ready(process)
        except TimeoutError:
            await self._abort()
            raise PartFailed(f"{self.part.name} was not ready within {self.part.ready_within_s:g} s") from None
        self._log("part_ready", part=self.part.name, pid=process.pid, after_s=round(time.monotonic() - began, 3))

    async def _spawn(self) -> asyncio.subprocess.Process:
        child = await asyncio.to_thread(self.part.child)
        with contextlib.ExitStack() as files:
            output = files.enter_context(child.output()) if child.output else None
            self._process = await asyncio.create_subprocess_exec(
                *child.command,
                env=child.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,  # Ctrl-C in the terminal is for the supervisor alone; one session: see `serve/control`
                preexec_fn=ending_with_parent(self.part.stop_signal),
                **child.identity,
            )
        return self._process

    async def _wait_until_ready(self, process: asyncio.subprocess.Process) -> None:
        while process.returncode is None:
            if await self.part.is_ready(process.pid):
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), READY_POLL_S)
        raise PartFailed(f"{self.part.name} ended while it was started: {_ending(process.returncode)}")

    async def _restart_for_ever(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            code = await self._process.wait() if self._process else None
            if time.monotonic() - began > STEADY_AFTER_S:
                pause_s = FIRST_PAUSE_S
            self._log("part_died", part=self.part.name, ending=_ending(code), restart_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            try:
                await self._start_once()
            except Exception as error:  # noqa: BLE001 - whatever it is, it may be mended by the next attempt
                self._log("part_not_restarted", part=self.part.name, reason=str(error))

    async def _has_ended(self, patience_s: float, at_once: asyncio.Event) -> bool:
        if self._process is None:
            return True
        waits = [asyncio.ensure_future(self._process.wait()), asyncio.ensure_future(at_once.wait())]
        done, pending = await asyncio.wait(waits, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        for wait in pending:
            wait.cancel()
        return waits[0] in done

    async def _abort(self) -> None:
        self._signal(self.part.abort_signal)
        if not await self._has_ended(DEATH_S, asyncio.Event()):
            self._signal(signal.SIGKILL)
            await self._has_ended(DEATH_S, asyncio.Event())

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(pid, number)  # nothing that it started survives it either
            else:
                os.kill(pid, number)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
