"""The one loop of background work: a service's rounds, one after the other, on one machine at a time."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg
import structlog

from releve.protocol.problem import Unavailable

JITTER = 0.1  # of the period, so that machines and services do not all work in the same moment
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 300.0
HOPELESS_AFTER = 3  # failed rounds in a row, from which on the process says that it is not well
Round = Callable[[], Awaitable[Mapping[str, Any] | None]]
_log = structlog.get_logger()


class Leave(Protocol):
    """What lets a service work: the lock that one machine holds."""

    async def wait(self) -> None:
        """Return once this process may work."""


class Always:
    """Leave for what every machine does for itself."""

    async def wait(self) -> None:
        """Return at once."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One kind of background work.

    Args:
        name: In every log line and metric.
        period_s: From the end of one round to the start of the next.
        round: Does it once; answers what there is to tell, nothing when nothing was done.
        is_everywhere: Whether each machine does it for itself, rather than one for all.
        after_s: Pause before the first round, so that it takes no time from the start of the server.
    """

    name: str
    period_s: float
    round: Round
    is_everywhere: bool = False
    after_s: float = 0.0


class Loop:
    """Runs a service for as long as the process lives.

    Attributes:
        rounds: How many rounds ended `done` and how many `failed`.
        busy_s: Seconds spent in them.
        last_done_s: When one last ended well, seconds since 1970; 0 before the first.
    """

    def __init__(self, service: Service, leave: Leave) -> None:
        self.service = service
        self.rounds = {"done": 0, "failed": 0}
        self.busy_s = 0.0
        self.last_done_s = 0.0
        self._leave: Leave = Always() if service.is_everywhere else leave
        self._failures = 0
        self._why = ""

    async def run(self) -> None:
        """Work until cancelled; a round that failed is tried again after a pause that grows."""
        await asyncio.sleep(self.service.after_s)
        while True:
            await self._leave.wait()
            began_s = time.monotonic()
            try:
                told = await self.service.round()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next round may do without it
                self._note_failure(error)
            else:
                self._note(told, time.monotonic() - began_s)
            self.busy_s += time.monotonic() - began_s
            await asyncio.sleep(self.pause_s() * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - no secret

    def pause_s(self) -> float:
        """How long until the next round."""
        if not self._failures:
            return self.service.period_s
        backed_off_s = FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 20)
        return min(backed_off_s, LONGEST_PAUSE_S, max(self.service.period_s, FIRST_PAUSE_S))

    def reason(self) -> str | None:
        """Why the service does not do its work, once it has failed several times in a row."""
        if self._failures < HOPELESS_AFTER:
            return None
        return f"the background work {self.service.name!r} fails again and again: {self._why}"

    def _note(self, told: Mapping[str, Any] | None, took_s: float) -> None:
        self._failures = 0
        self.rounds["done"] += 1
        self.last_done_s = time.time()
        write = _log.info if told else _log.debug
        write("background work done", service=self.service.name, took_s=round(took_s, 3), **(told or {}))

    def _note_failure(self, error: Exception) -> None:
        self._failures += 1
        self.rounds["failed"] += 1
        self._why = f"{type(error).__name__}: {error}".strip()[:300]
        if _is_away(error):  # no trace is needed to see that
            _log.warning("background work waits", service=self.service.name, error=self._why)
        else:
            _log.error("background work failed", service=self.service.name, exc_info=error)


def _is_away(error: Exception) -> bool:
    """Whether the database does not answer, also in the words of Django, which keeps the driver's as cause."""
    return isinstance(error, Unavailable) or any(
        isinstance(each, psycopg.OperationalError | psycopg.InterfaceError) for each in (error, error.__cause__)
    )
