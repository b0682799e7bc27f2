"""A link's publishes on their way to the disk: gathered while the burst before them is being committed."""

import asyncio
from collections.abc import Callable
from time import perf_counter, time

from releve.ingest.mqtt.burst import Burst
from releve.ingest.mqtt.client import Client
from releve.ingest.mqtt.route import Routes
from releve.ingest.mqtt.surroundings import Surroundings
from releve.protocol.contract.racing import Assembler
from releve.protocol.mqtt.event import Incoming
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.session import Session
from releve.protocol.problem import Problem
from releve.protocol.sender import Sender
from releve.protocol.topic import Route

BURST_READINGS = 2_000  # a burst is cut there, so that it always fits the backlog
PENDING_BYTES = 262_144  # payloads waiting for their turn, above which the socket is not read
FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 2.0


class Intake:
    """What came over one link and is not committed yet.

    Args:
        client: Whose publishes they are; its session is given the verdicts.
        surroundings: Takes bursts to the disk.
        settled: Called after each burst, so that its answers are written.
        held: Called when nothing can be committed now, so that nothing more is read.
        is_gone: Whether there is nobody left to answer.

    Attributes:
        routes: What its topics are for.
        version: What the client speaks.
        assembler: Puts a car's values together.
        is_holding: Whether a burst waits for the database.
    """

    __slots__ = (
        "_client",
        "_held",
        "_is_gone",
        "_pending",
        "_pending_bytes",
        "_settled",
        "_surroundings",
        "_work",
        "assembler",
        "is_holding",
        "routes",
        "version",
    )

    def __init__(
        self,
        client: Client,
        surroundings: Surroundings,
        *,
        settled: Callable[[], None],
        held: Callable[[], None],
        is_gone: Callable[[], bool],
    ) -> None:
        self.routes = Routes()
        self.version = Version.V3_1_1
        self.assembler = Assembler()
        self.is_holding = False
        self._surroundings = surroundings
        self._client = client
        self._settled = settled
        self._held = held
        self._is_gone = is_gone
        self._pending: list[tuple[Incoming, Route]] = []
        self._pending_bytes = 0
        self._work: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether no more is to be read for now."""
        return (
            self.is_holding
            or self._pending_bytes > PENDING_BYTES
            or len(self._pending) >= self._surroundings.limits.receive_maximum
        )

    def take(self, incoming: Incoming, route: Route) -> None:
        """A publish came."""
        self._pending.append((incoming, route))
        self._pending_bytes += len(incoming.packet.payload)

    def start(self) -> "asyncio.Task[None] | None":
        """Begin to settle what waits; None when there is nothing to begin."""
        if not self._pending or self._work is not None:
            return None
        self._work = asyncio.create_task(self._settle_all())
        return self._work

    async def finished(self) -> None:
        """Wait until every publish that came has its verdict."""
        if self._work is not None:
            await self._work

    async def _settle_all(self) -> None:
        try:
            while self._pending and (sender := self._client.sender) is not None:
                await self._settle(self._burst(sender), sender)
        finally:
            self._work = None

    def _burst(self, sender: Sender) -> Burst:
        """Decode what waits, in its order, up to as much as is committed at once."""
        burst = self._surroundings.new_burst()
        began_s = perf_counter()
        count = 0
        for incoming, route in self._pending:
            count += 1
            self._pending_bytes -= len(incoming.packet.payload)
            burst.take(incoming, route, sender=sender, version=self.version, assembler=self.assembler)
            if len(burst.submission.items) >= BURST_READINGS:
                break
        del self._pending[:count]
        burst.submission.decode_s = perf_counter() - began_s
        return burst

    async def _settle(self, burst: Burst, sender: Sender) -> None:
        delay_s = FIRST_RETRY_S
        while True:
            try:
                await self._surroundings.keep(burst, sender)
            except Problem as problem:
                # Nothing is acknowledged and nothing more is read until it is committed: silence [MQTT-4.4.0-2].
                self._surroundings.path.counters.refused("mqtt", problem.slug())
                self.is_holding = True
                self._held()
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, LONGEST_RETRY_S)
            else:
                with self._surroundings.path.timed("answer"):
                    self._settle_with(burst.tell)
                return
            if self._is_gone():
                self._settle_with(burst.fail)
                return

    def _settle_with(self, verdicts: Callable[[Session], None]) -> None:
        verdicts(self._client.session)
        self.is_holding = False
        self._settled()


class Age:
    """How long ago the link's principal was looked up; an hour at most, as for every other transport."""

    __slots__ = ("_looked_s",)

    LONGEST_S = 3600.0

    def __init__(self) -> None:
        self._looked_s = time()

    def renew(self) -> None:
        """It was looked up just now."""
        self._looked_s = time()

    def is_over(self) -> bool:
        """Whether it is time to look again."""
        return time() - self._looked_s > self.LONGEST_S
