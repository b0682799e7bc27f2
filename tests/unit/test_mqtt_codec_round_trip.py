"""Every packet survives the wire in both versions, alone and in any pieces; a foreign codec agrees."""

from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import mqtt5
import paho.mqtt.client as paho
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties as PahoProperties

from releve.protocol.mqtt.encode import encode, encode_fitting
from releve.protocol.mqtt.error import Unencodable
from releve.protocol.mqtt.kind import Kind, Version
from releve.protocol.mqtt.packet import (
    Auth,
    Connack,
    Connect,
    Disconnect,
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
from releve.protocol.mqtt.property import NO_PROPERTIES, Properties
from releve.protocol.mqtt.reason import ALLOWED
from releve.protocol.mqtt.stream import Decoder

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
TOPIC = st.text(st.characters(codec="utf-8", exclude_characters="\0+#"), min_size=1, max_size=12)
BINARY = st.binary(max_size=12)
FLAG = st.integers(0, 1)
UINT16 = st.integers(0, 0xFFFF)
UINT32 = st.integers(0, 0xFFFF_FFFF)
PACKET_ID = st.integers(1, 0xFFFF)
QOS = st.integers(0, 2)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)
IDENTIFIER = st.integers(1, 268_435_455)
COMMENT = {"reason_string": TEXT, "user_property": PAIRS}
MESSAGE = {
    "payload_format_indicator": FLAG,
    "message_expiry_interval": UINT32,
    "content_type": TEXT,
    "response_topic": TOPIC,
    "correlation_data": BINARY,
    "user_property": PAIRS,
}
OF_CONNECT = {
    "session_expiry_interval": UINT32,
    "request_problem_information": FLAG,
    "request_response_information": FLAG,
    "receive_maximum": st.integers(1, 0xFFFF),
    "topic_alias_maximum": UINT16,
    "maximum_packet_size": st.integers(1, 0xFFFF_FFFF),
    "user_property": PAIRS,
}
OF_CONNACK = COMMENT | {
    "session_expiry_interval": UINT32,
    "assigned_client_identifier": TEXT,
    "server_keep_alive": UINT16,
    "authentication_method": TEXT,
    "response_information": TEXT,
    "server_reference": TEXT,
    "receive_maximum": st.integers(1, 0xFFFF),
    "topic_alias_maximum": UINT16,
    "maximum_qos": FLAG,
    "retain_available": FLAG,
    "maximum_packet_size": st.integers(1, 0xFFFF_FFFF),
    "wildcard_subscription_available": FLAG,
    "subscription_identifier_available": FLAG,
    "shared_subscription_available": FLAG,
}


def properties(**fields):
    return st.fixed_dictionaries({}, optional=fields).map(lambda values: Properties(**values))


def wills(version):
    held = properties(**MESSAGE, will_delay_interval=UINT32) if version is Version.V5 else none()
    return st.builds(Will, TOPIC, BINARY, QOS, st.booleans(), held)


def none():
    return st.just(NO_PROPERTIES)


def connects(version):
    held = properties(**OF_CONNECT) if version is Version.V5 else none()
    packet = st.builds(
        Connect,
        TEXT,
        st.just(version),
        st.booleans(),
        UINT16,
        st.none() | TEXT,
        st.none() | BINARY,
        st.none() | wills(version),
        held,
    )
    if version is Version.V5:
        return packet
    return packet.filter(lambda connect: connect.username is not None or connect.password is None)


def reasons(kind):
    return st.sampled_from(sorted(ALLOWED[kind]))


def answers(make, kind):
    return st.builds(make, PACKET_ID, reasons(kind), properties(**COMMENT))


def publishes(held):
    packet = st.builds(Publish, TOPIC, BINARY, QOS, st.booleans(), st.booleans(), PACKET_ID, held)
    return packet.map(lambda p: p if p.qos else replace(p, packet_id=0, dup=False))


