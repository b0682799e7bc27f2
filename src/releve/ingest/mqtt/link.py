"""One MQTT connection: the pure session between a wire and the path of a reading.

What one read brings is committed and acknowledged together, however many publishes it held; the next burst gathers.
"""

import asyncio
from time import time

import structlog

from releve.ingest.mqtt import refusal
from releve.ingest.mqtt.admission import Admission
from releve.ingest.mqtt.alarm import Alarm
from releve.ingest.mqtt.client import Client
from releve.ingest.mqtt.errand import Errands
from releve.ingest.mqtt.intake import Age, Intake
from releve.ingest.mqtt.outbox import Outbox
from releve.ingest.mqtt.sign_in import Peer
from releve.ingest.mqtt.surroundings import Surroundings
from releve.ingest.mqtt.wire import Wire
from releve.protocol.mqtt import event as events
from releve.protocol.mqtt.connection import Phase
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.packet import Connect, Publish
from releve.protocol.mqtt.reason import Reason
from releve.protocol.mqtt.session import Session
from releve.protocol.mqtt.state import SessionState
from releve.protocol.problem import Unavailable
from releve.protocol.sender import Sender
from releve.storage.device_row import FOR_EVER_S
from releve.storage.link_store import Ended

MOST_REFUSALS = 20  # publishes to foreign topics before an MQTT 5 link is closed too
FLUSH_S = 5.0  # what is written before a close may take

_log = structlog.get_logger()


