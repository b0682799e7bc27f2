"""Everything that can go wrong on an MQTT connection, each with the reason code that tells the peer.

    MQTTError
    ├── Violation                      what the peer sent breaks the specification; the connection ends
    │   ├── MalformedPacket     0x81   the bytes cannot be parsed
    │   │   └── TopicNameInvalid 0x90
    │   ├── ProtocolError       0x82   parsed, but not allowed there
    │   │   └── NotAConnect            the first packet was something else
    │   ├── UnsupportedVersion  0x84
    │   ├── ReceiveMaximumExceeded 0x93
    │   ├── TopicAliasInvalid   0x94
    │   ├── PacketTooLarge      0x95
    │   ├── QuotaExceeded       0x97   allowed by the specification, but more than we hold
    │   └── RetainNotSupported  0x9A
    ├── Unencodable                    we were asked to send what the wire cannot carry
    └── OutgoingFull                   the peer does not take what is sent to it

MQTT 5 section 4.13 decides between a malformed packet and a protocol error.
"""

from typing import ClassVar

from releve.protocol.mqtt.reason import Reason


class MQTTError(Exception):
    """Something is wrong with an MQTT packet."""


class Violation(MQTTError):
    """The peer broke the specification; its connection ends [MQTT-4.13.1-1]."""

    reason: ClassVar[Reason] = Reason.UNSPECIFIED_ERROR


class MalformedPacket(Violation):
    """The bytes are not a packet."""

    reason = Reason.MALFORMED_PACKET


class TopicNameInvalid(MalformedPacket):
    """A topic name is empty or holds a wildcard [MQTT-3.3.2-2]."""

    reason = Reason.TOPIC_NAME_INVALID


class ProtocolError(Violation):
    """The packet is well formed, but not allowed there or not with that content."""

    reason = Reason.PROTOCOL_ERROR


class NotAConnect(ProtocolError):
    """The first packet was not CONNECT [MQTT-3.1.0-1]."""


class UnsupportedVersion(Violation):
    """The protocol level is neither 4 (3.1.1) nor 5 [MQTT-3.1.2-2].

    Attributes:
        level: The level that was asked for; tells in which format to answer.
    """

    reason = Reason.UNSUPPORTED_PROTOCOL_VERSION

    def __init__(self, level: int) -> None:
        super().__init__(f"protocol level {level}")
        self.level = level


class ReceiveMaximumExceeded(Violation):
    """More publishes are unacknowledged than were allowed [MQTT-3.3.4-7]."""

    reason = Reason.RECEIVE_MAXIMUM_EXCEEDED


class TopicAliasInvalid(Violation):
    """The topic alias is zero or above the maximum [MQTT-3.3.2-8], [MQTT-3.3.2-9]."""

    reason = Reason.TOPIC_ALIAS_INVALID


class PacketTooLarge(Violation):
    """The packet is larger than the maximum packet size [MQTT-3.2.2-15]."""

    reason = Reason.PACKET_TOO_LARGE


class QuotaExceeded(Violation):
    """The packet holds more items than this implementation takes in one packet."""

    reason = Reason.QUOTA_EXCEEDED


class RetainNotSupported(Violation):
    """A retained message, though CONNACK said that none are kept [MQTT-3.2.2-14]."""

    reason = Reason.RETAIN_NOT_SUPPORTED


class Unencodable(MQTTError):
    """A packet of ours holds a value that the wire cannot carry."""


class OutgoingFull(MQTTError):
    """The peer has not acknowledged what it was sent and no more may wait for it."""