REQUEST_5 = st.builds(SubscriptionRequest, TOPIC, QOS, st.booleans(), st.booleans(), QOS).filter(
    lambda request: not request.topic_filter.startswith("$share/")
)
PACKETS_5 = st.one_of(
    connects(Version.V5),
    st.builds(Connack, st.booleans(), st.just(0), properties(**OF_CONNACK)),
    st.builds(Connack, st.just(False), reasons(Kind.CONNACK), properties(**OF_CONNACK)),
    publishes(properties(**MESSAGE, topic_alias=st.integers(1, 0xFFFF))),
    publishes(st.builds(Properties, subscription_identifier=st.lists(IDENTIFIER, max_size=3).map(tuple))),
    answers(Puback, Kind.PUBACK),
    answers(Pubrec, Kind.PUBREC),
    answers(Pubrel, Kind.PUBREL),
    answers(Pubcomp, Kind.PUBCOMP),
    st.builds(
        Subscribe,
        PACKET_ID,
        st.lists(REQUEST_5, min_size=1, max_size=4).map(tuple),
        properties(user_property=PAIRS, subscription_identifier=IDENTIFIER.map(lambda i: (i,))),
    ),
    st.builds(
        Suback,
        PACKET_ID,
        st.lists(reasons(Kind.SUBACK), min_size=1, max_size=4).map(tuple),
        properties(**COMMENT),
    ),
    st.builds(
        Unsubscribe,
        PACKET_ID,
        st.lists(TEXT, min_size=1, max_size=4).map(tuple),
        properties(user_property=PAIRS),
    ),
    st.builds(
        Unsuback,
        PACKET_ID,
        st.lists(reasons(Kind.UNSUBACK), min_size=1, max_size=4).map(tuple),
        properties(**COMMENT),
    ),
    st.just(Pingreq()),
    st.just(Pingresp()),
    st.builds(
        Disconnect,
        reasons(Kind.DISCONNECT),
        properties(**COMMENT, session_expiry_interval=UINT32, server_reference=TEXT),
    ),
    st.builds(Auth, reasons(Kind.AUTH), properties(**COMMENT, authentication_method=TEXT)),
)
PACKETS_3 = st.one_of(
    connects(Version.V3_1_1),
    st.builds(Connack, st.booleans(), st.just(0)),
    st.builds(Connack, st.just(False), st.integers(0, 5)),
    publishes(none()),
    *(st.builds(make, PACKET_ID) for make in (Puback, Pubrec, Pubrel, Pubcomp, Unsuback)),
    st.builds(
        Subscribe,
        PACKET_ID,
        st.lists(st.builds(SubscriptionRequest, TEXT, QOS), min_size=1, max_size=4).map(tuple),
    ),
    st.builds(Suback, PACKET_ID, st.lists(st.sampled_from([0, 1, 2, 0x80]), min_size=1, max_size=4).map(tuple)),
    st.builds(Unsubscribe, PACKET_ID, st.lists(TEXT, min_size=1, max_size=4).map(tuple)),
    st.sampled_from([Pingreq(), Pingresp(), Disconnect()]),
)
STREAMS = st.one_of(
    st.tuples(st.just(Version.V5), st.lists(PACKETS_5, max_size=4)),
    st.tuples(st.just(Version.V3_1_1), st.lists(PACKETS_3, max_size=4)),
)


def decoded(data, version, *, pieces=()):
    """All packets of these bytes, cut after each of the given offsets."""
    decoder = Decoder(version=version)
    packets = []
    cuts = [0, *sorted(cut % (len(data) + 1) for cut in pieces), len(data)]
    for start, end in pairwise(cuts):
        decoder.feed(data[start:end])
        while (packet := decoder.next_packet()) is not None:
            packets.append(packet)
    assert decoder.pending() == 0
    return packets


@settings(max_examples=70, deadline=None)
@given(STREAMS)
def test_every_packet_decodes_to_what_was_encoded(stream):
    version, packets = stream

    data = b"".join(encode(packet, version) for packet in packets)

    assert decoded(data, version) == packets


@settings(max_examples=70, deadline=None)
@given(STREAMS, st.lists(st.integers(0, 2000), max_size=6))
def test_packets_are_the_same_however_the_stream_is_cut(stream, pieces):
    version, packets = stream

    data = b"".join(encode(packet, version) for packet in packets)

    assert decoded(data, version, pieces=pieces) == packets


@settings(max_examples=70, deadline=None)
@given(PACKETS_5)
def test_the_mqtt5_codec_reads_our_packets_as_we_meant_them(packet):
    assume(packet != Auth())  # mqtt5 0.8 does not know the short form of section 3.15.2.1

    ours = encode(packet, Version.V5)

    foreign, size = mqtt5.read(memoryview(ours))
    assert size == len(ours)
    assert type(foreign).__name__ == f"{_foreign_name(packet)}Packet"
    assert_agrees(packet, foreign)


