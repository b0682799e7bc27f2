"""One timer for a link's next deadline, however often the deadline moves on."""

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls back once the deadline has passed; a deadline that moved on is met by arming again when it fires.

    Args:
        deadline: The next deadline by the event loop's clock, None for none.
        rung: Called then; it arms again.
    """

    __slots__ = ("_at_s", "_deadline", "_handle", "_loop", "_rung")

    def __init__(self, deadline: Callable[[], float | None], rung: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._deadline = deadline
        self._rung = rung
        self._handle: asyncio.TimerHandle | None = None
        self._at_s = 0.0

    def arm(self) -> None:
        """See that the next deadline is met."""
        deadline_s = self._deadline()
        if deadline_s is None or (self._handle is not None and self._at_s <= deadline_s):
            return
        self.cancel()
        self._at_s = deadline_s
        self._handle = self._loop.call_at(deadline_s, self._ring)

    def cancel(self) -> None:
        """Meet no deadline any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self) -> None:
        self._handle = None
        self._rung()
