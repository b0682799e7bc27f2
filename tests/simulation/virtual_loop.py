"""An event loop in which an hour takes a moment: nothing waits, time goes to whatever is due next."""

import asyncio
import selectors
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

BEGAN_S = 1_780_000_000.0  # 2026-05-28, by the clocks of the universe


class Stuck(Exception):
    """Somebody waits for what nobody will ever do."""


class Clock:
    """What time it is, in seconds since 1970; it goes on only when everybody waits."""

    def __init__(self) -> None:
        self.now_s = BEGAN_S

    def seconds(self) -> float:
        """As `time.time`, `time.monotonic` and `time.perf_counter` answer."""
        return self.now_s

    def nanoseconds(self) -> int:
        """As `time.time_ns` answers."""
        return int(self.now_s * 1e6) * 1000


class _NoSockets(selectors.BaseSelector):
    """Sees no socket, and lets the time pass that the loop would have waited."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = self._known[number] = selectors.SelectorKey(fileobj, number, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._known.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck
        self._clock.now_s += max(0.0, timeout)
        return []

    def get_map(self) -> dict[int, selectors.SelectorKey]:
        return self._known


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop by another clock; what is given to a thread is done at once."""

    def __init__(self, clock: Clock) -> None:
        self._virtual = clock
        super().__init__(_NoSockets(clock))
        self._clock_resolution = 1e-6  # what is due now is; a float of so many seconds knows nothing finer

    def time(self) -> float:
        """The clock of the universe."""
        return self._virtual.now_s

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        """Do it now: a thread would bring the real time in."""
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is whoever waits for it who hears of it
            done.set_exception(error)
        return done


@contextmanager
def clocks(clock: Clock) -> Iterator[None]:
    """While within, everything that asks what time it is hears the universe's."""
    seconds, nanoseconds = ("time", "monotonic", "perf_counter"), ("time_ns", "monotonic_ns", "perf_counter_ns")
    real = {name: getattr(time, name) for name in (*seconds, *nanoseconds)}
    false = dict.fromkeys(seconds, clock.seconds) | dict.fromkeys(nanoseconds, clock.nanoseconds)
    changed: list[tuple[Any, str]] = [(time, name) for name in real]
    for module in [each for name, each in sys.modules.items() if name.startswith("releve.")]:
        changed += [(module, name) for name in real if getattr(module, name, None) is real[name]]
    for owner, name in changed:
        setattr(owner, name, false[name])
    try:
        yield
    finally:
        for owner, name in changed:
            setattr(owner, name, real[name])
