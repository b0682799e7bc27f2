"""One MQTT connection: the pure session between a wire and the path of a reading.

What one read brings is committed and acknowledged together, however many publishes it held; the next burst gathers.
"""

import asyncio
from collections.abc import Coroutine
from time import time
from uuid import UUID, uuid4

import structlog

from releve.ingest.mqtt import admission, refusal
from releve.ingest.mqtt.alarm import Alarm
from releve.ingest.mqtt.errand import Errands
from releve.ingest.mqtt.intake import Age, Intake
from releve.ingest.mqtt.outbox import Outbox
from releve.ingest.mqtt.sign_in import Peer, Proof
from releve.ingest.mqtt.surroundings import Surroundings
from releve.ingest.mqtt.wire import Wire
from releve.protocol import topic as topics
from releve.protocol.mqtt import event as events
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.link import Phase
from releve.protocol.mqtt.packet import Connect, Publish
from releve.protocol.mqtt.reason import Reason
from releve.protocol.mqtt.session import Session
from releve.protocol.mqtt.state import SessionState
from releve.protocol.problem import Unavailable
from releve.protocol.sender import Sender
from releve.protocol.topic import Route
from releve.storage.device_row import FOR_EVER_S
from releve.storage.link_store import Ended

KNOWN_ROUTES = 64
MOST_REFUSALS = 20  # publishes to foreign topics before an MQTT 5 link is closed too
FLUSH_S = 5.0  # what is written before a close may take

_log = structlog.get_logger()


