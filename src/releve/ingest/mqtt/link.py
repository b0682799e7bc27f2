"""One MQTT connection: the pure session between a wire and the path of a reading.

Bytes come in bursts. What one read brings is decoded, committed and acknowledged together: one submission and one
write, however many publishes it held. While a link's burst is being committed the next one gathers.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from time import time
from typing import Protocol
from uuid import UUID, uuid4

import structlog

from releve.ingest.contract.racing import Assembler
from releve.ingest.mqtt.burst import Burst
from releve.ingest.mqtt.outbox import Outbox
from releve.ingest.mqtt.sign_in import Peer, Proof, Refused
from releve.ingest.mqtt.surroundings import Surroundings
from releve.protocol import topic as topics
from releve.protocol.mqtt.event import (
    Acknowledged,
    Authenticate,
    Close,
    Discarded,
    Event,
    Incoming,
    Subscribing,
    WillDue,
)
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.link import Phase
from releve.protocol.mqtt.packet import Connect, Publish, Will
from releve.protocol.mqtt.reason import Reason
from releve.protocol.mqtt.session import Session
from releve.protocol.mqtt.state import SessionState
from releve.protocol.problem import BadReading, Problem, Unavailable
from releve.protocol.sender import Sender
from releve.protocol.topic import Route
from releve.storage.link_store import Ended

BURST_ENTRIES = 2_000  # a burst is cut there, so that it always fits the backlog
PENDING_BYTES = 262_144  # payloads waiting for their turn, above which the socket is not read
KNOWN_ROUTES = 64
MOST_REFUSALS = 20  # publishes to foreign topics before an MQTT 5 link is closed too
FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 2.0
FLUSH_S = 5.0  # what is written before a close may take
LOOK_AGAIN_S = 3600.0

_log = structlog.get_logger()


class Wire(Protocol):
    """The transport below a link: TCP, TLS or WebSocket."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def pause(self) -> None:
        """Stop reading."""

    def resume(self) -> None:
        """Read again."""

    def close(self) -> None:
        """Close once everything is sent."""

    def abort(self) -> None:
        """Close now."""

    def is_gone(self) -> bool:
        """Whether the other side closed although nothing is read."""