@settings(max_examples=70, deadline=None)
@given(PACKETS_5)
def test_what_the_mqtt5_codec_writes_reads_back_as_the_same_packet(packet):
    assume(packet != Auth())
    foreign, _ = mqtt5.read(memoryview(encode(packet, Version.V5)))

    (again,) = decoded(foreign.write(), Version.V5)

    assert_agrees(again, foreign)
    assert type(again) is type(packet)


def _foreign_name(packet):
    return {
        "Connack": "ConnAck",
        "Puback": "PubAck",
        "Pubrec": "PubRec",
        "Pubrel": "PubRel",
        "Pubcomp": "PubComp",
        "Suback": "SubAck",
        "Unsuback": "UnsubAck",
        "Pingreq": "PingReq",
        "Pingresp": "PingResp",
    }.get(type(packet).__name__, type(packet).__name__)


SAME_FIELDS = {
    Connect: ("client_id", "username", "password", "clean_start"),
    Connack: ("session_present",),
    Publish: ("topic", "payload", "qos", "retain"),
    Puback: ("packet_id",),
    Pubrec: ("packet_id",),
    Pubrel: ("packet_id",),
    Pubcomp: ("packet_id",),
    Subscribe: ("packet_id",),
    Suback: ("packet_id",),
    Unsubscribe: ("packet_id",),
    Unsuback: ("packet_id",),
}
FOREIGN_PROPERTY = {
    "reason_string": "reason_str",
    "user_property": "user_properties",
    "receive_maximum": "receive_max",
    "topic_alias_maximum": "topic_alias_max",
    "maximum_packet_size": "max_packet_size",
    "session_expiry_interval": "session_expiry_interval",
    "content_type": "content_type",
    "response_topic": "response_topic",
    "correlation_data": "correlation_data",
    "message_expiry_interval": "message_expiry_interval",
    "payload_format_indicator": "payload_format_indicator",
    "topic_alias": "topic_alias",
    "will_delay_interval": "will_delay_interval",
    "server_keep_alive": "server_keep_alive",
    "assigned_client_identifier": "assigned_client_id",
    "authentication_method": "authentication_method",
    "server_reference": "server_reference",
    "response_information": "response_info",
    "maximum_qos": "max_qos",
    "retain_available": "retain_available",
    "wildcard_subscription_available": "wildcard_subscription_available",
    "subscription_identifier_available": "subscription_id_available",
    "shared_subscription_available": "shared_subscription_available",
}


def assert_agrees(packet, foreign):
    for name in SAME_FIELDS.get(type(packet), ()):
        assert getattr(packet, name) == getattr(foreign, name), name
    if hasattr(packet, "properties"):
        assert_properties_agree(packet.properties, foreign)
    if hasattr(foreign, "reason_code"):
        assert packet.reason == foreign.reason_code
    if hasattr(foreign, "reason_codes"):
        assert list(packet.reasons) == foreign.reason_codes
    if isinstance(packet, Publish):
        assert (packet.packet_id or None, packet.dup) == (foreign.packet_id, foreign.duplicate)
        assert list(packet.properties.subscription_identifier) == foreign.subscription_ids
    if isinstance(packet, Subscribe):
        assert [r.topic_filter for r in packet.requests] == [f.pattern for f in foreign.topic_filters]
        assert [r.qos for r in packet.requests] == [f.max_qos for f in foreign.topic_filters]
        assert [r.no_local for r in packet.requests] == [f.no_local for f in foreign.topic_filters]
        assert [r.retain_handling for r in packet.requests] == [f.retain_handling for f in foreign.topic_filters]
    if isinstance(packet, Unsubscribe):
        assert list(packet.topic_filters) == foreign.patterns
    if isinstance(packet, Connect):
        assert packet.keep_alive_s == foreign.keep_alive
        assert_wills_agree(packet.will, foreign.will)


def assert_wills_agree(will, foreign):
    if will is None:
        assert foreign is None
        return
    assert (will.topic, will.payload, will.qos, will.retain) == (
        foreign.topic,
        foreign.payload or b"",
        foreign.qos,
        foreign.retain,
    )
    assert_properties_agree(will.properties, foreign)


def assert_properties_agree(held, foreign):
    for ours, theirs in FOREIGN_PROPERTY.items():
        value = getattr(held, ours)
        if value is not None and hasattr(foreign, theirs):
            other = getattr(foreign, theirs)
            assert (list(value) if ours == "user_property" else value) == other, ours


