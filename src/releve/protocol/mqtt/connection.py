"""One connection's two ends of the wire: the decoder, what is to be written, and how it all ends."""

from enum import Enum, auto

from releve.protocol.mqtt import greeting
from releve.protocol.mqtt.encode import encode_fitting
from releve.protocol.mqtt.error import Violation
from releve.protocol.mqtt.event import Close, Event
from releve.protocol.mqtt.kind import Kind, Version
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.packet import Connect, Disconnect, Packet
from releve.protocol.mqtt.property import NO_PROPERTIES, Properties
from releve.protocol.mqtt.reason import ALLOWED, Reason
from releve.protocol.mqtt.stream import LARGEST_PACKET, Decoder


class Phase(Enum):
    """How far a connection has come."""

    GREETING = auto()
    """Nothing but a CONNECT may come."""
    JUDGING = auto()
    """The application decides whether to let the client in; what comes meanwhile waits undecoded."""
    OPEN = auto()
    CLOSED = auto()


class Connection:
    """The wire of one connection.

    Attributes:
        phase: How far it has come.
        connect: The client's CONNECT, once it came.
        decoder: Where bytes become packets.
        is_reading: Whether packets are to be taken out of the decoder.
        output: Packets to be written.
        events: What the application is to be told.
    """

    __slots__ = ("connect", "decoder", "events", "is_reading", "output", "phase")

    def __init__(self, limits: Limits) -> None:
        self.phase = Phase.GREETING
        self.connect: Connect | None = None
        self.decoder = Decoder(
            maximum_packet_size=limits.maximum_packet_size,
            maximum_connect_size=limits.maximum_connect_size,
        )
        self.is_reading = True
        self.output: list[bytes] = []
        self.events: list[Event] = []

    def write(self, packet: Packet) -> bool:
        """Put a packet out, in the client's version."""
        return self.decoder.version is not None and self.write_in(self.decoder.version, packet)

    def write_in(self, version: Version, packet: Packet) -> bool:
        """Put a packet out unless it is larger than the client takes [MQTT-3.1.2-24], [MQTT-3.1.2-25]."""
        asked = self.connect.properties.maximum_packet_size if self.connect is not None else None
        encoded = encode_fitting(packet, version, asked or LARGEST_PACKET)
        if encoded is not None:
            self.output.append(encoded)
        return encoded is not None

    def violated(self, violation: Violation) -> None:
        """The client broke the specification [MQTT-4.13.1-1], [MQTT-4.8.0-1 of 3.1.1]."""
        if self.phase is Phase.OPEN:
            self.disconnect(violation.reason, str(violation))
        else:
            version = greeting.version_to_answer(violation, self.decoder.version)
            self.turn_away(version, violation.reason, str(violation))

    def close(self, reason: Reason, detail: str) -> None:
        """End it from our side, and say why where the protocol lets us [MQTT-3.14.0-1]."""
        if self.phase is Phase.OPEN:
            self.disconnect(reason, detail)
        else:
            self.turn_away(self.decoder.version, reason, detail)

    def turn_away(self, version: Version | None, reason: Reason, detail: str) -> None:
        """Before the client is in: a CONNACK that says why, or nothing where no version is given."""
        if self.phase is Phase.CLOSED:
            return
        connack = greeting.refused_connack(version, reason, detail)
        if connack is not None and version is not None:
            self.write_in(version, connack)
        self.end(reason, detail)

    def disconnect(self, reason: Reason, detail: str) -> None:
        """Once the client is in: MQTT 5 is told why; 3.1.1 has no DISCONNECT of the server's."""
        if self.decoder.version is Version.V5:
            known = reason if reason in ALLOWED[Kind.DISCONNECT] else Reason.IMPLEMENTATION_SPECIFIC_ERROR
            properties = Properties(reason_string=detail) if detail else NO_PROPERTIES
            self.write(Disconnect(known, properties))
        self.end(reason, detail)

    def end(self, reason: Reason, detail: str) -> None:
        """Nothing more is read, and nothing written but what is there already."""
        if self.phase is not Phase.CLOSED:
            self.stop()
            self.events.append(Close(reason, detail))

    def stop(self) -> None:
        """The same without a word: the transport knows."""
        self.phase = Phase.CLOSED
        self.is_reading = False
        # verdicts still to come put their answers into the list that is left behind [MQTT-3.14.4-1]
        self.output = self.output.copy()

    def take_events(self) -> list[Event]:
        """What happened since the last call, in its order."""
        events = self.events.copy()
        self.events.clear()
        return events

    def take_output(self) -> bytes:
        """What is to be written since the last call."""
        output = b"".join(self.output)
        self.output.clear()
        return output
