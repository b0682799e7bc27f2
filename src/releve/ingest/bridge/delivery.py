"""What became of one message of a broker, which may come more than once until its PUBACK arrives there."""

import asyncio
import random
from collections.abc import Coroutine

import msgspec
import structlog

from releve.ingest.bridge.intake import TRANSPORT
from releve.ingest.bridge.journal import Journal, digest_of
from releve.ingest.bridge.link import Message
from releve.ingest.mqtt.burst import Clock
from releve.ingest.path import Path
from releve.ingest.submission import Submission
from releve.protocol.outcome import Outcome
from releve.protocol.problem import Problem

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
_log = structlog.get_logger()


class Delivery(msgspec.Struct):
    """One message on its way to the disk.

    Attributes:
        digest: Of its topic and payload.
        received_us: When it first came.
        is_known: Whether it was taken before, so that it only remains to wait for its commit.
        task: Ends when it is durable; None when it was so before.
    """

    digest: bytes
    received_us: int
    is_known: bool = False
    task: "asyncio.Task[None] | None" = None

    @property
    def is_done(self) -> bool:
        """Whether it is durable."""
        return self.is_known if self.task is None else self.task.done()

    async def done(self) -> None:
        """Wait until it is durable; that wait may be given up without harm."""
        if self.task is not None:
            await asyncio.shield(self.task)


class Deliveries:
    """The messages of one broker that are under way, over all its links.

    Args:
        journal: Remembers them after a restart.
        path: Takes them to the disk.
        window: Most of them; more are not begun.
    """

    def __init__(self, journal: Journal, path: Path, *, window: int) -> None:
        self._journal = journal
        self._path = path
        self._window = window
        self._clock = Clock()
        self._by_mid: dict[int, Delivery] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def of(self, message: Message) -> Delivery:
        """The delivery that a message belongs to: a redelivery belongs to the first one."""
        while len(self._running) >= self._window:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        if not message.qos:
            return Delivery(b"", self._clock.now_us())
        digest = digest_of(message.topic, message.payload)
        known = self._known(message.mid, digest) if message.is_repeat else None
        if known is None:
            known = Delivery(digest, self._clock.now_us())
        if known.is_known:
            self._path.counters.ended(TRANSPORT, Outcome.DUPLICATE)
        else:
            self._journal.received(message.mid, digest, known.received_us)
        self._by_mid[message.mid] = known
        return known

    def begin(self, message: Message, delivery: Delivery, submission: Submission) -> None:
        """Take a submission to the disk, however long the database is away."""
        delivery.is_known = True
        delivery.task = self._start(self._carry(message.mid, delivery, submission))

    def forget(self) -> None:
        """The broker has no session of ours any more: its packet identifiers mean nothing."""
        self._by_mid.clear()
        self._journal.clear()

    async def settle(self, within_s: float) -> None:
        """Wait for what is under way, and give up what is still not durable: the broker keeps it."""
        if self._running:
            await asyncio.wait(self._running, timeout=within_s)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _known(self, mid: int, digest: bytes) -> Delivery | None:
        known = self._by_mid.get(mid)
        if known is not None and known.digest == digest:
            return known
        slot = self._journal.find(mid, digest)
        return None if slot is None else Delivery(digest, slot.received_us, is_known=slot.is_done)

    def _start(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _carry(self, mid: int, delivery: Delivery, submission: Submission) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                await self._path.keep(submission)
            except Problem as problem:
                _log.debug("a message waits", reason=str(problem))
            except Exception:  # noqa: BLE001 - not acknowledged, so the broker keeps it whatever it is
                _log.exception("a message cannot be committed; the broker keeps it")
            else:
                break
            await asyncio.sleep(random.uniform(pause_s / 2, pause_s))  # noqa: S311 - spreads load, guards nothing
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        if mid:
            self._journal.done(mid, delivery.digest, delivery.received_us)
        if self._by_mid.get(mid) is delivery:
            del self._by_mid[mid]