class Link:
    """What the wire calls, and what the endpoint calls.

    Attributes:
        id: Its own, for the whole installation.
        sender: The principal, once it is in.
        session: The protocol's side.
        outbox: What is sent to the client.
    """

    def __init__(self, surroundings: Surroundings, wire: Wire, peer: Peer) -> None:
        self.id: UUID = uuid4()
        self.peer = peer
        self.proof = Proof()
        self.sender: Sender | None = None
        self.outbox = Outbox(self, surroundings)
        self._surroundings = surroundings
        self._loop = asyncio.get_running_loop()
        self._wire = wire
        self.session = Session(surroundings.limits, self._loop.time())
        self._assembler = Assembler()
        self._routes: dict[str, Route] = {}
        self._pending: list[tuple[Incoming, Route]] = []
        self._pending_bytes = 0
        self._is_holding = False
        self._is_paused = False
        self._is_write_paused = False
        self._is_lost = False
        self._refusals = 0
        self._looked_s = time()
        self._work: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0
        self._end: asyncio.TimerHandle | None = None
        self._arm()

    # What the wire calls

    def received(self, data: bytes) -> None:
        """Bytes came."""
        self.session.receive(data, self._loop.time())
        self.pump()
        self._arm()

    def write_paused(self) -> None:
        """The client does not take what is sent: read nothing more of it."""
        self._is_write_paused = True
        self._regulate()

    def write_resumed(self) -> None:
        """The client takes it again."""
        self._is_write_paused = False
        self._regulate()

    def lost(self) -> None:
        """The connection is gone."""
        if self._is_lost:
            return
        self._is_lost = True
        if self._end is not None:
            self._end.cancel()
        self.session.lost(self._loop.time())
        self._surroundings.left(self)
        self.pump()
        self._arm()

    # What the endpoint calls

    @property
    def is_lost(self) -> bool:
        """Whether the connection is gone."""
        return self._is_lost

    @property
    def client_id(self) -> str:
        """The client's id, empty before CONNECT."""
        return self.session.connect.client_id if self.session.connect is not None else ""

    @property
    def can_write(self) -> bool:
        """Whether the client takes what is sent; what is live is not worth keeping for it."""
        return not self._is_write_paused and not self._is_lost

    def close(self, reason: Reason, detail: str) -> None:
        """End the link from our side."""
        self.session.close(reason, detail)
        self.pump()

    def taken_over(self) -> SessionState | None:
        """The same client connected anew; the session state that it takes up."""
        if self._is_lost:
            self.session.resumed_elsewhere()
        else:
            self.session.taken_over()
            self.pump()
        state = self.session.state
        return state if state is not None and state.expiry_s else None

    def became(self, sender: Sender) -> None:
        """The principal's name, team, contract or rights changed."""
        self.sender = sender
        self._routes.clear()
        self._looked_s = time()

    def ended(self) -> Ended:
        """What is written down of the link when it is over."""
        state = self.session.state
        expiry_s = state.expiry_s if state is not None else 0
        return Ended(self.id, time(), state.to_dict() if state is not None and expiry_s else None, expiry_s)

    def pump(self) -> None:
        """Act on what the session says, write what it writes, and start or stop reading."""
        for event in self.session.take_events():
            if type(event) is Incoming:
                self._take(event)
            else:
                self._handle(event)
        if (output := self.session.take_output()) and not self._is_lost:
            self._wire.write(output)
        if self._pending and self._work is None:
            self._work = self._loop.create_task(self._settle_all())
            self._work.add_done_callback(self._done)
        self._regulate()

    def now(self) -> float:
        """The session's clock."""
        return self._loop.time()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run something beside the link, and keep hold of it."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        _log.error("mqtt link failed", client_id=self.client_id, error=repr(error), exc_info=error)
        if not isinstance(error, Unavailable):
            self._wire.abort()

    async def settled(self) -> None:
        """Wait until every publish that came has its verdict."""
        if self._work is not None:
            await self._work

    # What events do

    def _handle(self, event: Event) -> None:
        match event:
            case Authenticate(connect):
                self.start(self._judge(connect))
            case Subscribing():
                self.start(self._subscribe(event))
            case Acknowledged(reference, _):
                self.outbox.acknowledged(reference)
            case Discarded(reference):
                self.outbox.discarded(reference)
            case WillDue(will):
                self._take(Incoming(Publish(will.topic, will.payload)))
            case Close(reason, detail):
                _log.debug("mqtt link closes", client_id=self.client_id, reason=reason.name, detail=detail)
                self._loop.call_soon(self._close_wire)
            case _:
                pass

    def _close_wire(self) -> None:
        if not self._is_lost:
            self._wire.close()
            self._end = self._loop.call_later(FLUSH_S, self._wire.abort)

    def _take(self, incoming: Incoming) -> None:
        topic = incoming.packet.topic
        route = self._routes.get(topic)
        if route is None:
            route = self._route(topic)
            if route is None:
                self._refuse_foreign(incoming)
                return
        self._pending.append((incoming, route))
        self._pending_bytes += len(incoming.packet.payload)

    def _route(self, topic: str) -> Route | None:
        sender = self.sender
        route = topics.route(topic, device=sender.name) if sender is not None and sender.is_device else None
        if route is not None:
            if len(self._routes) >= KNOWN_ROUTES:
                self._routes.clear()
            self._routes[topic] = route
        return route

    def _refuse_foreign(self, incoming: Incoming) -> None:
        """A topic that is not the client's: MQTT 5 is told, else the link ends [MQTT-3.3.5-2 of 3.1.1]."""
        self._refusals += 1
        if self._refusals == 1:
            self.start(self.note_refusal("publish", incoming.packet.topic))
        detail = "this topic is not yours to publish to"
        if self._version is Version.V5 and incoming.packet.qos and self._refusals <= MOST_REFUSALS:
            self.session.refused(incoming, Reason.NOT_AUTHORIZED, detail)
        else:
            self.session.close(Reason.NOT_AUTHORIZED, detail)
            for event in self.session.take_events():
                self._handle(event) if isinstance(event, Close) else None

    async def note_refusal(self, what: str, name: str) -> None:
        """Keep an audit event of something that is not this principal's."""
        sender = self.sender
        if sender is None:
            return
        number = int(sender.principal.partition(":")[2])
        subject = {"device": number, "team": sender.team_id} if sender.is_device else {"account": number}
        _log.warning("mqtt refused", what=what, name=name[:200], principal=sender.principal, address=self.peer.address)
        try:
            await self._surroundings.store.audit(
                "mqtt-refused", address=self.peer.address, subject=subject, detail={"what": what, "name": name[:200]}
            )
        except Unavailable:
            _log.warning("an audit event could not be kept", what=what)

    # Letting the client in

    async def _judge(self, connect: Connect) -> None:
        try:
            await self._let_in(connect)
        except Refused as refusal:
            self._surroundings.counters.refused("mqtt", refusal.reason.name.lower().replace("_", "-"))
            self.session.refuse(refusal.reason, str(refusal))
        except Unavailable:
            self.session.refuse(Reason.SERVER_UNAVAILABLE, "the database does not answer; try again")
        self.pump()
        self._arm()

    async def _let_in(self, connect: Connect) -> None:
        self.sender, self.proof = await self._surroundings.sign_in.check(connect, self.peer)
        await self._judge_will(connect.will)
        assigned = None if connect.client_id else f"releve-{uuid4().hex}"
        claim = await self._surroundings.claim(self, connect.client_id or assigned or "", is_clean=connect.clean_start)
        if claim is None:
            await self.note_refusal("client id", connect.client_id)
            raise Refused(Reason.CLIENT_IDENTIFIER_NOT_VALID, "this client id belongs to another principal")
        state = await self.outbox.still_allowed(claim)
        await self._recall_race()
        if self._is_lost:
            self._surroundings.left(self)
            return
        self.session.accept(self._loop.time(), stored=state, assigned_client_id=assigned)
        self._surroundings.entered(self)
        self.pump()
        await self.outbox.resume()

    async def _recall_race(self) -> None:
        """Let a car that says `race` only once go on with it after its connection broke."""
        sender = self.sender
        if sender is not None and sender.contract == "racing" and sender.device_id is not None:
            race = await self._surroundings.store.last_race(sender.device_id)
            if race is not None:
                with suppress(BadReading):
                    self._assembler.take("race", race)

    async def _judge_will(self, will: Will | None) -> None:
        if will is not None and self._route(will.topic) is None:
            await self.note_refusal("will", will.topic)
            raise Refused(Reason.NOT_AUTHORIZED, "the will's topic is not yours to publish to")

    async def _subscribe(self, event: Subscribing) -> None:
        try:
            await self.outbox.subscribe(event)
        except Unavailable:
            self.session.subscribed(event, [Reason.UNSPECIFIED_ERROR] * len(event.requests))
        self.pump()

    # Readings on their way to the disk

    async def _settle_all(self) -> None:
        try:
            while self._pending:
                await self._settle(self._burst())
        finally:
            self._work = None

    def _burst(self) -> Burst:
        """Decode what waits, in its order, up to as much as is committed at once."""
        burst = self._surroundings.new_burst()
        sender, version, assembler = self.sender, self._version, self._assembler
        count = 0
        for incoming, route in self._pending:
            count += 1
            if sender is not None:
                self._pending_bytes -= len(incoming.packet.payload)
                burst.take(incoming, route, sender=sender, version=version, assembler=assembler)
            if len(burst.entries) >= BURST_ENTRIES:
                break
        del self._pending[:count]
        return burst

    async def _settle(self, burst: Burst) -> None:
        delay_s = FIRST_RETRY_S
        while True:
            try:
                receipts = await self._surroundings.commit(burst, self)
            except Problem as problem:
                # Nothing is acknowledged and nothing more is read until it is committed: silence [MQTT-4.4.0-2].
                self._surroundings.counters.refused("mqtt", problem.slug())
                self._hold()
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, LONGEST_RETRY_S)
                if self._is_lost or self._wire.is_gone():
                    burst.fail(self.session)
                    self._wire.abort()
                    break
            else:
                burst.tell(self.session, receipts)
                break
        self._is_holding = False
        if time() - self._looked_s > LOOK_AGAIN_S:
            self._looked_s = time()
            self._surroundings.look_again(self)
        self.pump()

    def _hold(self) -> None:
        self._is_holding = True
        self._regulate()

    # Flow and time

    @property
    def _version(self) -> Version:
        connect = self.session.connect
        return connect.version if connect is not None else Version.V3_1_1

    def _regulate(self) -> None:
        """Read only while there is room for what comes, so that memory stays flat whatever happens."""
        if self._is_lost:
            return
        limits = self._surroundings.limits
        is_full = (
            self._is_holding
            or self._is_write_paused
            or self._pending_bytes > PENDING_BYTES
            or len(self._pending) >= limits.receive_maximum
            or self.session.is_saturated
        )
        if is_full and not self._is_paused:
            self._is_paused = True
            self._wire.pause()
            self.session.reading_paused()
        elif self._is_paused and not is_full and self.session.phase is not Phase.CLOSED:
            self._is_paused = False
            self._wire.resume()
            self.session.reading_resumed(self._loop.time())

    def _arm(self) -> None:
        """One timer at the next deadline; a deadline that moved on is met by arming again when it fires."""
        deadline_s = self.session.deadline()
        if deadline_s is None or (self._timer is not None and self._timer_s <= deadline_s):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_s = deadline_s
        self._timer = self._loop.call_at(deadline_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.session.tick(self._loop.time())
        self.pump()
        self._arm()
