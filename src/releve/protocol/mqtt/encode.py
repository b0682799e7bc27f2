"""Packets to bytes, for both versions and both directions.

What 3.1.1 has no room for (properties, most reasons, subscription options) is left out there.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any

from msgspec.structs import replace

from releve.protocol.mqtt.error import Unencodable
from releve.protocol.mqtt.kind import Kind, Version
from releve.protocol.mqtt.packet import (
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    SubscriptionRequest,
    Unsuback,
    Unsubscribe,
    Will,
)
from releve.protocol.mqtt.property import NO_PROPERTIES, encode_properties
from releve.protocol.mqtt.reason import ALLOWED, HIGHEST_RETURN_CODE, SUBSCRIPTION_FAILED
from releve.protocol.mqtt.wire import encode_binary, encode_text, encode_uint, encode_varint

HIGHEST_QOS = 2
_HIGHEST_RETAIN_HANDLING = 2
_RESERVED_FLAGS = 0b0010  # of PUBREL, SUBSCRIBE and UNSUBSCRIBE [MQTT-2.1.3-1]
_HIGHEST_PACKET_ID = 65_535

_short_answer = Struct(">HH").pack  # type and length, packet identifier
_PUBACK = 0x4002
_PUBREC = 0x5002
_PUBCOMP = 0x7002
PINGRESP = b"\xd0\x00"


def puback(packet_id: int) -> bytes:
    """A PUBACK that says success, the same four bytes in both versions."""
    return _short_answer(_PUBACK, packet_id)


def pubrec(packet_id: int) -> bytes:
    """A PUBREC that says success, the same four bytes in both versions."""
    return _short_answer(_PUBREC, packet_id)


def pubcomp(packet_id: int) -> bytes:
    """A PUBCOMP that says success, the same four bytes in both versions."""
    return _short_answer(_PUBCOMP, packet_id)


def encode(packet: Packet, version: Version) -> bytes:
    """One packet as bytes.

    Raises:
        Unencodable: It holds a value that the wire cannot carry.
    """
    return _ENCODERS[type(packet)](packet, version)


def encode_fitting(packet: Packet, version: Version, maximum_packet_size: int) -> bytes | None:
    """One packet as bytes, without its reason string and user properties where they are too much.

    None when it is too large even so. [MQTT-3.2.2-19], [MQTT-3.2.2-20] and their like for every answer.
    """
    encoded = encode(packet, version)
    if len(encoded) > maximum_packet_size and isinstance(packet, _WITH_COMMENT):
        encoded = encode(_without_comment(packet), version)
    return encoded if len(encoded) <= maximum_packet_size else None


_WITH_COMMENT = Connack | Puback | Pubrec | Pubrel | Pubcomp | Suback | Unsuback | Disconnect | Auth


def _without_comment(packet: Any) -> Packet:
    plain: Packet = replace(packet, properties=replace(packet.properties, reason_string=None, user_property=()))
    return plain


def _framed(kind: Kind, flags: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((kind << 4 | flags,)) + encode_varint(len(body)) + body


def _packet_id(packet_id: int) -> bytes:
    if not 0 < packet_id <= _HIGHEST_PACKET_ID:
        raise Unencodable(f"{packet_id} is no packet identifier")  # [MQTT-2.2.1-3]
    return packet_id.to_bytes(2, "big")


def _qos(qos: int) -> int:
    if not 0 <= qos <= HIGHEST_QOS:
        raise Unencodable(f"QoS {qos}")  # [MQTT-3.3.1-4]
    return qos


def _reason(reason: int, kind: Kind) -> bytes:
    if reason not in ALLOWED[kind]:
        raise Unencodable(f"{reason:#04x} is no reason code of {kind.name}")
    return encode_uint(reason, 1)


def _properties(packet: Any, kind: Kind, version: Version) -> bytes:
    return encode_properties(packet.properties, kind) if version is Version.V5 else b""


def _connect(packet: Connect, version: Version) -> bytes:
    return _framed(
        Kind.CONNECT,
        0,
        encode_text("MQTT"),
        bytes((version, _connect_flags(packet, version))),
        encode_uint(packet.keep_alive_s, 2),
        _properties(packet, Kind.CONNECT, version),
        encode_text(packet.client_id),
        b"" if packet.will is None else _will(packet.will, version),
        b"" if packet.username is None else encode_text(packet.username),
        b"" if packet.password is None else encode_binary(packet.password),
    )


def _connect_flags(packet: Connect, version: Version) -> int:
    has_username, has_password = packet.username is not None, packet.password is not None
    if has_password and not has_username and version is Version.V3_1_1:
        raise Unencodable("a password without a user name")  # [MQTT-3.1.2-22] of 3.1.1
    flags = has_username << 7 | has_password << 6 | packet.clean_start << 1
    if packet.will is not None:
        flags |= packet.will.retain << 5 | _qos(packet.will.qos) << 3 | 1 << 2
    return flags


def _will(will: Will, version: Version) -> bytes:
    return _properties(will, Kind.WILL, version) + encode_text(will.topic) + encode_binary(will.payload)


def _connack(packet: Connack, version: Version) -> bytes:
    if version is Version.V3_1_1 and packet.reason > HIGHEST_RETURN_CODE:
        raise Unencodable(f"{packet.reason:#04x} is no return code")
    reason = _reason(packet.reason, Kind.CONNACK) if version is Version.V5 else encode_uint(packet.reason, 1)
    return _framed(
        Kind.CONNACK,
        0,
        bytes((packet.session_present,)),
        reason,
        _properties(packet, Kind.CONNACK, version),
    )


def _publish(packet: Publish, version: Version) -> bytes:
    if packet.dup and not packet.qos:
        raise Unencodable("a QoS 0 publish is never a duplicate")  # [MQTT-3.3.1-2]
    if "+" in packet.topic or "#" in packet.topic:
        raise Unencodable("a topic name holds a wildcard")  # [MQTT-3.3.2-2]
    return _framed(
        Kind.PUBLISH,
        packet.dup << 3 | _qos(packet.qos) << 1 | packet.retain,
        encode_text(packet.topic),
        _packet_id(packet.packet_id) if packet.qos else b"",
        _properties(packet, Kind.PUBLISH, version),
        packet.payload,
    )


def _answer(kind: Kind, flags: int) -> Callable[[Any, Version], bytes]:
    def encode_answer(packet: Any, version: Version) -> bytes:
        if version is Version.V3_1_1 or (not packet.reason and packet.properties == NO_PROPERTIES):
            return _framed(kind, flags, _packet_id(packet.packet_id))
        return _framed(kind, flags, _packet_id(packet.packet_id), _outcome(packet, kind))

    return encode_answer


def _outcome(packet: Any, kind: Kind) -> bytes:
    """A reason and properties, which may be left out when there are none (section 3.4.2.2.1)."""
    reason = _reason(packet.reason, kind)
    return reason if packet.properties == NO_PROPERTIES else reason + encode_properties(packet.properties, kind)


def _subscribe(packet: Subscribe, version: Version) -> bytes:
    if not packet.requests:
        raise Unencodable("SUBSCRIBE without a topic filter")  # [MQTT-3.8.3-2]
    return _framed(
        Kind.SUBSCRIBE,
        _RESERVED_FLAGS,
        _packet_id(packet.packet_id),
        _properties(packet, Kind.SUBSCRIBE, version),
        *(encode_text(request.topic_filter) + _options(request, version) for request in packet.requests),
    )


def _options(request: SubscriptionRequest, version: Version) -> bytes:
    options = _qos(request.qos)
    if version is Version.V5:
        if not 0 <= request.retain_handling <= _HIGHEST_RETAIN_HANDLING:
            raise Unencodable(f"retain handling {request.retain_handling}")
        options |= request.no_local << 2 | request.retain_as_published << 3 | request.retain_handling << 4
    return bytes((options,))


def _suback(packet: Suback, version: Version) -> bytes:
    known = {0, 1, 2, SUBSCRIPTION_FAILED} if version is Version.V3_1_1 else ALLOWED[Kind.SUBACK]
    if not packet.reasons or not known.issuperset(packet.reasons):
        raise Unencodable(f"SUBACK with {packet.reasons}")
    return _framed(
        Kind.SUBACK,
        0,
        _packet_id(packet.packet_id),
        _properties(packet, Kind.SUBACK, version),
        bytes(packet.reasons),
    )


def _unsubscribe(packet: Unsubscribe, version: Version) -> bytes:
    if not packet.topic_filters:
        raise Unencodable("UNSUBSCRIBE without a topic filter")  # [MQTT-3.10.3-2]
    return _framed(
        Kind.UNSUBSCRIBE,
        _RESERVED_FLAGS,
        _packet_id(packet.packet_id),
        _properties(packet, Kind.UNSUBSCRIBE, version),
        *map(encode_text, packet.topic_filters),
    )


def _unsuback(packet: Unsuback, version: Version) -> bytes:
    if version is Version.V3_1_1:
        return _framed(Kind.UNSUBACK, 0, _packet_id(packet.packet_id))
    if not packet.reasons or not ALLOWED[Kind.UNSUBACK].issuperset(packet.reasons):
        raise Unencodable(f"UNSUBACK with {packet.reasons}")
    return _framed(
        Kind.UNSUBACK,
        0,
        _packet_id(packet.packet_id),
        encode_properties(packet.properties, Kind.UNSUBACK),
        bytes(packet.reasons),
    )


def _disconnect(packet: Disconnect, version: Version) -> bytes:
    if version is Version.V3_1_1 or (not packet.reason and packet.properties == NO_PROPERTIES):
        return _framed(Kind.DISCONNECT, 0)
    return _framed(Kind.DISCONNECT, 0, _outcome(packet, Kind.DISCONNECT))


def _auth(packet: Auth, version: Version) -> bytes:
    if version is Version.V3_1_1:
        raise Unencodable("3.1.1 has no AUTH")
    if not packet.reason and packet.properties == NO_PROPERTIES:
        return _framed(Kind.AUTH, 0)
    return _framed(Kind.AUTH, 0, _reason(packet.reason, Kind.AUTH), encode_properties(packet.properties, Kind.AUTH))


def _ping(kind: Kind) -> Callable[[Any, Version], bytes]:
    return lambda _packet, _version: _framed(kind, 0)


_ENCODERS: dict[type[Any], Callable[[Any, Version], bytes]] = {
    Connect: _connect,
    Connack: _connack,
    Publish: _publish,
    Puback: _answer(Kind.PUBACK, 0),
    Pubrec: _answer(Kind.PUBREC, 0),
    Pubrel: _answer(Kind.PUBREL, _RESERVED_FLAGS),
    Pubcomp: _answer(Kind.PUBCOMP, 0),
    Subscribe: _subscribe,
    Suback: _suback,
    Unsubscribe: _unsubscribe,
    Unsuback: _unsuback,
    Pingreq: _ping(Kind.PINGREQ),
    Pingresp: _ping(Kind.PINGRESP),
    Disconnect: _disconnect,
    Auth: _auth,
}