class Link:
    """What the wire calls, and what the endpoint calls.

    Attributes:
        sender: The principal, once it is in.
        outbox: What is sent to the client.
        intake: What it sent and is not committed yet.
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
        self.intake = Intake(
            surroundings, self.session, settled=self._settled, held=self._regulate, is_gone=self._is_gone
        )
        self._age = Age()
        self._routes: dict[str, Route] = {}
        self._is_paused = False
        self._is_write_paused = False
        self._is_lost = False
        self._refusals = 0
        self._errands = Errands(self._failed)
        self._alarm = Alarm(self.session.deadline, self._tick)
        self._end: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._alarm.arm()

    # What the wire calls

    def received(self, data: bytes) -> None:
        """Bytes came."""
        self.session.receive(data, self._loop.time())
        self.pump()
        self._alarm.arm()

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
        self._alarm.cancel()
        for timer in (self._end, self._expiry):
            if timer is not None:
                timer.cancel()
        self.session.lost(self._loop.time())
        self._surroundings.left(self)
        self.pump()
        self._alarm.arm()  # for a will that waits

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

    @property
    def has_will_waiting(self) -> bool:
        """Whether the connection is gone and its will waits for its delay."""
        return self._is_lost and self.session.deadline() is not None

    def revoked(self) -> None:
        """The sign-in is nobody's any more: end the link, and take no will of it."""
        self.session.disown()
        self.close(Reason.NOT_AUTHORIZED, "the sign-in was revoked")

    def end_with_its_token(self) -> None:
        """Close when the token does that let the client in; a device's secret has no end."""
        if self.sender is not None and self.sender.expires_s != FOR_EVER_S:
            left_s = max(0.0, self.sender.expires_s - time())
            self._expiry = self._loop.call_later(left_s, self.close, Reason.NOT_AUTHORIZED, "the token has ended")

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
        if self.sender is not None and self.sender.team_id != sender.team_id:
            self.outbox.forget_commands()
        self.sender = self.intake.sender = sender
        self._routes.clear()
        self._age.renew()

    def ended(self) -> Ended:
        """What is written down of the link when it is over."""
        state = self.session.state
        expiry_s = state.expiry_s if state is not None else 0
        return Ended(self.id, time(), state.to_dict() if state is not None and expiry_s else None, expiry_s)

    def pump(self) -> None:
        """Act on what the session says, write what it writes, and start or stop reading."""
        for event in self.session.take_events():
            if isinstance(event, events.Incoming):
                self._take(event)
            else:
                self._handle(event)
        if (output := self.session.take_output()) and not self._is_lost:
            self._wire.write(output)
        if (work := self.intake.start()) is not None:
            self._errands.watch(work)
        self._regulate()

    def now(self) -> float:
        """The session's clock."""
        return self._loop.time()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run something beside the link, and keep hold of it."""
        self._errands.start(work)

    def _failed(self, error: BaseException) -> None:
        _log.error("mqtt link failed", client_id=self.client_id, error=repr(error), exc_info=error)
        if not isinstance(error, Unavailable):
            self._wire.abort()

    async def settled(self) -> None:
        """Wait until every publish that came has its verdict."""
        await self.intake.finished()

    async def wound_up(self) -> None:
        """Wait for the will of a link that is lost."""
        await self._errands.finished()
        await self.intake.finished()

    # What events do

    def _handle(self, event: events.Event) -> None:
        match event:
            case events.Authenticate(connect):
                self.start(self._judge(connect))
            case events.Subscribing():
                self.start(self._subscribe(event))
            case events.Acknowledged(reference, _):
                self.outbox.acknowledged(reference)
            case events.Discarded(reference):
                self.outbox.discarded(reference)
            case events.WillDue(will):
                self.start(self._take_will(Publish(will.topic, will.payload)))
            case events.Close(reason, detail):
                _log.debug("mqtt link closes", client_id=self.client_id, reason=reason.name, detail=detail)
                self._loop.call_soon(self._close_wire)
            case _:
                pass

    async def _take_will(self, publish: Publish) -> None:
        """Take the will, as long as its client would still be let in: it may have waited for days."""
        if await self._surroundings.is_still_in(self):
            self._take(events.Incoming(publish))
            self.pump()
        self._surroundings.forget(self)

    def _close_wire(self) -> None:
        if not self._is_lost:
            self._wire.close()
            self._end = self._loop.call_later(FLUSH_S, self._wire.abort)

    def _take(self, incoming: events.Incoming) -> None:
        topic = incoming.packet.topic
        route = self._routes.get(topic)
        if route is None:
            route = self.route(topic)
            if route is None:
                self._refuse_foreign(incoming)
                return
        self.intake.take(incoming, route)

    def route(self, topic: str) -> Route | None:
        """What a publish of this client on a topic is for; None when that is not its topic."""
        sender = self.sender
        route = topics.route(topic, device=sender.name) if sender is not None and sender.is_device else None
        if route is not None:
            if len(self._routes) >= KNOWN_ROUTES:
                self._routes.clear()
            self._routes[topic] = route
        return route

    def _refuse_foreign(self, incoming: events.Incoming) -> None:
        """A topic that is not the client's: MQTT 5 is told, else the link ends [MQTT-3.3.5-2 of 3.1.1]."""
        self._refusals += 1
        if self._refusals == 1:
            self.start(self.note_refusal("publish", incoming.packet.topic))
        detail = "this topic is not yours to publish to"
        if self.intake.version is Version.V5 and incoming.packet.qos and self._refusals <= MOST_REFUSALS:
            self.session.refused(incoming, Reason.NOT_AUTHORIZED, detail)
        else:
            self.session.close(Reason.NOT_AUTHORIZED, detail)
            for event in self.session.take_events():
                self._handle(event) if isinstance(event, events.Close) else None

    async def note_refusal(self, what: str, name: str) -> None:
        """Keep an audit event of something that is not this principal's."""
        if self.sender is not None:
            await refusal.keep(self._surroundings.store, self.sender, self.peer.address, what=what, name=name)

    # Letting the client in

    async def _judge(self, connect: Connect) -> None:
        await admission.judge(self, self._surroundings, connect)
        self.pump()
        self._alarm.arm()

    async def _subscribe(self, event: events.Subscribing) -> None:
        try:
            await self.outbox.subscribe(event)
        except Unavailable:
            self.session.subscribed(event, [Reason.UNSPECIFIED_ERROR] * len(event.requests))
        self.pump()

    # Flow and time

    def _settled(self) -> None:
        """A burst has its verdicts."""
        if self._age.is_over():
            self._age.renew()
            self._surroundings.look_again(self)
        self.pump()

    def _is_gone(self) -> bool:
        """Whether nobody is left to answer; whoever left while nothing was read is let go of."""
        if not self._is_lost and self._wire.is_gone():
            self._wire.abort()
            return True
        return self._is_lost

    def _regulate(self) -> None:
        """Read only while there is room for what comes, so that memory stays flat whatever happens."""
        if self._is_lost:
            return
        is_full = self.intake.is_full or self._is_write_paused or self.session.is_saturated
        if is_full and not self._is_paused:
            self._is_paused = True
            self._wire.pause()
            self.session.reading_paused()
        elif self._is_paused and not is_full and self.session.phase is not Phase.CLOSED:
            self._is_paused = False
            self._wire.resume()
            self.session.reading_resumed(self._loop.time())

    def _tick(self) -> None:
        self.session.tick(self._loop.time())
        self.pump()
        self._alarm.arm()
