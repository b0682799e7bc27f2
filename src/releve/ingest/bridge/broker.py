"""Stays connected to one broker: reads its messages in order, acknowledges each after its commit, in order."""

import asyncio
import random
import time
from pathlib import Path

import structlog

from releve.ingest.aside import aside
from releve.ingest.bridge import credential
from releve.ingest.bridge.config import Broker
from releve.ingest.bridge.delivery import Deliveries, Delivery
from releve.ingest.bridge.device import Stranger
from releve.ingest.bridge.intake import TRANSPORT, Intake, Letter
from releve.ingest.bridge.journal import Journal, JournalInUse
from releve.ingest.bridge.link import Link, LinkEnded, Message
from releve.ingest.bridge.racing import Cars
from releve.ingest.bridge.template import Match
from releve.ingest.submission import Submission
from releve.protocol.contract import CONTRACTS
from releve.protocol.decode import Arrival
from releve.protocol.problem import BadReading, Problem

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
STEADY_AFTER_S = 10.0  # a link that lived this long starts over with the first pause
SETTLE_S = 5.0
LOOK_UP_AGAIN_S = 0.5
MOST_NAMED = 1_000
RACING = "racing"

Waiting = asyncio.Queue[tuple[Message, Delivery]]


class BrokerBridge:
    """One broker's bridge.

    Args:
        broker: As configured.
        intake: Takes messages of its team's devices to the disk.
        folder: Where the journal of its deliveries is kept.

    Raises:
        BadConfig: A file of the broker cannot be used.
    """

    def __init__(self, broker: Broker, intake: Intake, *, folder: Path) -> None:
        self._broker = broker
        self._intake = intake
        self._password = credential.password(broker)
        self._tls = credential.tls(broker)
        self._topics = list(zip(broker.templates, broker.topic, strict=True))
        self._journal_path = folder / f"bridge-{broker.name}.journal"
        self._cars = Cars(intake)
        self._named: set[str] = set()
        self._log = structlog.get_logger().bind(broker=broker.name)

    async def run(self) -> None:
        """Bridge until cancelled; then what is under way is still committed and acknowledged."""
        with await self._journal() as journal:
            deliveries = Deliveries(journal, self._intake.path, window=self._broker.window)
            pause_s = FIRST_PAUSE_S
            try:
                while True:
                    began_s = time.monotonic()
                    await self._connect(deliveries)
                    if time.monotonic() - began_s > STEADY_AFTER_S:
                        pause_s = FIRST_PAUSE_S
                    await asyncio.sleep(random.uniform(pause_s / 2, pause_s))  # noqa: S311 - spreads load, guards nothing
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            finally:
                await deliveries.settle(0)

    async def _journal(self) -> Journal:
        """The journal, once the process that had it before has ended."""
        is_told = False
        while True:
            try:
                return Journal(self._journal_path)
            except JournalInUse:
                if not is_told:
                    self._log.warning("another bridge of this name runs; waiting for its end")
                    is_told = True
                await asyncio.sleep(FIRST_PAUSE_S)

    async def _connect(self, deliveries: Deliveries) -> None:
        """One link from its beginning to its end."""
        link = Link(self._broker, password=self._password, tls=self._tls)
        waiting: Waiting = asyncio.Queue()
        acknowledging = asyncio.create_task(self._acknowledge(link, waiting))
        try:
            if not await link.open():
                deliveries.forget()
            filters = [template.filter for template, _ in self._topics]
            subscribing = asyncio.create_task(link.subscribe(filters))
            try:
                await self._read(link, subscribing, deliveries, waiting)
            finally:
                subscribing.cancel()
                await asyncio.gather(subscribing, return_exceptions=True)
        except LinkEnded as ending:
            self._log.warning("bridge is disconnected", reason=str(ending))
        except Exception:  # noqa: BLE001 - whatever broke one link, the next may be better; the trace is in the log
            self._log.exception("bridge failed; it connects again")
        except asyncio.CancelledError:
            await self._finish(deliveries, waiting)
            raise
        finally:
            acknowledging.cancel()
            await asyncio.gather(acknowledging, return_exceptions=True)
            await link.close()

    async def _read(
        self, link: Link, subscribing: "asyncio.Task[None]", deliveries: Deliveries, waiting: Waiting
    ) -> None:
        """Take messages in order; what the session held comes before the subscription is confirmed."""
        reading = asyncio.create_task(self._take_all(link, deliveries, waiting))
        try:
            await asyncio.wait((reading, subscribing, link.ended), return_when=asyncio.FIRST_COMPLETED)
            if subscribing.done():
                subscribing.result()
                self._log.info("bridge is connected", url=self._broker.url, session=self._broker.session)
            await asyncio.wait((reading, link.ended), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
            raise LinkEnded(link.ended.result())
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _take_all(self, link: Link, deliveries: Deliveries, waiting: Waiting) -> None:
        async for message in link.messages():
            delivery = await deliveries.of(message)
            if not delivery.is_known:
                deliveries.begin(message, delivery, await self._submission(message, delivery))
            waiting.put_nowait((message, delivery))

    async def _acknowledge(self, link: Link, waiting: Waiting) -> None:
        """In the order of arrival, each once it is durable [MQTT-4.6.0-2]."""
        while True:
            message, delivery = await waiting.get()
            await delivery.done()
            with self._intake.path.timed("answer"):
                link.acknowledge(message)
            waiting.task_done()

    async def _finish(self, deliveries: Deliveries, waiting: Waiting) -> None:
        """Let what is under way be committed and acknowledged, for a moment."""
        await deliveries.settle(SETTLE_S)
        try:
            await asyncio.wait_for(waiting.join(), 1.0)
        except TimeoutError:
            self._log.warning("stopped with messages that are not acknowledged; the broker keeps them")

    async def _submission(self, message: Message, delivery: Delivery) -> Submission:
        """Read a message, once it can be known whose it is."""
        while True:
            try:
                return await self._read_one(message, Arrival(delivery.received_us, TRANSPORT))
            except Problem as problem:
                self._log.debug("a message cannot be read yet", reason=str(problem))
                await asyncio.sleep(LOOK_UP_AGAIN_S)
            except Exception:  # noqa: BLE001 - one message never stops those behind it (promise P3)
                self._log.exception("a message cannot be read; it is kept in quarantine", topic=message.topic)
                letter = Letter(message.topic, message.payload, Arrival(delivery.received_us, TRANSPORT))
                return self._stray(letter, reason="our own mistake; see the log")

    async def _read_one(self, message: Message, arrival: Arrival) -> Submission:
        for template, topic in self._topics:
            match = template.match(message.topic)
            if match is None:
                continue
            letter = Letter(message.topic, message.payload, arrival, topic.contract or "")
            if topic.device_field is not None:
                return await self._intake.read_named(letter, field=topic.device_field)
            device = topic.device or match.device
            with self._intake.path.timed("authenticate"):
                found = await self._intake.find(device)
            if isinstance(found, Stranger):
                self._name_once(device, found.reason)
            elif template.names_quantity and (topic.contract or found.contract) == RACING:
                return await self._value(letter, match, device=device)
            return await self._intake.read(letter, device=device)
        letter = Letter(message.topic, message.payload, arrival)
        return self._stray(letter, reason="no template of the bridge matches the topic")

    def _stray(self, letter: Letter, *, reason: str) -> Submission:
        submission = Submission(TRANSPORT)
        submission.items.append(self._intake.stray(letter, device="", reason=reason))
        return submission

    async def _value(self, letter: Letter, match: Match, *, device: str) -> Submission:
        """One plain-text value of a car."""
        sender = await self._intake.find(device)
        if isinstance(sender, Stranger):
            return await self._intake.read(letter, device=device)
        try:
            return await self._cars.take(letter, sender, quantity=match.quantity)
        except BadReading as problem:
            submission = Submission(TRANSPORT)
            submission.items.append(
                aside(
                    letter.payload,
                    contract=CONTRACTS[RACING],
                    sender=sender,
                    arrival=letter.arrival,
                    problem=problem,
                )
            )
            return submission

    def _name_once(self, device: str, reason: str) -> None:
        """Say once per device what to do."""
        if device not in self._named and len(self._named) < MOST_NAMED:
            self._named.add(device)
            self._log.warning("messages are kept in quarantine", device=device, reason=reason)
