"""The statements about single packets: what is refused, and what is taken as it stands.

A docstring names the statements it holds, `v5` and `v3` in front of those of each specification.
"""

import pytest
from tests.unit.mqtt_peer import V3, V5

from releve.protocol.mqtt.encode import encode, encode_fitting
from releve.protocol.mqtt.error import (
    MalformedPacket,
    NotAConnect,
    PacketTooLarge,
    ProtocolError,
    QuotaExceeded,
    TopicAliasInvalid,
    TopicNameInvalid,
    UnsupportedVersion,
)
from releve.protocol.mqtt.kind import Kind
from releve.protocol.mqtt.packet import (
    Auth,
    Connack,
    Connect,
    Disconnect,
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
from releve.protocol.mqtt.property import MOST_PROPERTIES, NO_PROPERTIES, Properties
from releve.protocol.mqtt.reason import ALLOWED
from releve.protocol.mqtt.stream import Decoder

BOTH = pytest.mark.parametrize("version", [V3, V5])
COMMENT = Properties(reason_string="r" * 50, user_property=(("k", "v" * 50),))


def framed(first, body):
    assert len(body) < 128
    return bytes((first, len(body))) + body


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return len(data).to_bytes(2, "big") + data


def decode(data, version):
    """The one packet of these bytes."""
    decoder = Decoder(version=version)
    decoder.feed(data)
    packet = decoder.next_packet()
    assert packet is not None
    assert decoder.next_packet() is None
    return packet


def connect(flags=2, payload=None, *, version=V5, name="MQTT", level=None):
    """A CONNECT of the given flags and payload."""
    properties = b"\0" if version is V5 else b""
    head = text(name) + bytes((version if level is None else level, flags)) + b"\0\x09" + properties
    return framed(0x10, head + (text("pi") if payload is None else payload))


def with_will(flags, version, topic="gone"):
    properties = b"\0" if version is V5 else b""
    return connect(flags, text("pi") + properties + text(topic) + text(b"bye"), version=version)


BAD_TEXTS = [b"\xff", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xc0\x80", b"\xf5\x80\x80\x80", b"a\0b", b"\xe2\x82"]


@BOTH
@pytest.mark.parametrize("bad", BAD_TEXTS)
def test_text_that_is_not_utf_8_or_holds_u_0000_is_malformed_wherever_it_stands(version, bad):
    """v5 MQTT-1.5.4-1 MQTT-1.5.4-2 MQTT-3.1.3-4 MQTT-3.1.3-11 MQTT-3.1.3-12 MQTT-3.3.2-1 MQTT-3.8.3-1
    MQTT-3.10.3-1 MQTT-4.7.3-2
    v3 MQTT-1.5.3-1 MQTT-1.5.3-2 MQTT-3.1.3-4 MQTT-3.1.3-10 MQTT-3.1.3-11 MQTT-3.3.2-1 MQTT-3.8.3-1
    MQTT-3.10.3-1 MQTT-4.7.3-2
    """
    none = b"\0" if version is V5 else b""
    for data in (
        connect(2, text(bad), version=version),
        with_will(6, version, topic=bad),
        connect(0x82, text("pi") + text(bad), version=version),
        framed(0x30, text(bad) + none),
        framed(0x82, b"\0\1" + none + text(bad) + b"\0"),
        framed(0xA2, b"\0\1" + none + text(bad)),
    ):
        with pytest.raises(MalformedPacket):
            decode(data, version)


@pytest.mark.parametrize("bad", BAD_TEXTS)
def test_a_text_property_is_held_to_the_same_rules(bad):
    """v5 MQTT-1.5.7-1 MQTT-3.3.2-13 MQTT-3.3.2-19"""
    for properties in (
        b"\x26" + text(bad) + text("v"),
        b"\x26" + text("k") + text(bad),
        b"\x08" + text(bad),
        b"\x03" + text(bad),
    ):
        with pytest.raises(MalformedPacket):
            decode(framed(0x30, text("t") + bytes((len(properties),)) + properties), V5)


@BOTH
def test_u_feff_is_a_character_like_any_other(version):
    """v5 MQTT-1.5.4-3 · v3 MQTT-1.5.3-3"""
    packet = Publish("\ufeffa\ufeff")

    data = encode(packet, version)

    assert b"\xef\xbb\xbfa\xef\xbb\xbf" in data
    assert decode(data, version) == packet


def test_a_variable_byte_integer_takes_the_fewest_bytes():
    """v5 MQTT-1.5.5-1"""
    for data in (
        b"\xc0\x80\x00",
        b"\x10\x8f\x00" + connect()[2:],
        b"\x30\x84\x00" + text("t") + b"\0",
        framed(0x30, text("t") + b"\x80\x00"),
    ):
        with pytest.raises(MalformedPacket):
            decode(data, None if data[0] == 0x10 else V5)
    assert decode(b"\xc0\x80\x00", V3) is not None  # 3.1.1 does not ask for it


@BOTH
def test_a_remaining_length_ends_within_four_bytes(version):
    """The rule of sections 1.5.5 and 2.2.3 has no number of its own."""
    decoder = Decoder(version=version)
    decoder.feed(b"\x30\xff\xff\xff\xff")

    with pytest.raises(MalformedPacket):
        decoder.next_packet()


@BOTH
def test_reserved_types_and_flags_are_malformed(version):
    """v5 MQTT-2.1.3-1 MQTT-3.6.1-1 MQTT-3.8.1-1 MQTT-3.10.1-1 MQTT-3.14.1-1 MQTT-3.15.1-1
    v3 MQTT-2.2.2-1 MQTT-2.2.2-2 MQTT-3.6.1-1 MQTT-3.8.1-1 MQTT-3.10.1-1 MQTT-3.14.1-1
    """
    flags = {kind: {0} for kind in Kind}
    flags[Kind.PUBREL] = flags[Kind.SUBSCRIBE] = flags[Kind.UNSUBSCRIBE] = {2}
    flags[Kind.PUBLISH] = {0, 1, *range(2, 6), *range(10, 14)}
    flags[Kind.WILL] = set()  # type 0 is reserved
    if version is V3:
        flags[Kind.AUTH] = set()
    for first in range(256):
        decoder = Decoder(version=version)
        decoder.feed(bytes((first,)))
        if first & 15 in flags[Kind(first >> 4)]:
            assert decoder.next_packet() is None
        else:
            with pytest.raises(MalformedPacket):
                decoder.next_packet()


@BOTH
def test_a_qos_0_publish_has_no_packet_identifier(version):
    """v5 MQTT-2.2.1-2 · v3 MQTT-2.3.1-5"""
    none = b"\0" if version is V5 else b""

    data = encode(Publish("t", b"pay"), version)

    assert data == framed(0x30, text("t") + none + b"pay")
    assert decode(data, version).packet_id == 0


@BOTH
def test_packet_identifier_0_is_a_violation(version):
    """v5 MQTT-2.2.1-3 · v3 MQTT-2.3.1-1"""
    none = b"\0" if version is V5 else b""
    for data in (
        framed(0x32, text("t") + b"\0\0" + none),
        framed(0x34, text("t") + b"\0\0" + none),
        framed(0x82, b"\0\0" + none + text("t") + b"\0"),
        framed(0xA2, b"\0\0" + none + text("t")),
        framed(0x40, b"\0\0"),
        framed(0x62, b"\0\0"),
    ):
        with pytest.raises(ProtocolError):
            decode(data, version)


@pytest.mark.parametrize(
    "packet",
    [Connect("pi"), Connack(), Publish("t"), Subscribe(1, (SubscriptionRequest("t"),)), Suback(1, (0,))],
    ids=lambda packet: type(packet).__name__,
)
def test_no_properties_are_a_length_of_zero(packet):
    """v5 MQTT-2.2.2-1"""
    data = encode(packet, V5)

    assert decode(data, V5).properties is NO_PROPERTIES
    assert len(data) == len(encode(packet, V3)) + 1


@pytest.mark.parametrize(
    ("properties", "error"),
    [
        (b"\x99\x01", MalformedPacket),  # unknown
        (b"\x21\0\1", MalformedPacket),  # receive maximum, not for PUBLISH
        (b"\x01\0\x01\0", ProtocolError),  # twice
        (b"\x01\2", ProtocolError),  # neither 0 nor 1
        (b"\x23\0\0", TopicAliasInvalid),
        (b"\x0b\0", ProtocolError),  # subscription identifier 0
        (b"\x02\0\0\0", MalformedPacket),  # cut off
        (b"\x03\0\5ab", MalformedPacket),  # longer than the section
    ],
)
def test_a_property_out_of_place_or_range_is_a_violation(properties, error):
    """v5 MQTT-3.3.2-8"""
    with pytest.raises(error):
        decode(framed(0x30, text("t") + bytes((len(properties),)) + properties), V5)


def test_more_properties_than_anyone_needs_are_refused():
    packet = Publish("t", properties=Properties(user_property=(("", ""),) * (MOST_PROPERTIES + 1)))

    with pytest.raises(QuotaExceeded):
        decode(encode(packet, V5), V5)


@BOTH
def test_the_first_packet_is_connect(version):
    """v5 MQTT-3.1.0-1 · v3 MQTT-3.1.0-1"""
    decoder = Decoder()
    decoder.feed(encode(Publish("t"), version))

    with pytest.raises(NotAConnect):
        decoder.next_packet()


def test_another_protocol_name_or_level_is_refused():
    """v5 MQTT-3.1.2-1 MQTT-3.1.2-2 · v3 MQTT-3.1.2-1 MQTT-3.1.2-2"""
    with pytest.raises(MalformedPacket):
        decode(connect(name="HTTP"), None)
    for name, level in (("MQIsdp", 3), ("MQTT", 3), ("MQTT", 6), ("MQTT", 0x84)):
        with pytest.raises(UnsupportedVersion):
            decode(connect(name=name, level=level), None)


@BOTH
def test_the_flags_of_connect_agree_with_each_other(version):
    """v5 MQTT-3.1.2-3 MQTT-3.1.2-11 MQTT-3.1.2-12 MQTT-3.1.2-13
    v3 MQTT-3.1.2-3 MQTT-3.1.2-11 MQTT-3.1.2-13 MQTT-3.1.2-14 MQTT-3.1.2-15
    """
    for flags in (0b0000_0011, 0b0000_1010, 0b0001_0010, 0b0010_0010, 0b0001_1110):
        with pytest.raises(MalformedPacket):
            decode(with_will(flags, version), None)


def test_a_password_needs_a_user_name_in_3_1_1_only():
    """v3 MQTT-3.1.2-22"""
    with pytest.raises(MalformedPacket):
        decode(connect(0x42, text("pi") + text("secret"), version=V3), None)

    packet = decode(connect(0x42, text("pi") + text("secret"), version=V5), None)

    assert (packet.username, packet.password) == (None, b"secret")


@BOTH
def test_the_payload_of_connect_is_what_its_flags_say_in_the_order_of_the_specification(version):
    """v5 MQTT-3.1.2-9 MQTT-3.1.2-16 MQTT-3.1.2-17 MQTT-3.1.2-18 MQTT-3.1.2-19 MQTT-3.1.3-1 MQTT-3.1.3-3
    v3 MQTT-3.1.2-9 MQTT-3.1.2-18 MQTT-3.1.2-19 MQTT-3.1.2-20 MQTT-3.1.2-21 MQTT-3.1.3-1 MQTT-3.1.3-3
    """
    none = b"\0" if version is V5 else b""
    fields = [text("pi"), none + text("gone") + text(b"bye"), text("user"), text("secret")]

    whole = decode(connect(0b1110_1110, b"".join(fields), version=version), None)

    assert whole.will == Will("gone", b"bye", 1, retain=True)
    assert (whole.client_id, whole.username, whole.password) == ("pi", "user", b"secret")
    for flags, missing in ((0b1110_1110, 3), (0b1110_1110, 2), (0b0000_0110, 1), (0b0000_0010, 0)):
        with pytest.raises(MalformedPacket):
            decode(connect(flags, b"".join(fields[:missing]), version=version), None)
    with pytest.raises(MalformedPacket):
        decode(connect(0b0000_0010, b"".join(fields), version=version), None)


def test_user_properties_of_a_will_and_of_a_publish_keep_their_order():
    """v5 MQTT-3.1.3-10 MQTT-3.3.2-18"""
    pairs = (("b", "1"), ("a", "2"), ("b", "0"))
    will = Will("gone", properties=Properties(user_property=pairs))

    assert decode(encode(Connect("pi", will=will), V5), V5).will.properties.user_property == pairs
    published = Publish("t", properties=Properties(user_property=pairs))
    assert decode(encode(published, V5), V5).properties.user_property == pairs


def test_authentication_data_needs_a_method():
    packet = connect(payload=b"")[:-1] + b"\x04\x16\0\1x" + text("pi")
    with pytest.raises(ProtocolError):
        decode(packet[:1] + bytes((len(packet) - 2,)) + packet[2:], None)


@BOTH
def test_connack_has_one_flag_and_known_codes(version):
    """v5 MQTT-3.2.2-1 MQTT-3.2.2-8 · v3 MQTT-3.2.2-1"""
    assert encode(Connack(session_present=True), version)[2:4] == b"\1\0"
    none = b"\0" if version is V5 else b""
    for flags, code in ((2, 0), (0x80, 0), (0, 6), (0, 0x92)):
        with pytest.raises((MalformedPacket, ProtocolError)):
            decode(framed(0x20, bytes((flags, code)) + none), version)


@BOTH
def test_qos_3_and_a_duplicate_at_qos_0_are_malformed(version):
    """v5 MQTT-3.3.1-2 MQTT-3.3.1-4 · v3 MQTT-3.3.1-2 MQTT-3.3.1-4"""
    for first in (0x36, 0x37, 0x3E, 0x38, 0x39):
        with pytest.raises(MalformedPacket):
            decode(framed(first, text("t") + b"\0\1\0"), version)


@BOTH
def test_a_topic_name_has_no_wildcard_and_a_character_at_least(version):
    """v5 MQTT-3.3.2-2 MQTT-3.3.2-14 MQTT-4.7.0-1 MQTT-4.7.3-1 · v3 MQTT-3.3.2-2 MQTT-4.7.1-1 MQTT-4.7.3-1"""
    none = b"\0" if version is V5 else b""
    for name in ("a/+", "#", "a+b", "a/#", "+"):
        with pytest.raises(TopicNameInvalid):
            decode(framed(0x30, text(name) + none), version)
        with pytest.raises(TopicNameInvalid):
            decode(with_will(6, version, topic=name), None)
    with pytest.raises(TopicNameInvalid if version is V3 else ProtocolError):
        decode(framed(0x30, text("") + none), version)
    with pytest.raises(TopicNameInvalid):
        decode(framed(0x30, text("t") + b"\x06\x08" + text("a/#")), V5)


@BOTH
def test_a_topic_of_65535_bytes_is_taken_as_it_is(version):
    """v5 MQTT-4.7.3-3 · v3 MQTT-4.7.3-3"""
    packet = Publish("t" * 65_535)

    assert decode(encode(packet, version), version) == packet


def test_a_packet_larger_than_allowed_is_refused_and_one_as_large_taken():
    """v5 MQTT-3.2.2-15"""
    data = encode(Publish("t", b"x" * 90), V5)
    for limit in (len(data), len(data) - 1):
        decoder = Decoder(version=V5, maximum_packet_size=limit)
        decoder.feed(data)
        if limit == len(data):
            assert decoder.next_packet() == Publish("t", b"x" * 90)
        else:
            with pytest.raises(PacketTooLarge):
                decoder.next_packet()


@pytest.mark.parametrize(
    ("kind", "first", "head"),
    [
        (Kind.PUBACK, 0x40, b"\0\1"),
        (Kind.PUBREC, 0x50, b"\0\1"),
        (Kind.PUBREL, 0x62, b"\0\1"),
        (Kind.PUBCOMP, 0x70, b"\0\1"),
        (Kind.SUBACK, 0x90, b"\0\1\0"),
        (Kind.UNSUBACK, 0xB0, b"\0\1\0"),
        (Kind.DISCONNECT, 0xE0, b""),
        (Kind.AUTH, 0xF0, b""),
    ],
)
def test_every_answer_has_a_reason_code_of_its_own_table(kind, first, head):
    """v5 MQTT-3.4.2-1 MQTT-3.5.2-1 MQTT-3.6.2-1 MQTT-3.7.2-1 MQTT-3.9.3-2 MQTT-3.11.3-2 MQTT-3.14.2-1
    MQTT-3.15.2-1
    """
    tail = b"" if kind in {Kind.SUBACK, Kind.UNSUBACK} else b"\0"
    for code in range(256):
        data = framed(first, head + bytes((code,)) + tail)
        if code in ALLOWED[kind]:
            assert decode(data, V5) is not None
        else:
            with pytest.raises(ProtocolError):
                decode(data, V5)


def test_a_suback_of_3_1_1_knows_four_codes():
    """v3 MQTT-3.9.3-2"""
    for code in range(256):
        data = framed(0x90, b"\0\1" + bytes((code,)))
        if code in {0, 1, 2, 0x80}:
            assert decode(data, V3) == Suback(1, (code,))
        else:
            with pytest.raises(ProtocolError):
                decode(data, V3)


@pytest.mark.parametrize(
    "packet",
    [
        Connack(reason=0x87, properties=COMMENT),
        Puback(1, 0x87, COMMENT),
        Pubrec(1, 0x87, COMMENT),
        Pubrel(1, 0x92, COMMENT),
        Pubcomp(1, 0x92, COMMENT),
        Suback(1, (0x87,), COMMENT),
        Unsuback(1, (0x87,), COMMENT),
        Disconnect(0x87, COMMENT),
        Auth(0x18, COMMENT),
    ],
    ids=lambda packet: type(packet).__name__,
)
def test_a_comment_that_would_make_a_packet_too_large_is_left_out(packet):
    """v5 MQTT-3.2.2-19 MQTT-3.2.2-20 MQTT-3.4.2-2 MQTT-3.4.2-3 MQTT-3.5.2-2 MQTT-3.5.2-3 MQTT-3.6.2-2
    MQTT-3.6.2-3 MQTT-3.7.2-2 MQTT-3.7.2-3 MQTT-3.9.2-1 MQTT-3.9.2-2 MQTT-3.11.2-1 MQTT-3.11.2-2
    MQTT-3.14.2-3 MQTT-3.14.2-4 MQTT-3.15.2-2 MQTT-3.15.2-3
    """
    fitting = encode_fitting(packet, V5, 20)

    assert decode(encode(packet, V5), V5).properties == COMMENT
    assert len(fitting) <= 20
    assert decode(fitting, V5).properties == NO_PROPERTIES


@BOTH
def test_subscribe_and_unsubscribe_name_a_filter_at_least(version):
    """v5 MQTT-3.8.3-2 MQTT-3.10.3-2 · v3 MQTT-3.8.3-3 MQTT-3.10.3-2"""
    none = b"\0" if version is V5 else b""
    for first in (0x82, 0xA2):
        with pytest.raises(ProtocolError):
            decode(framed(first, b"\0\1" + none), version)


@BOTH
def test_reserved_subscription_options_are_refused(version):
    """v5 MQTT-3.8.3-5 · v3 MQTT-3.8.3-4"""
    none = b"\0" if version is V5 else b""
    for options in (3, 0x40, 0x80, 0x30) if version is V5 else (3, 4, 8, 0x10, 0x80):
        with pytest.raises((MalformedPacket, ProtocolError)):
            decode(framed(0x82, b"\0\1" + none + text("t") + bytes((options,))), version)


def test_no_local_on_a_shared_subscription_is_a_violation():
    """v5 MQTT-3.8.3-4"""
    with pytest.raises(ProtocolError):
        decode(framed(0x82, b"\0\1\0" + text("$share/g/t") + b"\x04"), V5)


def test_more_filters_than_anyone_needs_are_refused():
    with pytest.raises(QuotaExceeded):
        decode(encode(Unsubscribe(1, ("t",) * 1_025), V5), V5)
