"""Plays devices over their connections: each measures in time and sends, and what became of it is counted."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from releve.cli.simulation.kind import Instrument
from releve.cli.simulation.tally import Tally

PROGRESS_S = 1.0


class NotLoggedIn(Exception):
    """A simulated device could not log in."""


class NotSent(Exception):
    """A reading was not acknowledged; the message says why in a few words."""


class Acknowledged(NamedTuple):
    """A reading came to its end: what became of it, and in how many acknowledgements."""

    outcome: str
    acknowledgements: int = 1


class Connection(Protocol):
    """One device's way to the server."""

    async def send(self, measured: dict[str, Any]) -> Acknowledged:
        """Send one measurement and wait for what acknowledges it.

        Raises:
            NotSent: It was refused, or nothing was heard.
        """


async def play(
    instruments: Sequence[Instrument],
    connections: Sequence[Connection],
    *,
    rate_hz: float,
    seconds: float,
    progress: Callable[[Tally], None],
    ended: asyncio.Event,
) -> Tally:
    """Play devices at `rate_hz` readings a second together, until the time is over.

    Args:
        instruments: The sensors of each.
        connections: The way to the server of each.
        rate_hz: Readings a second of all together.
        seconds: How long; 0 is until `ended`.
        progress: Told about once a second how it goes.
        ended: Set to end early; what is under way is waited for.
    """
    tally = Tally()
    until_s = time.monotonic() + seconds if seconds else float("inf")
    reporting = asyncio.create_task(_report(tally, progress))
    interval_s = len(connections) / rate_hz
    await asyncio.gather(
        *(
            _Device(instrument, connection, tally, ended).play(
                interval_s, first_s=interval_s * number / len(connections), until_s=until_s
            )
            for number, (instrument, connection) in enumerate(zip(instruments, connections, strict=True), start=1)
        )
    )
    reporting.cancel()
    return tally


@dataclass(frozen=True)
class _Device:
    instrument: Instrument
    connection: Connection
    tally: Tally
    ended: asyncio.Event

    async def play(self, interval_s: float, *, first_s: float, until_s: float) -> None:
        due_s = time.monotonic() + first_s - interval_s
        while due_s < until_s:
            if await self._has_ended_within(due_s - time.monotonic()):
                return
            await self._send()
            # One that is late sends at once, but never makes up for more than a beat.
            due_s = max(due_s + interval_s, time.monotonic() - interval_s)

    async def _has_ended_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), max(seconds, 0))
        return self.ended.is_set()

    async def _send(self) -> None:
        measured = self.instrument.measure(datetime.now(UTC))
        began_s = time.perf_counter()
        self.tally.sent += 1
        try:
            acknowledged = await self.connection.send(measured)
        except NotSent as problem:
            self.tally.failures[str(problem)] += 1
            return
        self.tally.latencies_s.append(time.perf_counter() - began_s)
        self.tally.acknowledged += acknowledged.acknowledgements
        self.tally.outcomes[acknowledged.outcome] += 1


async def _report(tally: Tally, progress: Callable[[Tally], None]) -> None:
    while True:
        await asyncio.sleep(PROGRESS_S)
        progress(tally)