@pytest.mark.parametrize(
    ("packet", "version"),
    [
        (Publish("a", qos=3, packet_id=1), Version.V5),
        (Publish("a", qos=1, packet_id=0), Version.V5),
        (Publish("a", dup=True), Version.V5),
        (Publish("a/+"), Version.V5),
        (Publish("a\0"), Version.V5),
        (Publish("\ud800"), Version.V5),
        (Publish("a" * 65_536), Version.V5),
        (Publish("a", properties=Properties(session_expiry_interval=1)), Version.V5),
        (Publish("a", properties=Properties(topic_alias=0)), Version.V5),
        (Publish("a", properties=Properties(message_expiry_interval=-1)), Version.V5),
        (Publish("a", properties=Properties(subscription_identifier=(2**28,))), Version.V5),
        (Puback(1, 0x92), Version.V5),
        (Pubrel(0), Version.V3_1_1),
        (Connack(reason=0x87), Version.V3_1_1),
        (Connack(properties=Properties(maximum_qos=2)), Version.V5),
        (Connect("c", password=b"x"), Version.V3_1_1),
        (Subscribe(1, ()), Version.V5),
        (Subscribe(1, (SubscriptionRequest("a", retain_handling=3),)), Version.V5),
        (
            Subscribe(1, (SubscriptionRequest("a"),), Properties(subscription_identifier=(1, 2))),
            Version.V5,
        ),
        (Suback(1, (0x87,)), Version.V3_1_1),
        (Suback(1, ()), Version.V5),
        (Unsubscribe(1, ()), Version.V5),
        (Unsuback(1, ()), Version.V5),
        (Auth(), Version.V3_1_1),
    ],
    ids=partial(str),
)
def test_what_the_wire_cannot_carry_is_never_sent(packet, version):
    with pytest.raises(Unencodable):
        encode(packet, version)


def test_an_answer_too_large_for_the_peer_goes_without_its_comment():
    """[MQTT-3.4.2-2], [MQTT-3.4.2-3] and their like."""
    comment = Properties(reason_string="because", user_property=(("why", "so"),))
    answer = Puback(7, 0x99, comment)

    whole = encode_fitting(answer, Version.V5, 100)
    fitting = encode_fitting(answer, Version.V5, 5)
    nothing = encode_fitting(answer, Version.V5, 4)

    assert whole == encode(answer, Version.V5)
    assert fitting == encode(Puback(7, 0x99), Version.V5)
    assert nothing is None


class Writer(paho.Client):
    """A paho client whose packets go nowhere but here."""

    def __init__(self, **options):
        super().__init__(paho.CallbackAPIVersion.VERSION2, **options)
        self.written = bytearray()
        self._sock = SimpleNamespace(close=lambda: None)  # paho sends nothing without one

    def _packet_queue(self, _command, packet, *_rest):
        self.written += packet
        return paho.MQTT_ERR_SUCCESS


def test_paho_writes_the_3_1_1_packets_that_we_expect():
    client = Writer(client_id="pi", clean_session=False)
    client.username_pw_set("pi", "secret")
    client.will_set("gone", b"bye", qos=1, retain=True)

    client._send_connect(60)
    client._send_publish(5, b"releve/pi/readings", b"{}", 1, False, True)
    client._send_subscribe(False, [(b"a/#", 1)])
    client._send_unsubscribe(False, [b"a/#"])
    client._send_pubrel(9)
    client._send_disconnect()

    assert decoded(bytes(client.written), None) == [
        Connect(
            "pi",
            Version.V3_1_1,
            clean_start=False,
            keep_alive_s=60,
            username="pi",
            password=b"secret",
            will=Will("gone", b"bye", 1, retain=True),
        ),
        Publish("releve/pi/readings", b"{}", 1, dup=True, packet_id=5),
        Subscribe(1, (SubscriptionRequest("a/#", 1),)),
        Unsubscribe(2, ("a/#",)),
        Pubrel(9),
        Disconnect(),
    ]


def test_paho_writes_the_5_0_packets_that_we_expect():
    client = Writer(client_id="pi", protocol=paho.MQTTv5)
    held = PahoProperties(PacketTypes.PUBLISH)
    held.TopicAlias = 2
    held.UserProperty = ("a", "b")

    client._send_connect(60)
    client._send_publish(5, b"t", b"{}", 2, True, False, properties=held)

    assert decoded(bytes(client.written), None) == [
        Connect("pi", Version.V5, keep_alive_s=60, clean_start=True),
        Publish(
            "t",
            b"{}",
            2,
            retain=True,
            packet_id=5,
            properties=Properties(topic_alias=2, user_property=(("a", "b"),)),
        ),
    ]
