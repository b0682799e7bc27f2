"""The bodies of all packets but PUBLISH, whose fast path stands in `stream`."""

from collections.abc import Callable
from typing import Any, TypeVar

from releve.protocol.mqtt.error import (
    MalformedPacket,
    ProtocolError,
    QuotaExceeded,
    UnsupportedVersion,
)
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
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    SubscriptionRequest,
    Unsuback,
    Unsubscribe,
    Will,
)
from releve.protocol.mqtt.property import NO_PROPERTIES, Properties, read_properties
from releve.protocol.mqtt.reason import ALLOWED, HIGHEST_RETURN_CODE, SUBSCRIPTION_FAILED
from releve.protocol.mqtt.topic_filter import check_topic_name, is_shared
from releve.protocol.mqtt.wire import Reader

MOST_FILTERS = 1_024  # in one packet: each is a few bytes on the wire and a hundred times that in memory

_HIGHEST_QOS = 2
_HIGHEST_RETAIN_HANDLING = 2
_MQTT_3_1 = "MQIsdp"
T = TypeVar("T")
_PINGREQ = Pingreq()
_PINGRESP = Pingresp()


def decode_body(kind: Kind, body: bytes, version: Version) -> Packet:
    """The packet of that kind, from what follows its fixed header.

    Raises:
        Violation: The body is not what the specification demands.
    """
    reader = Reader(body)
    packet: Packet = _DECODERS[kind](reader, version)
    reader.finish()
    return packet


def read_version(body: bytes) -> Version:
    """The version that a CONNECT asks for.

    Raises:
        MalformedPacket: The protocol name is not MQTT [MQTT-3.1.2-1].
        UnsupportedVersion: The level is neither 4 nor 5 [MQTT-3.1.2-2].
    """
    reader = Reader(body)
    name, level = reader.text(), reader.uint8()
    if name == _MQTT_3_1:
        raise UnsupportedVersion(level)
    if name != "MQTT":
        raise MalformedPacket("the protocol is not called MQTT")
    try:
        return Version(level)
    except ValueError as error:
        raise UnsupportedVersion(level) from error


def _properties(reader: Reader, kind: Kind, version: Version) -> Properties:
    return read_properties(reader, kind) if version is Version.V5 else NO_PROPERTIES


def _packet_id(reader: Reader) -> int:
    packet_id = reader.uint16()
    if not packet_id:
        raise ProtocolError("packet identifier 0")  # [MQTT-2.2.1-3], [MQTT-2.3.1-1] of 3.1.1
    return packet_id


def _connect(reader: Reader, version: Version) -> Connect:
    reader.text()  # the name and the level have chosen the version already
    reader.uint8()
    flags = _ConnectFlags(reader.uint8(), version)
    keep_alive_s = reader.uint16()
    properties = _properties(reader, Kind.CONNECT, version)
    return Connect(
        client_id=reader.text(),
        version=version,
        clean_start=flags.clean_start,
        keep_alive_s=keep_alive_s,
        will=_will(reader, flags, version) if flags.has_will else None,
        username=reader.text() if flags.has_username else None,
        password=reader.binary() if flags.has_password else None,
        properties=properties,
    )


class _ConnectFlags:
    """The flags of CONNECT, made sure to agree with each other (section 3.1.2.3)."""

    __slots__ = ("clean_start", "has_password", "has_username", "has_will", "will_qos", "will_retain")

    def __init__(self, flags: int, version: Version) -> None:
        self.clean_start = bool(flags & 0x02)
        self.has_will = bool(flags & 0x04)
        self.will_qos = flags >> 3 & 3
        self.will_retain = bool(flags & 0x20)
        self.has_password = bool(flags & 0x40)
        self.has_username = bool(flags & 0x80)
        if flags & 1:
            raise MalformedPacket("the reserved flag of CONNECT is set")  # [MQTT-3.1.2-3]
        if not self.has_will and (self.will_qos or self.will_retain):
            raise MalformedPacket("flags of a will without a will")  # [MQTT-3.1.2-11], [MQTT-3.1.2-13]
        if self.will_qos > _HIGHEST_QOS:
            raise MalformedPacket("will QoS 3")  # [MQTT-3.1.2-12]
        if self.has_password and not self.has_username and version is Version.V3_1_1:
            raise MalformedPacket("a password without a user name")  # [MQTT-3.1.2-22] of 3.1.1


def _will(reader: Reader, flags: _ConnectFlags, version: Version) -> Will:
    properties = _properties(reader, Kind.WILL, version)
    topic = reader.text()
    check_topic_name(topic)
    return Will(topic, reader.binary(), flags.will_qos, flags.will_retain, properties)


def _connack(reader: Reader, version: Version) -> Connack:
    flags, reason = reader.uint8(), reader.uint8()
    known = ALLOWED[Kind.CONNACK] if version is Version.V5 else range(HIGHEST_RETURN_CODE + 1)
    if flags > 1:
        raise MalformedPacket("a reserved flag of CONNACK is set")  # [MQTT-3.2.2-1]
    _check_reason(reason, known, Kind.CONNACK)
    if flags and reason:
        raise ProtocolError("a session is present, but refused")  # [MQTT-3.2.2-6]
    return Connack(bool(flags), reason, _properties(reader, Kind.CONNACK, version))


