"""The server's side of one MQTT connection, without I/O: bytes, verdicts and the time in, bytes and events out.

After every call `take_events` says what to judge or know, `take_output` what to write. Times are of any one clock.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from releve.protocol.mqtt import greeting
from releve.protocol.mqtt import packet as packets
from releve.protocol.mqtt.connection import Connection, Phase
from releve.protocol.mqtt.encode import PINGRESP
from releve.protocol.mqtt.error import ProtocolError, QuotaExceeded, Violation
from releve.protocol.mqtt.event import Authenticate, Event, Incoming, Subscribing, Unsubscribed, WillDue
from releve.protocol.mqtt.inflow import Inflow
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.outflow import Outflow
from releve.protocol.mqtt.packet import Connect, Packet, Publish
from releve.protocol.mqtt.reason import DISCONNECT_OF_SERVER_ONLY, Reason
from releve.protocol.mqtt.state import Message, SessionState, Subscription
from releve.protocol.mqtt.subscribe import answered, judged, subscribe, unsubscribe
from releve.protocol.mqtt.watch import Watch
from releve.protocol.mqtt.will import Testament


class Session:
    """One connection of a client; `state` is what outlives it, once the client is in."""

    __slots__ = ("_connection", "_inflow", "_limits", "_now", "_outflow", "_testament", "_watch", "state")
    _inflow: Inflow
    _outflow: Outflow

    def __init__(self, limits: Limits, now: float) -> None:
        self.state: SessionState | None = None
        self._limits = limits
        self._now = now
        self._connection = Connection(limits)
        self._watch = Watch(limits, now)
        self._testament = Testament(None)

    # What the transport calls

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came."""
        if self._connection.phase is Phase.CLOSED:
            return
        self._now = now
        self._connection.decoder.feed(data)
        if self._connection.is_reading:
            self._decode()
        elif self._connection.decoder.pending() > self._limits.pipelined_size:
            self._connection.violated(QuotaExceeded("too much came before CONNECT was answered"))

    def tick(self, now: float) -> None:
        """Time passed; needed no earlier than `deadline` says."""
        if (will := self._testament.take_due(now)) is not None:
            self._connection.events.append(WillDue(will))
        if self._connection.phase in {Phase.GREETING, Phase.OPEN}:
            if (silent_at := self._watch.silent_at()) is not None and now >= silent_at:
                self.close(Reason.KEEP_ALIVE_TIMEOUT, "nothing was heard for too long")
            elif (stuck_at := self._watch.stuck_at()) is not None and now >= stuck_at:
                self.close(Reason.UNSPECIFIED_ERROR, "a packet was under way for too long")

    def deadline(self) -> float | None:
        """When `tick` has something to do, if nothing happens before."""
        times = [self._testament.due_at()]
        if self._connection.phase in {Phase.GREETING, Phase.OPEN}:
            times += [self._watch.silent_at(), self._watch.stuck_at()]
        return min((time for time in times if time is not None), default=None)

    def reading_paused(self) -> None:
        """The transport stopped reading: the client's silence does not count meanwhile."""
        self._watch.pause()

    def reading_resumed(self, now: float) -> None:
        """The transport reads again."""
        self._watch.resume(now)

    def lost(self, now: float) -> None:
        """The connection is gone, whoever closed it; the will may be due, now or later."""
        self._connection.stop()
        if self.state is not None:
            self._testament.connection_lost(now, expiry_s=self.state.expiry_s)
        self.tick(now)

    def take_events(self) -> list[Event]:
        """What happened since the last call, in its order."""
        return self._connection.take_events()

    def take_output(self) -> bytes:
        """What is to be written since the last call."""
        return self._connection.take_output()

    # What the application answers

    def accept(self, now: float, *, stored: SessionState | None = None, assigned_client_id: str | None = None) -> None:
        """Let the client in.

        Args:
            now: The time.
            stored: The session state of an earlier connection, unexpired; forgotten on a clean start.
            assigned_client_id: Needed when the client named none [MQTT-3.1.3-6].
        """
        if self._connection.phase is not Phase.JUDGING or self._connection.connect is None:
            return  # the connection ended while it was judged
        connect, self._now = self._connection.connect, now
        connect.client_id = connect.client_id or assigned_client_id or ""
        kept = None if connect.clean_start else stored  # [MQTT-3.1.2-4]
        state = kept or SessionState(connect.client_id)
        state.expiry_s = greeting.session_expiry_s(connect, self._limits)
        connack = greeting.acceptance(
            connect, self._limits, session_present=kept is not None, assigned=assigned_client_id
        )
        if self._connection.write(connack):
            self._open(connect, state)
        else:
            self._connection.end(Reason.PACKET_TOO_LARGE, "the client does not take a CONNACK")

    def _open(self, connect: Connect, state: SessionState) -> None:
        self.state = state
        self._testament = Testament(connect.will)
        self._inflow = Inflow(
            connect, state, self._limits, output=self._connection.output, events=self._connection.events
        )
        self._outflow = Outflow(
            connect, state, self._limits, output=self._connection.output, events=self._connection.events
        )
        self._connection.phase = Phase.OPEN
        self._connection.is_reading = True
        self._watch.greeted(greeting.keep_alive_s(connect, self._limits), self._now)
        self._outflow.resume(self._now)
        self._decode()

    def refuse(self, reason: Reason, detail: str = "") -> None:
        """Do not let the client in."""
        if self._connection.phase is Phase.JUDGING:
            self._connection.turn_away(self._connection.decoder.version, reason, detail)

    def committed(self, incoming: Incoming) -> None:
        """Everything in the publish is committed, or it is a duplicate, or quarantined with success."""
        self._inflow.committed((incoming,))

    def committed_all(self, several: Sequence[Incoming]) -> None:
        """As `committed`, for all publishes of a burst: their answers are put out in one go."""
        self._inflow.committed(several)

    def refused(self, incoming: Incoming, reason: Reason, detail: str = "") -> None:
        """The publish is permanently bad; 3.1.1 is told success, as it has no other word."""
        self._inflow.refused(incoming, reason, detail)

    def failed(self, incoming: Incoming) -> None:
        """The publish could not be committed now: silence. Close soon after, so that it is sent again."""
        self._inflow.failed(incoming)

    def subscribed(self, event: Subscribing, reasons: Sequence[int]) -> tuple[Subscription, ...]:
        """One reason per request: a granted QoS or a failure.

        Returns:
            The subscriptions for which retained messages are due, for `deliver_retained`.
        """
        if self._connection.phase is not Phase.OPEN or self.state is None or self._connection.decoder.version is None:
            return ()
        suback = answered(event, reasons, self._connection.decoder.version)
        due = subscribe(event, suback, self.state)
        self._connection.write(suback)
        return due

    def deliver(self, message: Message, now: float) -> bool:
        """Send a message if the client subscribes to its topic; False when it does not, or is gone.

        Raises:
            OutgoingFull: Too many wait for the client already.
        """
        return self._connection.phase is Phase.OPEN and self._outflow.deliver(message, now)

    def deliver_retained(self, message: Message, subscription: Subscription, now: float) -> None:
        """Send what is retained to a subscription just made.

        Raises:
            OutgoingFull: Too many wait for the client already.
        """
        if self._connection.phase is Phase.OPEN:
            self._outflow.deliver_retained(message, subscription, now)

    def close(self, reason: Reason, detail: str = "") -> None:
        """End the connection from our side, and say why where the protocol lets us."""
        self._connection.close(reason, detail)

    def taken_over(self) -> None:
        """The same client connected anew: this connection ends [MQTT-3.1.4-3], [MQTT-3.1.4-2] of 3.1.1."""
        self.close(Reason.SESSION_TAKEN_OVER, "the session was taken over")

    def resumed_elsewhere(self) -> None:
        """A new connection took the session up before the will's delay was over [MQTT-3.1.3-9]."""
        self._testament.forget()

    def disown(self) -> None:
        """The client's sign-in was revoked: what it left to be published is no longer wanted."""
        self._testament.forget()

    def ended(self, now: float) -> None:
        """The session ended, by a clean start for instance: a delayed will waits no longer."""
        self._testament.session_ended(now)
        self.tick(now)

    # What the transport may want to know

    @property
    def phase(self) -> Phase:
        """How far the connection has come."""
        return self._connection.phase

    @property
    def connect(self) -> Connect | None:
        """The client's CONNECT, once it came; its client id is the assigned one if it had none."""
        return self._connection.connect

    @property
    def in_flight(self) -> int:
        """QoS 1 and 2 publishes whose answer has not been sent."""
        return len(self._inflow) if self.state is not None else 0

    @property
    def is_saturated(self) -> bool:
        """Whether it is time to stop reading, for a 3.1.1 client knows no receive maximum."""
        return self._connection.phase is Phase.JUDGING or self.in_flight >= self._limits.receive_maximum

    # What packets do

    def _decode(self) -> None:
        connection, count = self._connection, 0
        decoder = connection.decoder
        try:
            while connection.is_reading and (packet := decoder.next_packet()) is not None:
                count += 1
                if type(packet) is Publish:
                    self._inflow.take(packet)
                else:
                    self._HANDLERS.get(type(packet), _unexpected)(self, packet)
        except Violation as violation:
            connection.violated(violation)
        self._watch.received(self._now, packets=count, pending=decoder.pending())

    def _on_connect(self, packet: Connect) -> None:
        if self._connection.connect is not None:
            raise ProtocolError("a second CONNECT")  # [MQTT-3.1.0-2]
        self._connection.connect = packet
        refusal = greeting.refusal(packet, self._limits)
        if refusal is not None:
            self._connection.turn_away(packet.version, *refusal)
            return
        self._connection.phase = Phase.JUDGING
        self._connection.is_reading = False  # [MQTT-3.1.4-6]: a refused client's further packets are not processed
        self._connection.events.append(Authenticate(packet))

    def _on_disconnect(self, packet: packets.Disconnect) -> None:
        if packet.reason in DISCONNECT_OF_SERVER_ONLY:
            raise ProtocolError(f"a client's DISCONNECT with {packet.reason:#04x}")
        if self.state is not None and self.connect is not None:
            self.state.expiry_s = greeting.last_expiry_s(self.connect, packet, self.state.expiry_s, self._limits)
        if packet.reason == Reason.SUCCESS:
            self._testament.forget()  # [MQTT-3.14.4-3]
        self._connection.end(Reason(packet.reason), "the client disconnected")

    def _on_subscribe(self, packet: packets.Subscribe) -> None:
        if self.state is None:
            return
        event = judged(packet, self.state, self._limits.most_subscriptions)
        if event.requests:
            self._connection.events.append(event)
        else:
            self.subscribed(event, ())

    def _on_unsubscribe(self, packet: packets.Unsubscribe) -> None:
        if self.state is not None:
            self._connection.write(unsubscribe(packet, self.state))
            self._connection.events.append(Unsubscribed(packet.topic_filters))

    def _on_puback(self, packet: packets.Puback) -> None:
        self._outflow.acknowledged(packet, self._now)

    def _on_pubrec(self, packet: packets.Pubrec) -> None:
        self._outflow.misunderstood(packet)

    def _on_pubrel(self, packet: packets.Pubrel) -> None:
        self._inflow.released(packet)

    def _on_pubcomp(self, packet: packets.Pubcomp) -> None:
        """The end of a QoS 2 exchange that we never began: nothing waits for it."""

    def _on_pingreq(self, _packet: packets.Pingreq) -> None:
        self._connection.output.append(PINGRESP)  # [MQTT-3.12.4-1]

    _HANDLERS: ClassVar[dict[type[Any], Callable[["Session", Any], None]]] = {
        Connect: _on_connect,
        packets.Disconnect: _on_disconnect,
        packets.Subscribe: _on_subscribe,
        packets.Unsubscribe: _on_unsubscribe,
        packets.Puback: _on_puback,
        packets.Pubrec: _on_pubrec,
        packets.Pubrel: _on_pubrel,
        packets.Pubcomp: _on_pubcomp,
        packets.Pingreq: _on_pingreq,
    }


def _unexpected(_session: Session, packet: Packet) -> None:
    """A packet that only a server sends, or AUTH, for which no method was agreed [MQTT-4.12.0-7]."""
    raise ProtocolError(f"a client's {type(packet).__name__.upper()}")
