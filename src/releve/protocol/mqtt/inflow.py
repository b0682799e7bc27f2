"""What a client publishes: quota, topic aliases, verdicts in any order, answers in the order of arrival.

An answer waits until all publishes before it have theirs [MQTT-4.6.0-2], [MQTT-4.6.0-3]; giving a
verdict costs the same however many are in flight.
"""

import sys
from collections.abc import Iterable

from releve.protocol.mqtt.encode import encode_fitting, puback, pubcomp, pubrec
from releve.protocol.mqtt.error import (
    ProtocolError,
    ReceiveMaximumExceeded,
    RetainNotSupported,
    TopicAliasInvalid,
)
from releve.protocol.mqtt.event import Event, Incoming
from releve.protocol.mqtt.kind import Kind, Version
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.packet import Connect, Puback, Pubcomp, Publish, Pubrec, Pubrel
from releve.protocol.mqtt.property import NO_PROPERTIES, Properties
from releve.protocol.mqtt.reason import ALLOWED, Reason
from releve.protocol.mqtt.state import SessionState

SILENCE = b""


class Inflow:
    """The publishes of one connection.

    Args:
        connect: What the client can take.
        state: Remembers QoS 2 identifiers beyond the connection.
        output: Answers are put here.
        events: Publishes are put here.
    """

    __slots__ = (
        "_aliases",
        "_events",
        "_in_flight",
        "_is_v5",
        "_limits",
        "_open",
        "_output",
        "_peer_maximum",
        "_pending",
        "_receive_maximum",
        "_refuses_retained",
        "_says_why",
        "_state",
        "_used",
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
        self._limits = limits
        self._state = state
        self._output = output
        self._events = events
        self._in_flight: list[Incoming] = []  # an empty deque holds ten times as much, and most links are idle
        self._pending: set[int] = set()  # QoS 2 identifiers in flight
        self._open: set[int] = set()  # QoS 2 identifiers answered on this connection and not released
        self._used = 0  # of the receive maximum
        self._aliases: dict[int, str] = {}
        self._is_v5 = connect.version is Version.V5
        # 3.1.1 has no such promise: there the transport stops reading
        self._receive_maximum = limits.receive_maximum if self._is_v5 else sys.maxsize
        self._refuses_retained = self._is_v5 and not limits.keeps_retained
        self._peer_maximum = connect.properties.maximum_packet_size or sys.maxsize
        self._says_why = connect.properties.request_problem_information != 0  # [MQTT-3.1.2-29]

    def __len__(self) -> int:
        """How many QoS 1 and 2 publishes wait for their answer to be sent."""
        return len(self._in_flight)

    def take(self, packet: Publish) -> None:
        """A publish came.

        Raises:
            Violation: It breaks what was agreed in CONNECT and CONNACK.
        """
        if packet.properties is not NO_PROPERTIES:
            self._resolve(packet)
        if packet.retain and self._refuses_retained:
            raise RetainNotSupported("retained messages are not kept")
        incoming = Incoming(packet)
        if packet.qos:
            if packet.qos == 2 and self._is_known(packet):  # noqa: PLR2004 - a QoS is called by its number
                return
            if self._used >= self._receive_maximum:
                raise ReceiveMaximumExceeded(f"more than {self._receive_maximum} publishes in flight")
            self._used += 1
            self._in_flight.append(incoming)
        self._events.append(incoming)

    def _resolve(self, packet: Publish) -> None:
        """Set or look up the topic alias (section 3.3.2.3.4)."""
        alias = packet.properties.topic_alias
        if packet.properties.subscription_identifier:
            raise ProtocolError("a client's publish with a subscription identifier")  # [MQTT-3.3.4-6]
        if alias is None:
            return
        if alias > self._limits.topic_alias_maximum:
            raise TopicAliasInvalid(f"topic alias {alias}")  # [MQTT-3.3.2-9]
        if packet.topic:
            self._aliases[alias] = packet.topic
        elif alias in self._aliases:
            packet.topic = self._aliases[alias]
        else:
            raise ProtocolError(f"topic alias {alias} was never set")

    def _is_known(self, packet: Publish) -> bool:
        """Whether a QoS 2 publish came before; if so it is answered again, never delivered again."""
        packet_id = packet.packet_id
        if packet_id in self._pending:
            return True  # its PUBREC is on its way
        if packet_id not in self._state.received:
            self._pending.add(packet_id)
            return False
        if packet_id not in self._open:
            self._open.add(packet_id)
            self._used += 1
        again = Incoming(packet, pubrec(packet_id), is_released_by_answer=False)
        self._in_flight.append(again)
        self._flush()
        return True

    def committed(self, several: Iterable[Incoming]) -> None:
        """Everything in these publishes is committed: acknowledge them."""
        for incoming in several:
            packet = incoming.packet
            if packet.qos == 1:
                incoming.answer = puback(packet.packet_id)
            elif packet.qos:
                self._own(packet.packet_id)
                incoming.is_released_by_answer = False
                incoming.answer = pubrec(packet.packet_id)
        self._flush()

    def _own(self, packet_id: int) -> None:
        self._pending.discard(packet_id)
        self._open.add(packet_id)
        self._state.received.add(packet_id)

    def refused(self, incoming: Incoming, reason: Reason, detail: str) -> None:
        """The publish will never be taken: MQTT 5 says why, 3.1.1 has no word for it [MQTT-3.3.5-2]."""
        packet = incoming.packet
        if not self._is_v5 or not packet.qos:
            self.committed((incoming,))
            return
        self._pending.discard(packet.packet_id)
        incoming.answer = self._negative(packet, reason, detail)
        self._flush()

    def _negative(self, packet: Publish, reason: Reason, detail: str) -> bytes:
        known = reason if reason in ALLOWED[Kind.PUBACK] else Reason.IMPLEMENTATION_SPECIFIC_ERROR
        why = Properties(reason_string=detail) if detail and self._says_why else NO_PROPERTIES
        make = Puback if packet.qos == 1 else Pubrec
        answer = make(packet.packet_id, known, why)
        return encode_fitting(answer, Version.V5, self._peer_maximum) or SILENCE

    def failed(self, incoming: Incoming) -> None:
        """Not now: silence, so that the client sends it again after it has reconnected [MQTT-4.4.0-1]."""
        self._pending.discard(incoming.packet.packet_id)
        incoming.answer = SILENCE
        self._flush()

    def _flush(self) -> None:
        """Send the answers that nothing is in front of any more."""
        count = 0
        for incoming in self._in_flight:
            if incoming.answer is None:
                break
            self._output.append(incoming.answer)
            self._used -= incoming.is_released_by_answer
            count += 1
        del self._in_flight[:count]

    def released(self, packet: Pubrel) -> None:
        """The client lets go of a QoS 2 publish; its identifier is free again [MQTT-4.3.3-12]."""
        packet_id = packet.packet_id
        if packet_id in self._state.received:
            self._state.received.remove(packet_id)
            if packet_id in self._open:
                self._open.remove(packet_id)
                self._used -= 1
        elif self._is_v5:
            unknown = Pubcomp(packet_id, Reason.PACKET_IDENTIFIER_NOT_FOUND)
            self._output.append(encode_fitting(unknown, Version.V5, self._peer_maximum) or SILENCE)
            return
        self._output.append(pubcomp(packet_id))