class Link:
    """What the wire calls, and what the endpoint calls.

    Attributes:
        client: Who is at its other end.
        outbox: What is sent to the client.
        intake: What it sent and is not committed yet.
    """

    __slots__ = (
        "__weakref__",
        "_admission",
        "_age",
        "_alarm",
        "_end",
        "_errands",
        "_expiry",
        "_is_paused",
        "_loop",
        "_refusals",
        "_session",
        "_surroundings",
        "_wire",
        "client",
        "intake",
        "outbox",
    )

    def __init__(self, surroundings: Surroundings, wire: Wire, peer: Peer) -> None:
        self._surroundings = surroundings
        self._loop = asyncio.get_running_loop()
        self._wire = wire
        self._errands = Errands(self._failed)
        self._session = Session(surroundings.limits, self._loop.time())
        self.client = client = Client(peer, self._session, pump=self._pump, start=self._errands.start)
        self.outbox = Outbox(client, surroundings)
        self.intake = Intake(client, surroundings, settled=self._settled, held=self._regulate, is_gone=self._is_gone)
        self._admission = Admission(client, surroundings, intake=self.intake, outbox=self.outbox, became=self.became)
        self._age = Age()
        self._is_paused = False
        self._refusals = 0
        self._alarm = Alarm(self._session.deadline, self._tick)
        self._end: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._alarm.arm()

    # What the wire calls

    def received(self, data: bytes) -> None:
        """Bytes came."""
        self._session.receive(data, self._loop.time())
        self._pump()
        self._alarm.arm()

    def write_paused(self) -> None:
        """The client does not take what is sent: read nothing more of it."""
        self.client.is_write_paused = True
        self._regulate()

    def write_resumed(self) -> None:
        """The client takes it again."""
        self.client.is_write_paused = False
        self._regulate()

    def lost(self) -> None:
        """The connection is gone."""
        if self.client.is_lost:
            return
        self.client.is_lost = True
        self._alarm.cancel()
        for timer in (self._end, self._expiry):
            if timer is not None:
                timer.cancel()
        self._session.lost(self._loop.time())
        self._surroundings.left(self.client)
        self._pump()
        self._alarm.arm()  # for a will that waits

    # What the endpoint calls

    @property
    def is_lost(self) -> bool:
        """Whether the connection is gone."""
        return self.client.is_lost

    def close(self, reason: Reason, detail: str) -> None:
        """End the link from our side."""
        self._session.close(reason, detail)
        self._pump()

    @property
    def has_will_waiting(self) -> bool:
        """Whether the connection is gone and its will waits for its delay."""
        return self.client.is_lost and self._session.deadline() is not None

    def revoked(self) -> None:
        """The sign-in is nobody's any more: end the link, and take no will of it."""
        self._session.disown()
        self.close(Reason.NOT_AUTHORIZED, "the sign-in was revoked")

    def end_with_its_token(self) -> None:
        """Close when the token does that let the client in; a device's secret has no end."""
        sender = self.client.sender
        if sender is not None and sender.expires_s != FOR_EVER_S:
            left_s = max(0.0, sender.expires_s - time())
            self._expiry = self._loop.call_later(left_s, self.close, Reason.NOT_AUTHORIZED, "the token has ended")

    def taken_over(self) -> SessionState | None:
        """The same client connected anew; the session state that it takes up."""
        if self.client.is_lost:
            self._session.resumed_elsewhere()
        else:
            self._session.taken_over()
            self._pump()
        state = self._session.state
        return state if state is not None and state.expiry_s else None

    def became(self, sender: Sender) -> None:
        """The principal's name, team, contract or rights changed."""
        before, self.client.sender = self.client.sender, sender
        if before is not None and before.team_id != sender.team_id:
            self.outbox.forget_commands()
        self._age.renew()

    def ended(self) -> Ended:
        """What is written down of the link when it is over."""
        state = self._session.state
        expiry_s = state.expiry_s if state is not None else 0
        return Ended(self.client.id, time(), state.to_dict() if state is not None and expiry_s else None, expiry_s)

    def _pump(self) -> None:
        """Act on what the session says, write what it writes, and start or stop reading."""
        for event in self._session.take_events():
            if isinstance(event, events.Incoming):
                self._take(event)
            else:
                self._handle(event)
        if (output := self._session.take_output()) and not self.client.is_lost:
            self._wire.write(output)
        if (work := self.intake.start()) is not None:
            self._errands.watch(work)
        self._regulate()

    def _failed(self, error: BaseException) -> None:
        _log.error("mqtt link failed", client_id=self.client.name, error=repr(error), exc_info=error)
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
                self._errands.start(self._judge(connect))
            case events.Subscribing():
                self._errands.start(self._subscribe(event))
            case events.Acknowledged(reference, _):
                self.outbox.acknowledged(reference)
            case events.Discarded(reference):
                self.outbox.discarded(reference)
            case events.WillDue(will):
                self._errands.start(self._take_will(Publish(will.topic, will.payload)))
            case events.Close(reason, detail):
                _log.debug("mqtt link closes", client_id=self.client.name, reason=reason.name, detail=detail)
                self._loop.call_soon(self._close_wire)
            case _:
                pass

    async def _take_will(self, publish: Publish) -> None:
        """Take the will, as long as its client would still be let in: it may have waited for days."""
        if await self._surroundings.is_still_in(self.client):
            self._take(events.Incoming(publish))
            self._pump()
        self._surroundings.forget(self.client)

    def _close_wire(self) -> None:
        if not self.client.is_lost:
            self._wire.close()
            self._end = self._loop.call_later(FLUSH_S, self._wire.abort)

    def _take(self, incoming: events.Incoming) -> None:
        route = self.intake.routes.of(incoming.packet.topic, self.client.sender)
        if route is None:
            self._refuse_foreign(incoming)
        else:
            self.intake.take(incoming, route)

    def _refuse_foreign(self, incoming: events.Incoming) -> None:
        """A topic that is not the client's: MQTT 5 is told, else the link ends [MQTT-3.3.5-2 of 3.1.1]."""
        self._refusals += 1
        if self._refusals == 1:
            topic = incoming.packet.topic
            self._errands.start(refusal.keep(self._surroundings.store, self.client, what="publish", name=topic))
        detail = "this topic is not yours to publish to"
        if self.intake.version is Version.V5 and incoming.packet.qos and self._refusals <= MOST_REFUSALS:
            self._session.refused(incoming, Reason.NOT_AUTHORIZED, detail)
        else:
            self._session.close(Reason.NOT_AUTHORIZED, detail)
            # We are called for an event, so nobody looks again before the next bytes; and none of what came behind this
            # publish is to be taken, as the link is over.
            for event in self._session.take_events():
                self._handle(event) if isinstance(event, events.Close) else None

    # Letting the client in

    async def _judge(self, connect: Connect) -> None:
        await self._admission.judge(connect)
        self._pump()
        self._alarm.arm()

    async def _subscribe(self, event: events.Subscribing) -> None:
        try:
            await self.outbox.subscribe(event)
        except Unavailable:
            self._session.subscribed(event, [Reason.UNSPECIFIED_ERROR] * len(event.requests))
        self._pump()

    # Flow and time

    def _settled(self) -> None:
        """A burst has its verdicts."""
        if self._age.is_over():
            self._age.renew()
            self._surroundings.look_again(self.client)
        self._pump()

    def _is_gone(self) -> bool:
        """Whether nobody is left to answer; whoever left while nothing was read is let go of."""
        if not self.client.is_lost and self._wire.is_gone():
            self._wire.abort()
            return True
        return self.client.is_lost

    def _regulate(self) -> None:
        """Read only while there is room for what comes, so that memory stays flat whatever happens."""
        if self.client.is_lost:
            return
        is_full = self.intake.is_full or self.client.is_write_paused or self._session.is_saturated
        if is_full and not self._is_paused:
            self._is_paused = True
            self._wire.pause()
            self._session.reading_paused()
        elif self._is_paused and not is_full and self._session.phase is not Phase.CLOSED:
            self._is_paused = False
            self._wire.resume()
            self._session.reading_resumed(self._loop.time())

    def _tick(self) -> None:
        self._session.tick(self._loop.time())
        self._pump()
        self._alarm.arm()
