"""The 27 properties of MQTT 5: which packets may carry each, and how it stands on the wire."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from releve.protocol.mqtt.error import (
    MalformedPacket,
    ProtocolError,
    QuotaExceeded,
    TopicAliasInvalid,
    Unencodable,
)
from releve.protocol.mqtt.kind import Kind
from releve.protocol.mqtt.topic_filter import check_topic_name
from releve.protocol.mqtt.wire import Reader, encode_binary, encode_text, encode_uint, encode_varint

MOST_PROPERTIES = 256  # in one packet: a few bytes each on the wire are a hundred times that in memory


class Properties(msgspec.Struct, frozen=True, gc=False, repr_omit_defaults=True):
    """The properties of one packet under their names in the specification; None is absent."""

    payload_format_indicator: int | None = None
    message_expiry_interval: int | None = None
    content_type: str | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    subscription_identifier: tuple[int, ...] = ()
    session_expiry_interval: int | None = None
    assigned_client_identifier: str | None = None
    server_keep_alive: int | None = None
    authentication_method: str | None = None
    authentication_data: bytes | None = None
    request_problem_information: int | None = None
    will_delay_interval: int | None = None
    request_response_information: int | None = None
    response_information: str | None = None
    server_reference: str | None = None
    reason_string: str | None = None
    receive_maximum: int | None = None
    topic_alias_maximum: int | None = None
    topic_alias: int | None = None
    maximum_qos: int | None = None
    retain_available: int | None = None
    user_property: tuple[tuple[str, str], ...] = ()
    maximum_packet_size: int | None = None
    wildcard_subscription_available: int | None = None
    subscription_identifier_available: int | None = None
    shared_subscription_available: int | None = None


NO_PROPERTIES = Properties()


class _Form(NamedTuple):
    """How values of one data type stand on the wire."""

    read: Callable[[Reader], Any]
    write: Callable[[Any], bytes]


class _Rule(NamedTuple):
    """One property: its name, its form, the packets that may carry it, and where it may be repeated."""

    name: str
    form: _Form
    kinds: frozenset[Kind]
    repeats_in: frozenset[Kind] = frozenset()


def _read_flag(reader: Reader) -> int:
    value = reader.uint8()
    if value > 1:
        raise ProtocolError(f"a property that is 0 or 1 is {value}")
    return value


def _read_positive(read: Callable[[Reader], int]) -> Callable[[Reader], int]:
    def read_positive(reader: Reader) -> int:
        value = read(reader)
        if not value:
            raise ProtocolError("a property that must not be 0 is 0")
        return value

    return read_positive


def _read_alias(reader: Reader) -> int:
    value = reader.uint16()
    if not value:
        raise TopicAliasInvalid("topic alias 0")  # [MQTT-3.3.2-8]
    return value


def _read_topic_name(reader: Reader) -> str:
    name = reader.text()
    check_topic_name(name)  # [MQTT-3.3.2-14]
    return name


def _read_pair(reader: Reader) -> tuple[str, str]:
    return reader.text(), reader.text()


def _write_pair(pair: tuple[str, str]) -> bytes:
    return encode_text(pair[0]) + encode_text(pair[1])


def _write_flag(value: int) -> bytes:
    if value not in (0, 1):
        raise Unencodable(f"a property that is 0 or 1 is {value}")
    return encode_uint(value, 1)


def _write_positive(write: Callable[[int], bytes]) -> Callable[[int], bytes]:
    def write_positive(value: int) -> bytes:
        if not value:
            raise Unencodable("a property that must not be 0 is 0")
        return write(value)

    return write_positive


def _write_uint16(value: int) -> bytes:
    return encode_uint(value, 2)


def _write_uint32(value: int) -> bytes:
    return encode_uint(value, 4)


_FLAG = _Form(_read_flag, _write_flag)
_UINT16 = _Form(Reader.uint16, _write_uint16)
_UINT32 = _Form(Reader.uint32, _write_uint32)
_POSITIVE_16 = _Form(_read_positive(Reader.uint16), _write_positive(_write_uint16))
_POSITIVE_32 = _Form(_read_positive(Reader.uint32), _write_positive(_write_uint32))
_POSITIVE_VARINT = _Form(_read_positive(Reader.varint), _write_positive(encode_varint))
_ALIAS = _Form(_read_alias, _write_positive(_write_uint16))
_TEXT = _Form(Reader.text, encode_text)
_TOPIC_NAME = _Form(_read_topic_name, encode_text)
_BINARY = _Form(Reader.binary, encode_binary)
_PAIR = _Form(_read_pair, _write_pair)

_MESSAGE = frozenset({Kind.PUBLISH, Kind.WILL})
_GREETING = frozenset({Kind.CONNECT, Kind.CONNACK})
_LOGIN = _GREETING | {Kind.AUTH}
_CONNECT = frozenset({Kind.CONNECT})
_CONNACK = frozenset({Kind.CONNACK})
_WITH_REASON = frozenset(Kind) - {
    Kind.WILL,
    Kind.CONNECT,
    Kind.PUBLISH,
    Kind.SUBSCRIBE,
    Kind.UNSUBSCRIBE,
    Kind.PINGREQ,
    Kind.PINGRESP,
}
_ALL = frozenset(Kind) - {Kind.PINGREQ, Kind.PINGRESP}

# MQTT 5 table 2-4
_RULES: dict[int, _Rule] = {
    0x01: _Rule("payload_format_indicator", _FLAG, _MESSAGE),
    0x02: _Rule("message_expiry_interval", _UINT32, _MESSAGE),
    0x03: _Rule("content_type", _TEXT, _MESSAGE),
    0x08: _Rule("response_topic", _TOPIC_NAME, _MESSAGE),
    0x09: _Rule("correlation_data", _BINARY, _MESSAGE),
    0x0B: _Rule(
        "subscription_identifier",
        _POSITIVE_VARINT,
        frozenset({Kind.PUBLISH, Kind.SUBSCRIBE}),
        repeats_in=frozenset({Kind.PUBLISH}),
    ),
    0x11: _Rule("session_expiry_interval", _UINT32, _GREETING | {Kind.DISCONNECT}),
    0x12: _Rule("assigned_client_identifier", _TEXT, _CONNACK),
    0x13: _Rule("server_keep_alive", _UINT16, _CONNACK),
    0x15: _Rule("authentication_method", _TEXT, _LOGIN),
    0x16: _Rule("authentication_data", _BINARY, _LOGIN),
    0x17: _Rule("request_problem_information", _FLAG, _CONNECT),
    0x18: _Rule("will_delay_interval", _UINT32, frozenset({Kind.WILL})),
    0x19: _Rule("request_response_information", _FLAG, _CONNECT),
    0x1A: _Rule("response_information", _TEXT, _CONNACK),
    0x1C: _Rule("server_reference", _TEXT, _CONNACK | {Kind.DISCONNECT}),
    0x1F: _Rule("reason_string", _TEXT, _WITH_REASON),
    0x21: _Rule("receive_maximum", _POSITIVE_16, _GREETING),
    0x22: _Rule("topic_alias_maximum", _UINT16, _GREETING),
    0x23: _Rule("topic_alias", _ALIAS, frozenset({Kind.PUBLISH})),
    0x24: _Rule("maximum_qos", _FLAG, _CONNACK),
    0x25: _Rule("retain_available", _FLAG, _CONNACK),
    0x26: _Rule("user_property", _PAIR, _ALL, repeats_in=_ALL),
    0x27: _Rule("maximum_packet_size", _POSITIVE_32, _GREETING),
    0x28: _Rule("wildcard_subscription_available", _FLAG, _CONNACK),
    0x29: _Rule("subscription_identifier_available", _FLAG, _CONNACK),
    0x2A: _Rule("shared_subscription_available", _FLAG, _CONNACK),
}
_IDENTIFIERS = {rule.name: (identifier, rule) for identifier, rule in _RULES.items()}
_TUPLES = frozenset({"user_property", "subscription_identifier"})


def read_properties(reader: Reader, kind: Kind) -> Properties:
    """The properties that stand next in a packet of that kind.

    Raises:
        MalformedPacket: Unknown, or not for this kind of packet (section 2.2.2.2).
        ProtocolError: Repeated, or a value out of its range.
    """
    size = reader.varint()
    if not size:
        return NO_PROPERTIES
    section = Reader(reader.take(size))
    values: dict[str, Any] = {}
    for _ in range(MOST_PROPERTIES):
        _read_one(section, kind, values)
        if not section.remaining():
            return _checked(values)
    raise QuotaExceeded(f"more than {MOST_PROPERTIES} properties in a packet")


def _read_one(section: Reader, kind: Kind, values: dict[str, Any]) -> None:
    identifier = section.varint()
    rule = _RULES.get(identifier)
    if rule is None or kind not in rule.kinds:
        raise MalformedPacket(f"property {identifier:#04x} is not one of {kind.name}")
    value = rule.form.read(section)
    if rule.name in _TUPLES:
        value = (*values.get(rule.name, ()), value)
    if rule.name in values and kind not in rule.repeats_in:
        raise ProtocolError(f"{rule.name} is there twice")
    values[rule.name] = value


def _checked(values: dict[str, Any]) -> Properties:
    if "authentication_data" in values and "authentication_method" not in values:
        raise ProtocolError("authentication data without a method")  # section 3.1.2.11.10
    return Properties(**values)


def encode_properties(properties: Properties, kind: Kind) -> bytes:
    """A packet's properties with their length; a lone zero byte when there are none [MQTT-2.2.2-1].

    Raises:
        Unencodable: One is not for this kind of packet, or does not fit its data type.
    """
    if properties == NO_PROPERTIES:
        return b"\0"
    encoded = b"".join(_encode_one(name, properties, kind) for name in _IDENTIFIERS)
    return encode_varint(len(encoded)) + encoded


def _encode_one(name: str, properties: Properties, kind: Kind) -> bytes:
    value = getattr(properties, name)
    if value is None or value == ():
        return b""
    identifier, rule = _IDENTIFIERS[name]
    if kind not in rule.kinds:
        raise Unencodable(f"{name} is not a property of {kind.name}")
    items = value if name in _TUPLES else (value,)
    if len(items) > 1 and kind not in rule.repeats_in:
        raise Unencodable(f"{name} may stand once in {kind.name}")
    return b"".join(encode_uint(identifier, 1) + rule.form.write(item) for item in items)
