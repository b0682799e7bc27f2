"""Says the same trouble once a minute, with how often it came, however often a loop meets it meanwhile."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

EVERY_S = 60.0
MOST = 256
TROUBLE = frozenset({"warning", "error", "exception"})
# A line with any other fact, such as whose request it was, is an event of its own.
OF_A_LOOP = frozenset({
    *("event", "error", "reason", "exc_info", "service", "task"),
    *("devices", "links", "readings", "topics"),  # how much waits, which changes from one time to the next
})  # fmt: skip


class Fold:
    """A structlog processor that drops a loop's repeated line; the next that is written says `repeated`.

    Args:
        every_s: How long a line stands for those like it, in seconds.
        clock: The monotonic clock.
    """

    def __init__(self, *, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._said: OrderedDict[tuple[str, ...], list[float]] = OrderedDict()  # when, and how many since
        self._lock = threading.Lock()

    def __call__(self, _logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """The line, or nothing where one like it has just been written.

        Raises:
            DropEvent: It has.
        """
        if method not in TROUBLE or not OF_A_LOOP.issuperset(line):
            return line
        key = (str(line["event"]), *(str(line.get(name, "")) for name in ("error", "reason", "service", "task")))
        with self._lock:
            repeated = self._repeated(key)
        if repeated is None:
            raise structlog.DropEvent
        return {**line, "repeated": repeated} if repeated else line

    def _repeated(self, key: tuple[str, ...]) -> int | None:
        now_s = self._clock()
        said = self._said.get(key)
        if said is not None and now_s - said[0] < self._every_s:
            said[1] += 1
            return None
        self._said[key] = [now_s, 0]
        self._said.move_to_end(key)
        if len(self._said) > MOST:
            self._said.popitem(last=False)
        return int(said[1]) if said else 0
