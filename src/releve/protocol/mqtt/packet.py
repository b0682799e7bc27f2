"""The control packets as plain values; one set serves both versions.

What 3.1.1 does not know (properties, most reason codes, subscription options) has its default there.
The structures hold no reference cycles, so the garbage collector need not track them.
"""

import msgspec

from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.property import NO_PROPERTIES, Properties


class Will(msgspec.Struct, frozen=True, gc=False, repr_omit_defaults=True):
    """The message that speaks for a client that went without DISCONNECT."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    properties: Properties = NO_PROPERTIES


class Connect(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """CONNECT; `clean_start` is 3.1.1's clean session."""

    client_id: str
    version: Version = Version.V5
    clean_start: bool = True
    keep_alive_s: int = 0
    username: str | None = None
    password: bytes | None = None
    will: Will | None = None
    properties: Properties = NO_PROPERTIES


class Connack(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """CONNACK; `reason` is the code on the wire, in 3.1.1 a return code from 0 to 5."""

    session_present: bool = False
    reason: int = 0
    properties: Properties = NO_PROPERTIES


class Publish(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """PUBLISH; `packet_id` is 0 at QoS 0, where the wire has none [MQTT-2.2.1-2]."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = 0
    properties: Properties = NO_PROPERTIES


class Puback(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """PUBACK, the answer to a QoS 1 publish."""

    packet_id: int
    reason: int = 0
    properties: Properties = NO_PROPERTIES


class Pubrec(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """PUBREC, the first answer to a QoS 2 publish."""

    packet_id: int
    reason: int = 0
    properties: Properties = NO_PROPERTIES


class Pubrel(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """PUBREL, by which the sender of a QoS 2 publish lets go of it."""

    packet_id: int
    reason: int = 0
    properties: Properties = NO_PROPERTIES


class Pubcomp(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """PUBCOMP, the end of a QoS 2 exchange."""

    packet_id: int
    reason: int = 0
    properties: Properties = NO_PROPERTIES


class SubscriptionRequest(msgspec.Struct, frozen=True, gc=False, repr_omit_defaults=True):
    """One topic filter of a SUBSCRIBE with its options."""

    topic_filter: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0


class Subscribe(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """SUBSCRIBE."""

    packet_id: int
    requests: tuple[SubscriptionRequest, ...]
    properties: Properties = NO_PROPERTIES


class Suback(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """SUBACK; one reason per request, in their order [MQTT-3.9.3-1]."""

    packet_id: int
    reasons: tuple[int, ...]
    properties: Properties = NO_PROPERTIES


class Unsubscribe(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """UNSUBSCRIBE."""

    packet_id: int
    topic_filters: tuple[str, ...]
    properties: Properties = NO_PROPERTIES


class Unsuback(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """UNSUBACK; in 3.1.1 it has no reasons."""

    packet_id: int
    reasons: tuple[int, ...] = ()
    properties: Properties = NO_PROPERTIES


class Pingreq(msgspec.Struct, frozen=True, gc=False, repr_omit_defaults=True):
    """PINGREQ."""


class Pingresp(msgspec.Struct, frozen=True, gc=False, repr_omit_defaults=True):
    """PINGRESP."""


class Disconnect(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """DISCONNECT; in 3.1.1 only a client sends it and it says nothing more."""

    reason: int = 0
    properties: Properties = NO_PROPERTIES


class Auth(msgspec.Struct, gc=False, repr_omit_defaults=True):
    """AUTH, MQTT 5 only."""

    reason: int = 0
    properties: Properties = NO_PROPERTIES


Packet = (
    Connect
    | Connack
    | Publish
    | Puback
    | Pubrec
    | Pubrel
    | Pubcomp
    | Subscribe
    | Suback
    | Unsubscribe
    | Unsuback
    | Pingreq
    | Pingresp
    | Disconnect
    | Auth
)