def _check_reason(reason: int, known: frozenset[int] | range, kind: Kind) -> None:
    if reason not in known:
        raise ProtocolError(f"{reason:#04x} is no reason code of {kind.name}")


def _outcome(reader: Reader, kind: Kind, version: Version) -> tuple[int, Properties]:
    """The reason and properties that an MQTT 5 packet may leave out at its end."""
    if version is Version.V3_1_1 or not reader.remaining():
        return 0, NO_PROPERTIES
    reason = reader.uint8()
    _check_reason(reason, ALLOWED[kind], kind)
    return reason, read_properties(reader, kind) if reader.remaining() else NO_PROPERTIES


def _answer(kind: Kind, make: Callable[[int, int, Properties], Packet]) -> Callable[[Reader, Version], Packet]:
    def decode_answer(reader: Reader, version: Version) -> Packet:
        return make(_packet_id(reader), *_outcome(reader, kind, version))

    return decode_answer


def _subscribe(reader: Reader, version: Version) -> Subscribe:
    packet_id = _packet_id(reader)
    properties = _properties(reader, Kind.SUBSCRIBE, version)
    return Subscribe(packet_id, tuple(_items(reader, version, _request)), properties)


def _items(reader: Reader, version: Version, read: Callable[[Reader, Version], T]) -> list[T]:
    items: list[T] = []
    while reader.remaining():
        items.append(read(reader, version))
        if len(items) > MOST_FILTERS:
            raise QuotaExceeded(f"more than {MOST_FILTERS} topic filters in a packet")
    if not items:
        raise ProtocolError("no topic filter")  # [MQTT-3.8.3-2], [MQTT-3.10.3-2]
    return items


def _request(reader: Reader, version: Version) -> SubscriptionRequest:
    topic_filter, options = reader.text(), reader.uint8()
    qos, no_local, retain_handling = options & 3, bool(options & 4), options >> 4 & 3
    if options & (0xC0 if version is Version.V5 else 0xFC) or qos > _HIGHEST_QOS:
        raise MalformedPacket("reserved subscription options")  # [MQTT-3.8.3-5], [MQTT-3-8.3-4] of 3.1.1
    if retain_handling > _HIGHEST_RETAIN_HANDLING:
        raise ProtocolError("retain handling 3")
    if no_local and is_shared(topic_filter):
        raise ProtocolError("no local on a shared subscription")  # [MQTT-3.8.3-4]
    return SubscriptionRequest(topic_filter, qos, no_local, bool(options & 8), retain_handling)


def _suback(reader: Reader, version: Version) -> Suback:
    packet_id = _packet_id(reader)
    properties = _properties(reader, Kind.SUBACK, version)
    known = ALLOWED[Kind.SUBACK] if version is Version.V5 else frozenset({0, 1, 2, SUBSCRIPTION_FAILED})
    return Suback(packet_id, _reasons(reader, known, Kind.SUBACK), properties)


def _reasons(reader: Reader, known: frozenset[int], kind: Kind) -> tuple[int, ...]:
    reasons = tuple(reader.rest())
    if not reasons:
        raise ProtocolError(f"{kind.name} without a reason code")
    if not known.issuperset(reasons):
        raise ProtocolError(f"{kind.name} with an unknown reason code")
    return reasons


def _unsubscribe(reader: Reader, version: Version) -> Unsubscribe:
    packet_id = _packet_id(reader)
    properties = _properties(reader, Kind.UNSUBSCRIBE, version)
    return Unsubscribe(packet_id, tuple(_items(reader, version, _topic_filter)), properties)


def _topic_filter(reader: Reader, _version: Version) -> str:
    return reader.text()


def _unsuback(reader: Reader, version: Version) -> Unsuback:
    packet_id = _packet_id(reader)
    if version is Version.V3_1_1:
        return Unsuback(packet_id)
    properties = read_properties(reader, Kind.UNSUBACK)
    return Unsuback(packet_id, _reasons(reader, ALLOWED[Kind.UNSUBACK], Kind.UNSUBACK), properties)


def _disconnect(reader: Reader, version: Version) -> Disconnect:
    return Disconnect(*_outcome(reader, Kind.DISCONNECT, version))


def _auth(reader: Reader, _version: Version) -> Auth:
    if not reader.remaining():
        return Auth()
    reason = reader.uint8()
    _check_reason(reason, ALLOWED[Kind.AUTH], Kind.AUTH)
    return Auth(reason, read_properties(reader, Kind.AUTH))


_DECODERS: dict[Kind, Callable[[Reader, Version], Any]] = {
    Kind.CONNECT: _connect,
    Kind.CONNACK: _connack,
    Kind.PUBACK: _answer(Kind.PUBACK, Puback),
    Kind.PUBREC: _answer(Kind.PUBREC, Pubrec),
    Kind.PUBREL: _answer(Kind.PUBREL, Pubrel),
    Kind.PUBCOMP: _answer(Kind.PUBCOMP, Pubcomp),
    Kind.SUBSCRIBE: _subscribe,
    Kind.SUBACK: _suback,
    Kind.UNSUBSCRIBE: _unsubscribe,
    Kind.UNSUBACK: _unsuback,
    Kind.PINGREQ: lambda _reader, _version: _PINGREQ,
    Kind.PINGRESP: lambda _reader, _version: _PINGRESP,
    Kind.DISCONNECT: _disconnect,
    Kind.AUTH: _auth,
}
