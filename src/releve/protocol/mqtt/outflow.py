"""What a client is sent: its subscriptions, messages at QoS 0 and 1, their order, quota and resending."""

import sys
from collections.abc import Iterable

from msgspec.structs import replace

from releve.protocol.mqtt.encode import encode
from releve.protocol.mqtt.error import OutgoingFull, ProtocolError
from releve.protocol.mqtt.event import Acknowledged, Discarded, Event
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.packet import Connect, Puback, Publish, Pubrec, Pubrel
from releve.protocol.mqtt.reason import Reason
from releve.protocol.mqtt.state import Message, SessionState, Subscription
from releve.protocol.mqtt.topic_filter import matches

HIGHEST_GRANTED_QOS = 1
_PACKET_IDS = 65_535


class Outflow:
    """The messages of one connection.

    Args:
        connect: What the client can take.
        state: Its subscriptions and messages on their way.
        output: Packets are put here.
        events: What became of messages is put here.
    """

    __slots__ = (
        "_connect",
        "_events",
        "_last_id",
        "_limits",
        "_output",
        "_peer_maximum",
        "_state",
        "_unsent",
        "_window",
    )

    def __init__(
        self,
        connect: Connect,
        state: SessionState,
        limits: Limits,
        *,
        output: list[bytes],
        events: list[Event],
    ) -> None:
        self._connect = connect
        self._state = state
        self._limits = limits
        self._output = output
        self._events = events
        self._last_id = 0
        self._peer_maximum = connect.properties.maximum_packet_size or sys.maxsize
        peer_window = connect.properties.receive_maximum or _PACKET_IDS
        self._window = min(limits.outgoing_window, peer_window)  # [MQTT-3.3.4-9], [MQTT-4.9.0-1]
        self._unsent = list(state.outgoing)  # to be sent again on this connection

    def resume(self, now: float) -> None:
        """Send again what was not acknowledged, in its order, then what waits [MQTT-4.4.0-1]."""
        self._pump(now)

    def deliver(self, message: Message, now: float) -> bool:
        """Send a message if a subscription matches; one copy for all that do [MQTT-3.3.4-4].

        Raises:
            OutgoingFull: Too many wait for the client already.
        """
        is_own = message.publisher == self._state.client_id
        found = [
            subscription
            for subscription in self._state.subscriptions.values()
            if matches(subscription.topic_filter, message.topic)
            and not (is_own and subscription.no_local)  # [MQTT-3.8.3-3]
        ]
        if not found:
            return False
        keeps_retain = any(subscription.retain_as_published for subscription in found)
        self._send(_as_subscribed(message, found, retain=message.retain and keeps_retain), now)
        return True

    def deliver_retained(self, message: Message, subscription: Subscription, now: float) -> None:
        """Send what is retained because this subscription was made [MQTT-3.3.1-8 of 3.1.1].

        Raises:
            OutgoingFull: Too many wait for the client already.
        """
        self._send(_as_subscribed(message, (subscription,), retain=True), now)

    def _send(self, message: Message, now: float) -> None:
        if not message.qos:
            self._send_now(message, 0, now)
        elif self._has_quota() and not self._state.waiting:
            self._send_new(message, now)
        elif len(self._state.waiting) < self._limits.outgoing_queue:
            self._state.waiting.append(message)
        else:
            raise OutgoingFull(f"{len(self._state.waiting)} messages wait for {self._state.client_id}")

    def _has_quota(self) -> bool:
        return not self._unsent and len(self._state.outgoing) < self._window  # [MQTT-4.9.0-2]

    def _send_new(self, message: Message, now: float) -> None:
        packet_id = self._free_id()
        if self._send_now(message, packet_id, now):
            self._state.outgoing[packet_id] = message

    def _free_id(self) -> int:
        """An identifier that is not in use [MQTT-2.2.1-4]; the window leaves most of them free."""
        while True:
            self._last_id = self._last_id % _PACKET_IDS + 1
            if self._last_id not in self._state.outgoing:
                return self._last_id

    def _send_now(self, message: Message, packet_id: int, now: float) -> bool:
        """Whether it went out; expired or too large for the client it does not [MQTT-3.1.2-25]."""
        properties = message.properties
        if message.expires_at is not None:
            left_s = message.expires_at - now
            if left_s <= 0:
                self._events.append(Discarded(message.reference))
                return False
            properties = replace(properties, message_expiry_interval=max(1, int(left_s)))  # [MQTT-3.3.2-6]
        return self._put(
            Publish(
                message.topic,
                message.payload,
                message.qos,
                message.retain,
                packet_id=packet_id,
                properties=properties,
            ),
            message.reference,
        )

    def _put(self, publish: Publish, reference: str | None) -> bool:
        encoded = encode(publish, self._connect.version)
        if len(encoded) > self._peer_maximum:
            self._events.append(Discarded(reference))
            return False
        self._output.append(encoded)
        return True

    def acknowledged(self, packet: Puback, now: float) -> None:
        """The client has a message, or says why it does not want it [MQTT-4.4.0-2]."""
        message = self._state.outgoing.pop(packet.packet_id, None)
        if message is None:
            return  # of an earlier session, or twice: nothing is waiting for it
        if packet.packet_id in self._unsent:
            self._unsent.remove(packet.packet_id)
        self._events.append(Acknowledged(message.reference, packet.reason))
        self._pump(now)

    def misunderstood(self, packet: Pubrec) -> None:
        """A PUBREC, though nothing is sent at QoS 2."""
        if packet.packet_id in self._state.outgoing:
            raise ProtocolError("PUBREC for a QoS 1 publish")
        if packet.reason < Reason.UNSPECIFIED_ERROR:
            unknown = Pubrel(packet.packet_id, Reason.PACKET_IDENTIFIER_NOT_FOUND)
            self._output.append(encode(unknown, self._connect.version))

    def _pump(self, now: float) -> None:
        """Use the quota that is free: first for what is sent again, then for what waits."""
        while self._unsent and len(self._state.outgoing) - len(self._unsent) < self._window:
            self._send_again(self._unsent.pop(0))
        while self._state.waiting and self._has_quota():
            self._send_new(self._state.waiting.pop(0), now)

    def _send_again(self, packet_id: int) -> None:
        """The same publish with DUP [MQTT-3.3.1-1]; expiry no longer counts, it was sent once [MQTT-4.3.3-7]."""
        message = self._state.outgoing[packet_id]
        publish = Publish(
            message.topic,
            message.payload,
            message.qos,
            message.retain,
            dup=True,
            packet_id=packet_id,
            properties=message.properties,
        )
        if not self._put(publish, message.reference):
            del self._state.outgoing[packet_id]


def _as_subscribed(message: Message, found: Iterable[Subscription], *, retain: bool) -> Message:
    """The message at the highest QoS of its subscriptions, with their identifiers [MQTT-3.3.4-2], [MQTT-3.3.4-3]."""
    granted = max(subscription.qos for subscription in found)
    identifiers = tuple(s.identifier for s in found if s.identifier is not None)
    properties = message.properties
    if identifiers:
        properties = replace(properties, subscription_identifier=identifiers)
    return replace(message, qos=min(message.qos, granted), retain=retain, properties=properties)
