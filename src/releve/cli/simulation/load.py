"""Plays devices against a running server over real HTTP, each as the published client of its contract does."""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from releve.cli.simulation.kind import Instrument, Kind

TIMEOUT_S = 30.0
LATENCIES_KEPT = 100_000
PROGRESS_S = 1.0


class NotLoggedIn(Exception):
    """A simulated device could not log in."""


@dataclass
class Tally:
    """What became of the readings so far."""

    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))

    def percentile_ms(self, share: float) -> float | None:
        """The latency that this share of the answers kept below, in milliseconds.

        >>> Tally(latencies_s=deque([0.001, 0.002, 0.003])).percentile_ms(0.5)
        2.0
        """
        ordered = sorted(self.latencies_s)
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2) if ordered else None

    def summary(self) -> dict[str, Any]:
        """The numbers to end with."""
        return {
            "sent": self.sent,
            "stored": self.outcomes["stored"],
            "duplicate": self.outcomes["duplicate"],
            "quarantined": self.outcomes["quarantined"],
            "failed": self.failures.total(),
            "failures": dict(self.failures),
            "p50_ms": self.percentile_ms(0.5),
            "p99_ms": self.percentile_ms(0.99),
        }


async def play(
    kind: Kind,
    devices: Sequence[tuple[str, str]],
    *,
    url: str,
    rate_hz: float,
    seconds: float,
    progress: Callable[[Tally], None],
    ended: asyncio.Event,
) -> Tally:
    """Play the devices, given as (name, secret), at `rate_hz` readings a second together, until the time is over.

    Args:
        kind: What they are.
        devices: Name and secret of each.
        url: The server.
        rate_hz: Readings a second of all together.
        seconds: How long; 0 is until `ended`.
        progress: Told about once a second how it goes.
        ended: Set to end early; what is under way is waited for.

    Raises:
        NotLoggedIn: A device was refused at the door.
    """
    tally = Tally()
    async with _clients(kind, len(devices), url) as clients:
        headers = await asyncio.gather(*map(_log_in, [kind] * len(devices), clients, devices))
        until_s = time.monotonic() + seconds if seconds else float("inf")
        reporting = asyncio.create_task(_report(tally, progress))
        interval_s = len(devices) / rate_hz
        await asyncio.gather(
            *(
                _Device(kind.instrument(number), client, header, kind.route, tally, ended).play(
                    interval_s, first_s=interval_s * number / len(devices), until_s=until_s
                )
                for number, (client, header) in enumerate(zip(clients, headers, strict=True), start=1)
            )
        )
        reporting.cancel()
    return tally


@dataclass(frozen=True)
class _Device:
    instrument: Instrument
    client: httpx.AsyncClient
    headers: dict[str, str]
    route: str
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
        body = self.instrument.measure(datetime.now(UTC))
        began_s = time.perf_counter()
        self.tally.sent += 1
        try:
            reply = await self.client.post(self.route, json=body, headers=self.headers)
        except httpx.HTTPError as error:
            self.tally.failures[type(error).__name__] += 1
            return
        self.tally.latencies_s.append(time.perf_counter() - began_s)
        if reply.status_code == httpx.codes.OK:
            self.tally.outcomes[reply.json()["outcome"]] += 1
        else:
            self.tally.failures[f"status {reply.status_code}"] += 1


@contextlib.asynccontextmanager
async def _clients(kind: Kind, count: int, url: str) -> AsyncIterator[list[httpx.AsyncClient]]:
    """One client a device, as each has a connection of its own, or a new one for each call."""
    limits = httpx.Limits(max_keepalive_connections=1 if kind.keeps_connection else 0)
    agent = {"User-Agent": f"releve simulate {kind.name}"}
    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=url, limits=limits, timeout=TIMEOUT_S, headers=agent, trust_env=False)
            )
            for _ in range(count)
        ]


async def _log_in(kind: Kind, client: httpx.AsyncClient, device: tuple[str, str]) -> dict[str, str]:
    name, secret = device
    try:
        reply = await client.post(kind.login, json=kind.credentials(name, secret))
    except httpx.HTTPError as error:
        raise NotLoggedIn(f"{client.base_url} does not answer ({type(error).__name__})") from error
    if reply.status_code != httpx.codes.OK:
        raise NotLoggedIn(f"{name} could not log in at {kind.login}: {reply.status_code} {reply.text[:200]}")
    header, prefix = kind.header
    return {header: prefix + reply.json()[kind.token_field]}


async def _report(tally: Tally, progress: Callable[[Tally], None]) -> None:
    while True:
        await asyncio.sleep(PROGRESS_S)
        progress(tally)
