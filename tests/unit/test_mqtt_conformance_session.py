"""The statements about how a server behaves on a connection, held against the session machine.

A docstring names the statements it holds, `v5` and `v3` in front of those of each specification.
"""

import pytest
from tests.unit.mqtt_peer import V3, V5, Peer, connected, greeted, lasting, publish

from releve.protocol.mqtt.encode import encode
from releve.protocol.mqtt.event import Acknowledged, Authenticate, Close, Discarded, Subscribing
from releve.protocol.mqtt.limits import Limits
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
from releve.protocol.mqtt.reason import Reason
from releve.protocol.mqtt.session import Phase
from releve.protocol.mqtt.state import Message

BOTH = pytest.mark.parametrize("version", [V3, V5])
NEVER = 0xFFFF_FFFF


def assert_ended(peer, answers, reason):
    """The connection ended, MQTT 5 was told why, and nothing that comes now is looked at."""
    assert peer.session.phase is Phase.CLOSED
    assert peer.closed() is reason
    said = [(type(packet), packet.reason) for packet in answers]
    assert said == ([(Disconnect, reason)] if peer.version is V5 else [])
    assert peer.send(Pingreq()) == []


# CONNECT and CONNACK


@BOTH
def test_another_first_packet_than_connect_ends_the_connection_without_a_word(version):
    """v5 MQTT-3.1.0-1 MQTT-3.14.0-1 MQTT-3.2.0-1 · v3 MQTT-3.1.0-1 MQTT-3.2.0-1"""
    peer = Peer(version)

    assert peer.send(publish(1)) == []

    assert peer.closed() is Reason.PROTOCOL_ERROR
    assert peer.publishes() == []


@BOTH
def test_a_second_connect_ends_the_connection(version):
    """v5 MQTT-3.1.0-2 MQTT-4.13.1-1 MQTT-4.13.2-1 MQTT-3.2.0-2 · v3 MQTT-3.1.0-2 MQTT-4.8.0-1"""
    peer = connected(version)

    assert_ended(peer, peer.send(Connect("pi", version)), Reason.PROTOCOL_ERROR)


def test_an_unknown_protocol_level_is_refused_in_words_its_client_understands():
    """v5 MQTT-3.1.2-2 · v3 MQTT-3.1.2-2"""
    for name, level, answer in (
        (b"\0\6MQIsdp", 3, "20020001"),
        (b"\0\4MQTT", 3, "20020001"),
        (b"\0\4MQTT", 6, None),
    ):
        peer = Peer(V5)
        head = name + bytes((level, 2)) + b"\0\0\0\2pi"
        peer.session.receive(bytes((0x10, len(head))) + head, 0.0)
        sent = peer.session.take_output()
        assert sent.hex() == answer if answer else sent[3] == 0x84
        assert [type(event) for event in peer.session.take_events()] == [Close]


@BOTH
def test_a_malformed_connect_ends_the_connection(version):
    """v5 MQTT-3.1.2-3 MQTT-3.1.4-1 · v3 MQTT-3.1.2-3 MQTT-3.1.4-1"""
    peer = Peer(version)
    connect = bytearray(encode(Connect("pi", version), version))
    connect[9] |= 1

    answers = peer.send_bytes(bytes(connect))

    assert [answer.reason for answer in answers] == ([0x81] if version is V5 else [])
    assert peer.closed() is Reason.MALFORMED_PACKET


@BOTH
def test_a_connect_is_answered_once_with_success_or_a_reason_and_the_end(version):
    """v5 MQTT-3.1.4-2 MQTT-3.1.4-5 MQTT-3.2.0-1 MQTT-3.2.0-2 MQTT-3.2.2-6 MQTT-3.2.2-7 MQTT-4.13.2-1
    v3 MQTT-3.1.4-4 MQTT-3.2.0-1 MQTT-3.2.2-4 MQTT-3.2.2-5
    """
    _, answers = greeted(version)
    assert [(type(packet), packet.reason) for packet in answers] == [(Connack, 0)]

    peer = Peer(version)
    peer.send(Connect("pi", version))
    peer.session.refuse(Reason.NOT_AUTHORIZED)
    (connack,) = peer.answers()

    assert (connack.session_present, connack.reason) == (False, 0x87 if version is V5 else 5)
    assert peer.session.phase is Phase.CLOSED


def test_a_reason_without_a_return_code_closes_a_3_1_1_connection_unsaid():
    """v3 MQTT-3.2.2-6"""
    peer = Peer(V3)
    peer.send(Connect("pi", V3))

    peer.session.refuse(Reason.IMPLEMENTATION_SPECIFIC_ERROR)

    assert peer.answers() == []
    assert peer.closed() is Reason.IMPLEMENTATION_SPECIFIC_ERROR


@BOTH
def test_nothing_behind_a_refused_connect_is_processed(version):
    """v5 MQTT-3.1.4-6 · v3 MQTT-3.1.4-5"""
    peer = Peer(version)
    peer.send(Connect("pi", version), publish(1), Subscribe(2, (SubscriptionRequest("t"),)), Pingreq())
    peer.session.refuse(Reason.NOT_AUTHORIZED)
    peer.answers()

    assert peer.send(Pingreq()) == []
    assert peer.publishes() == peer.take(Subscribing) == []


@BOTH
def test_a_clean_start_forgets_the_session_and_otherwise_it_is_resumed(version):
    """v5 MQTT-3.1.2-4 MQTT-3.1.2-5 MQTT-3.1.2-6 MQTT-3.1.3-2 MQTT-3.1.4-4 MQTT-3.2.2-2 MQTT-3.2.2-3
    v3 MQTT-3.1.2-4 MQTT-3.1.2-6 MQTT-3.1.3-2 MQTT-3.1.4-3 MQTT-3.2.2-1 MQTT-3.2.2-2 MQTT-3.2.2-3
    """
    old = connected(version, **lasting())
    old.subscribe("t")
    old.lose()

    resumed, (present,) = greeted(version, stored=old.session.state, **lasting())
    clean, (forgotten,) = greeted(version, stored=old.session.state, clean_start=True)
    fresh, (absent,) = greeted(version, **lasting())

    assert [ack.session_present for ack in (present, forgotten, absent)] == [True, False, False]
    assert resumed.session.state.subscriptions.keys() == {"t"}
    assert clean.session.state.subscriptions == fresh.session.state.subscriptions == {}


def test_the_session_lasts_as_long_as_the_client_asked_and_no_longer_than_allowed():
    """v5 MQTT-3.1.2-23 MQTT-4.1.0-1 MQTT-4.1.0-2 · v3 MQTT-3.1.2-6 MQTT-4.1.0-1 MQTT-4.1.0-2"""
    limits = Limits(maximum_session_expiry_s=100)
    for asked, kept, told in ((None, 0, None), (0, 0, None), (50, 50, None), (NEVER, 100, 100)):
        peer, (connack,) = greeted(V5, limits, properties=Properties(session_expiry_interval=asked))
        assert (peer.session.state.expiry_s, connack.properties.session_expiry_interval) == (kept, told)

    assert connected(V3, limits, clean_start=True).session.state.expiry_s == 0
    assert connected(V3, limits, clean_start=False).session.state.expiry_s == 100


@BOTH
def test_a_client_id_may_be_short_or_long_and_is_refused_beyond_the_limit(version):
    """v5 MQTT-3.1.3-5 MQTT-3.1.3-8 · v3 MQTT-3.1.3-5 MQTT-3.1.3-9"""
    for client_id in ("0", "azAZ09" * 3 + "vwxyz", "é" * 256):
        assert connected(version, client_id=client_id).session.phase is Phase.OPEN
    peer = Peer(version)

    (connack,) = peer.send(Connect("x" * 257, version))

    assert connack.reason == (0x85 if version is V5 else 2)
    assert peer.closed() is Reason.CLIENT_IDENTIFIER_NOT_VALID


def test_a_client_without_an_id_gets_one_and_is_told():
    """v5 MQTT-3.1.3-6 MQTT-3.1.3-7 MQTT-3.2.2-16 · v3 MQTT-3.1.3-6"""
    peer, (connack,) = greeted(V5, client_id="", clean_start=False)
    assert connack.properties.assigned_client_identifier == peer.session.state.client_id == "assigned"

    assert connected(V3, client_id="").session.state.client_id == "assigned"


def test_a_client_without_an_id_has_a_clean_session_in_3_1_1():
    """v3 MQTT-3.1.3-7 MQTT-3.1.3-8"""
    peer = Peer(V3)

    assert peer.send(Connect("", V3, clean_start=False)) == [Connack(reason=2)]
    assert peer.session.phase is Phase.CLOSED


@BOTH
def test_a_connection_that_is_taken_over_ends_and_is_told(version):
    """v5 MQTT-3.1.4-3 · v3 MQTT-3.1.4-2"""
    peer = connected(version)

    peer.session.taken_over()

    assert_ended(peer, peer.answers(), Reason.SESSION_TAKEN_OVER)


def test_connack_says_what_the_server_takes():
    """v5 MQTT-3.2.2-9 MQTT-3.2.2-10 MQTT-3.1.2-28 MQTT-4.12.0-6"""
    limits = Limits(receive_maximum=7, maximum_packet_size=999, topic_alias_maximum=3)

    _, (connack,) = greeted(V5, limits, properties=Properties(request_response_information=1))

    assert connack.properties == Properties(
        receive_maximum=7, maximum_packet_size=999, topic_alias_maximum=3, shared_subscription_available=0
    )


# Keep alive


@BOTH
def test_silence_of_one_and_a_half_keep_alives_ends_the_connection_as_if_it_broke(version):
    """v5 MQTT-3.1.2-22 MQTT-3.2.2-22 · v3 MQTT-3.1.2-24"""
    will = Will("gone", b"bye")
    peer = connected(version, keep_alive_s=10, will=will)

    peer.at(14)
    assert peer.send(Pingreq()) == [Pingresp()]
    assert peer.session.deadline() == 29
    peer.at(28.9)
    assert peer.closed() is None
    answers = peer.at(29)

    assert_ended(peer, answers, Reason.KEEP_ALIVE_TIMEOUT)
    assert peer.lose() == [will]


@BOTH
def test_a_pingreq_is_answered(version):
    """v5 MQTT-3.12.4-1 · v3 MQTT-3.12.4-1"""
    assert connected(version).send(Pingreq(), Pingreq()) == [Pingresp(), Pingresp()]


# Wills


@BOTH
def test_a_will_is_due_when_the_connection_ends_without_a_good_bye(version):
    """v5 MQTT-3.1.2-7 MQTT-3.1.2-8 MQTT-3.1.2-10 MQTT-3.1.2-14 MQTT-3.1.2-15
    v3 MQTT-3.1.2-8 MQTT-3.1.2-10 MQTT-3.1.2-16 MQTT-3.1.2-17
    """
    for will in (Will("gone", b"bye", 1, retain=True), Will("gone", b"bye", 0, retain=False)):
        broken = connected(version, will=will)
        violating = connected(version, will=will)
        violating.send(Suback(1, (0,)))

        assert broken.lose() == violating.lose() == [will]
        assert broken.lose() == []


@BOTH
def test_a_good_bye_removes_the_will(version):
    """v5 MQTT-3.1.2-10 MQTT-3.14.4-3 · v3 MQTT-3.1.2-10 MQTT-3.14.4-3"""
    peer = connected(version, will=Will("gone"))

    assert peer.send(Disconnect()) == []

    assert peer.closed() is Reason.SUCCESS
    assert peer.lose() == []


@BOTH
def test_without_a_will_nothing_is_due(version):
    """v3 MQTT-3.1.2-12"""
    assert connected(version).lose() == []


@BOTH
def test_a_client_that_was_not_let_in_leaves_no_will(version):
    peer = Peer(version)
    peer.send(Connect("pi", version, will=Will("gone")))
    peer.session.refuse(Reason.NOT_AUTHORIZED)

    assert peer.lose() == []


def test_a_disconnect_that_asks_for_the_will_keeps_it():
    """v5 MQTT-3.1.2-8"""
    will = Will("gone")
    peer = connected(V5, will=will)
    peer.send(Disconnect(Reason.DISCONNECT_WITH_WILL))

    assert peer.lose() == [will]


@pytest.mark.parametrize(("expiry_s", "due"), [(300, 60.0), (20, 30.0), (0, 10.0)])
def test_a_delayed_will_waits_for_its_delay_or_the_end_of_the_session(expiry_s, due):
    """v5 MQTT-3.1.2-8 MQTT-3.1.3-9"""
    will = Will("gone", properties=Properties(will_delay_interval=50))
    options = {"will": will, "properties": Properties(session_expiry_interval=expiry_s)}
    peer, resumed, ended = (connected(V5, **options) for _ in range(3))
    assert [each.lose(10.0) == [] for each in (peer, resumed, ended)] == [due > 10.0] * 3
    if due == 10.0:
        return

    assert peer.session.deadline() == due
    resumed.session.resumed_elsewhere()
    resumed.at(due)
    ended.session.ended(11.0)
    ended.answers()

    assert (resumed.wills(), ended.wills(), peer.wills()) == ([], [will], [])
    peer.at(due)
    assert peer.wills() == [will]
    assert peer.session.deadline() is None


def test_a_retained_will_is_refused_where_none_are_kept():
    """v5 MQTT-3.2.2-12 MQTT-3.2.2-13"""
    peer = Peer(V5, Limits(keeps_retained=False))

    (connack,) = peer.send(Connect("pi", will=Will("gone", retain=True)))

    assert connack.reason == Reason.RETAIN_NOT_SUPPORTED


# DISCONNECT and AUTH


@BOTH
def test_nothing_is_sent_after_the_end(version):
    """v5 MQTT-3.14.4-1 MQTT-3.14.4-2 · v3 MQTT-3.14.4-1 MQTT-3.14.4-2"""
    peer = connected(version)
    peer.subscribe("t")
    peer.send(publish(1), Disconnect())

    peer.session.committed(*peer.publishes())
    peer.session.close(Reason.SERVER_SHUTTING_DOWN)

    assert not peer.session.deliver(Message("t"), 0.0)
    assert peer.answers() == []
    assert len(peer.take(Close)) == 1


def test_a_disconnect_may_change_the_expiry_but_not_from_nothing():
    """v5 MQTT-3.14.2-2 (ours never carries one)"""
    peer = connected(V5, **lasting())
    peer.send(Disconnect(properties=Properties(session_expiry_interval=9)))
    assert peer.session.state.expiry_s == 9

    other = connected(V5)
    answers = other.send(Disconnect(properties=Properties(session_expiry_interval=9)))
    assert_ended(other, answers, Reason.PROTOCOL_ERROR)
    assert answers[0].properties.session_expiry_interval is None


def test_a_client_may_not_say_what_only_a_server_says():
    """v5 MQTT-3.14.2-1"""
    peer = connected(V5)

    assert_ended(peer, peer.send(Disconnect(Reason.SERVER_SHUTTING_DOWN)), Reason.PROTOCOL_ERROR)


@BOTH
@pytest.mark.parametrize("packet", [Connack(), Suback(1, (0,)), Unsuback(1, (0,)), Pingresp()])
def test_a_packet_that_only_a_server_sends_ends_the_connection(version, packet):
    """v5 MQTT-4.13.1-1 · v3 MQTT-4.8.0-1"""
    peer = connected(version)

    assert_ended(peer, peer.send(packet), Reason.PROTOCOL_ERROR)


def test_an_authentication_method_is_refused_politely_and_auth_without_one_is_a_violation():
    """v5 MQTT-4.12.0-1 MQTT-4.12.0-4 MQTT-4.12.0-6 MQTT-4.12.0-7 MQTT-4.12.1-2"""
    peer = Peer(V5)
    (connack,) = peer.send(Connect("pi", properties=Properties(authentication_method="SCRAM-SHA-1")))
    assert connack.reason == Reason.BAD_AUTHENTICATION_METHOD
    assert connack.properties.authentication_method is None
    assert peer.take(Authenticate) == []

    other = connected(V5)
    auth = Auth(0x19, Properties(authentication_method="SCRAM-SHA-1"))
    assert_ended(other, other.send(auth), Reason.PROTOCOL_ERROR)


# PUBLISH from a client


@BOTH
def test_a_publish_is_answered_as_its_qos_demands_with_its_identifier(version):
    """v5 MQTT-3.3.4-1 MQTT-2.2.1-5 MQTT-4.3.2-4 MQTT-4.3.3-8 MQTT-4.3.3-11
    v3 MQTT-3.3.4-1 MQTT-2.3.1-6 MQTT-4.3.2-2 MQTT-4.3.3-2
    """
    peer = connected(version)
    peer.send(publish(qos=0), publish(0x1234, qos=1), publish(0xFFFF, qos=2))
    for incoming in peer.publishes():
        peer.session.committed(incoming)

    assert peer.answers() == [Puback(0x1234), Pubrec(0xFFFF)]
    assert peer.send(Pubrel(0xFFFF)) == [Pubcomp(0xFFFF)]


@BOTH
def test_an_acknowledged_identifier_is_a_new_message_whatever_its_dup_flag(version):
    """v5 MQTT-4.3.2-5 MQTT-4.3.3-12 · v3 MQTT-4.3.2-2 MQTT-4.3.3-2"""
    peer = connected(version)
    peer.send(publish(1, payload=b"1"), publish(2, qos=2, payload=b"2"))
    for incoming in peer.publishes():
        peer.session.committed(incoming)
    peer.send(Pubrel(2))

    peer.send(publish(1, payload=b"3", dup=True), publish(2, qos=2, payload=b"4", dup=True))

    assert [incoming.packet.payload for incoming in peer.publishes()] == [b"3", b"4"]


@BOTH
def test_a_repeated_qos_2_publish_is_answered_again_and_not_delivered_again(version):
    """v5 MQTT-4.3.3-10 MQTT-4.3.3-13 · v3 MQTT-4.3.3-2"""
    peer = connected(version)
    peer.send(publish(2, qos=2))
    assert peer.send(publish(2, qos=2, dup=True)) == []
    peer.session.committed(*peer.publishes())
    assert peer.answers() == [Pubrec(2)]

    assert peer.send(publish(2, qos=2, dup=True), publish(2, qos=2, dup=True)) == [Pubrec(2), Pubrec(2)]

    assert peer.publishes() == []


def test_an_identifier_refused_in_a_pubrec_is_free_again():
    """v5 MQTT-4.3.3-9"""
    peer = connected(V5)
    peer.send(publish(2, qos=2))
    peer.session.refused(*peer.publishes(), Reason.QUOTA_EXCEEDED)
    assert peer.answers() == [Pubrec(2, Reason.QUOTA_EXCEEDED)]

    peer.send(publish(2, qos=2))

    assert len(peer.publishes()) == 1


@BOTH
def test_a_pubrel_for_nothing_is_answered_all_the_same(version):
    """v5 MQTT-4.3.3-11 · v3 MQTT-4.3.3-2"""
    code = Reason.PACKET_IDENTIFIER_NOT_FOUND if version is V5 else 0

    assert connected(version).send(Pubrel(9)) == [Pubcomp(9, code)]


@BOTH
def test_answers_come_in_the_order_of_the_publishes(version):
    """v5 MQTT-4.6.0-2 MQTT-4.6.0-3 · v3 MQTT-4.6.0-2 MQTT-4.6.0-3"""
    peer = connected(version)
    peer.send(publish(5), publish(3, qos=2), publish(4), publish(1, qos=2))
    first, *later = peer.publishes()
    for incoming in reversed(later):
        peer.session.committed(incoming)
    assert peer.answers() == []

    peer.session.committed(first)

    assert peer.answers() == [Puback(5), Pubrec(3), Puback(4), Pubrec(1)]


def test_a_publish_beyond_the_receive_maximum_ends_the_connection():
    """v5 MQTT-3.3.4-7 MQTT-4.9.0-3"""
    peer = connected(V5, Limits(receive_maximum=2))
    peer.send(publish(1), publish(2, qos=2), publish(qos=0))
    first, second, _ = peer.publishes()
    peer.session.committed(second)
    peer.session.committed(first)
    peer.answers()
    peer.send(publish(3))  # 2 is not released yet
    assert peer.closed() is None

    assert_ended(peer, peer.send(publish(4)), Reason.RECEIVE_MAXIMUM_EXCEEDED)


def test_the_receive_maximum_counts_until_the_last_answer():
    peer = connected(V5, Limits(receive_maximum=1))
    for packet_id in range(1, 200):
        peer.send(publish(packet_id, qos=1 + packet_id % 2))
        peer.session.committed(*peer.publishes())
        peer.send(*([Pubrel(packet_id)] if packet_id % 2 else []))

    assert peer.closed() is None


def test_3_1_1_knows_no_receive_maximum():
    peer = connected(V3, Limits(receive_maximum=1))
    peer.send(*(publish(n) for n in range(1, 9)))

    assert len(peer.publishes()) == 8


def test_a_topic_alias_stands_for_the_topic_it_was_set_to():
    """v5 MQTT-3.3.2-7 MQTT-3.3.2-12"""
    peer = connected(V5, Limits(topic_alias_maximum=2))
    for topic, alias in (("a", 1), ("b", 2), ("", 1), ("", 2), ("c", 1), ("", 1)):
        peer.send(publish(qos=0, topic=topic, properties=Properties(topic_alias=alias)))
    assert [incoming.packet.topic for incoming in peer.publishes()] == ["a", "b", "a", "b", "c", "c"]

    other = connected(V5, Limits(topic_alias_maximum=2), stored=peer.session.state, clean_start=False)
    unknown = other.send(publish(qos=0, topic="", properties=Properties(topic_alias=1)))
    assert_ended(other, unknown, Reason.PROTOCOL_ERROR)


@pytest.mark.parametrize("alias", [3, 65_535])
def test_a_topic_alias_above_the_maximum_ends_the_connection(alias):
    """v5 MQTT-3.2.2-17 MQTT-3.2.2-18 MQTT-3.3.2-9"""
    peer = connected(V5, Limits(topic_alias_maximum=2))

    assert_ended(
        peer,
        peer.send(publish(qos=0, properties=Properties(topic_alias=alias))),
        Reason.TOPIC_ALIAS_INVALID,
    )


def test_a_client_names_no_subscription_identifier():
    """v5 MQTT-3.3.4-6"""
    peer = connected(V5)

    answers = peer.send(publish(properties=Properties(subscription_identifier=(1,))))

    assert_ended(peer, answers, Reason.PROTOCOL_ERROR)


def test_a_retained_publish_ends_the_connection_where_none_are_kept():
    """v5 MQTT-3.2.2-14"""
    peer = connected(V5, Limits(keeps_retained=False))

    assert_ended(peer, peer.send(publish(retain=True)), Reason.RETAIN_NOT_SUPPORTED)


def test_a_packet_above_the_maximum_size_ends_the_connection():
    """v5 MQTT-3.2.2-15"""
    peer = connected(V5, Limits(maximum_packet_size=100))

    assert_ended(peer, peer.send(publish(payload=b"x" * 100)), Reason.PACKET_TOO_LARGE)


def test_a_publish_that_may_not_be_is_acknowledged_or_told_so():
    """v3 MQTT-3.3.5-2"""
    for version, answer in ((V3, Puback(1)), (V5, Puback(1, Reason.NOT_AUTHORIZED))):
        peer = connected(version)
        peer.send(publish(1))
        peer.session.refused(*peer.publishes(), Reason.NOT_AUTHORIZED)
        assert peer.answers() == [answer]


def test_answers_carry_no_comment_for_a_client_that_wants_none():
    """v5 MQTT-3.1.2-29"""
    peer = connected(V5, properties=Properties(request_problem_information=0))
    peer.send(publish(1))

    peer.session.refused(*peer.publishes(), Reason.PAYLOAD_FORMAT_INVALID, "why")

    assert peer.answers() == [Puback(1, Reason.PAYLOAD_FORMAT_INVALID)]


# SUBSCRIBE and UNSUBSCRIBE


@BOTH
def test_a_subscribe_is_answered_with_its_identifier_and_a_reason_per_filter_in_order(version):
    """v5 MQTT-3.8.4-1 MQTT-3.8.4-2 MQTT-3.8.4-5 MQTT-3.8.4-6 MQTT-3.8.4-7 MQTT-3.9.3-1 MQTT-2.2.1-6
    v3 MQTT-3.8.4-1 MQTT-3.8.4-2 MQTT-3.8.4-4 MQTT-3.8.4-5 MQTT-3.9.3-1 MQTT-2.3.1-7
    """
    peer = connected(version)
    peer.send(Subscribe(77, tuple(SubscriptionRequest(f"t{qos}", qos) for qos in (0, 1, 2, 1))))

    peer.session.subscribed(*peer.take(Subscribing), [2, 2, 2, Reason.NOT_AUTHORIZED])

    assert peer.answers() == [Suback(77, (0, 1, 1, 0x87 if version is V5 else 0x80))]
    assert peer.session.state.subscriptions.keys() == {"t0", "t1", "t2"}


@BOTH
def test_a_bad_filter_fails_alone(version):
    """v5 MQTT-4.7.1-1 MQTT-4.7.1-2 · v3 MQTT-4.7.1-2 MQTT-4.7.1-3 MQTT-3.8.3-2"""
    peer = connected(version)
    peer.send(Subscribe(7, (SubscriptionRequest("a/#/b"), SubscriptionRequest("a"), SubscriptionRequest("b+"))))

    peer.session.subscribed(*peer.take(Subscribing), [0])

    bad = 0x8F if version is V5 else 0x80
    assert peer.answers() == [Suback(7, (bad, 0, bad))]


@BOTH
def test_the_same_filter_again_replaces_the_subscription(version):
    """v5 MQTT-3.8.4-3 · v3 MQTT-3.8.4-3"""
    peer = connected(version)
    peer.subscribe("t", qos=1)
    peer.subscribe("t", qos=0)

    peer.session.deliver(Message("t", b"x", 1), 0.0)

    assert peer.answers() == [Publish("t", b"x", 0)]


@BOTH
def test_an_unsubscribe_forgets_exactly_its_filters_and_is_always_answered(version):
    """v5 MQTT-3.10.4-1 MQTT-3.10.4-2 MQTT-3.10.4-4 MQTT-3.10.4-5 MQTT-3.10.4-6 MQTT-3.11.3-1 MQTT-2.2.1-6
    v3 MQTT-3.10.4-1 MQTT-3.10.4-2 MQTT-3.10.4-4 MQTT-3.10.4-5 MQTT-3.10.4-6 MQTT-2.3.1-7
    """
    peer = connected(version)
    peer.subscribe("a/+", "a/b")

    answer = peer.send(Unsubscribe(9, ("a/#", "a/+")))

    assert answer == [Unsuback(9, (0x11, 0) if version is V5 else ())]
    assert peer.session.state.subscriptions.keys() == {"a/b"}
    assert not peer.session.deliver(Message("a/c"), 0.0)


@BOTH
def test_a_delivery_begun_before_an_unsubscribe_is_completed(version):
    """v5 MQTT-3.10.4-3 · v3 MQTT-3.10.4-3"""
    peer = connected(version, **lasting())
    peer.subscribe("t")
    peer.session.deliver(Message("t", b"x", 1), 0.0)
    peer.send(Unsubscribe(9, ("t",)))
    peer.lose()

    _, (_, again) = greeted(version, stored=peer.session.state, **lasting())

    assert again == Publish("t", b"x", 1, dup=True, packet_id=1)


# PUBLISH to a client


@BOTH
def test_a_message_goes_out_once_at_the_lower_of_its_qos_and_the_highest_granted(version):
    """v5 MQTT-3.3.4-2 MQTT-3.8.4-8 MQTT-4.3.1-1 MQTT-4.3.2-1 MQTT-4.3.2-2 MQTT-3.3.1-3 MQTT-2.2.1-4
    v3 MQTT-3.3.5-1 MQTT-3.8.4-6 MQTT-4.3.1-1 MQTT-4.3.2-1 MQTT-3.3.1-3 MQTT-2.3.1-4
    """
    peer = connected(version)
    peer.subscribe("t", qos=0)
    peer.session.deliver(Message("t", b"0", 1), 0.0)
    assert peer.answers() == [Publish("t", b"0", 0)]
    peer.subscribe("+", qos=1)
    peer.session.deliver(Message("t", b"1", 1), 0.0)
    peer.session.deliver(Message("t", b"2", 0), 0.0)
    peer.session.deliver(Message("t", b"3", 2), 0.0)

    assert peer.answers() == [
        Publish("t", b"1", 1, packet_id=1),
        Publish("t", b"2", 0),
        Publish("t", b"3", 1, packet_id=2),
    ]


def test_a_message_carries_the_identifiers_of_all_its_subscriptions():
    """v5 MQTT-3.3.4-3 MQTT-3.3.4-4 MQTT-3.3.4-5"""
    peer = connected(V5)
    for topic_filter, identifier in (("t", 5), ("+", 6), ("other", 7)):
        held = Properties(subscription_identifier=(identifier,))
        peer.send(Subscribe(1, (SubscriptionRequest(topic_filter),), held))
        peer.session.subscribed(*peer.take(Subscribing), [0])
    peer.answers()

    peer.session.deliver(Message("t"), 0.0)

    (sent,) = peer.answers()
    assert sorted(sent.properties.subscription_identifier) == [5, 6]


@BOTH
def test_retain_is_kept_only_as_asked_and_set_for_a_new_subscription(version):
    """v5 MQTT-3.3.1-9 MQTT-3.3.1-10 MQTT-3.3.1-11 MQTT-3.3.1-12 MQTT-3.3.1-13
    v3 MQTT-3.3.1-6 MQTT-3.3.1-8 MQTT-3.3.1-9
    """
    peer = connected(version)
    requests = tuple(SubscriptionRequest(f"t/{n}", 1, retain_handling=n) for n in range(3))
    requests += (SubscriptionRequest("u", 1, retain_as_published=True),)
    due = []
    for _ in range(2):
        peer.send(Subscribe(1, requests))
        due.append(peer.session.subscribed(*peer.take(Subscribing), [1] * 4))
    peer.answers()

    peer.session.deliver_retained(Message("t/0", b"kept", 1, retain=True), due[1][0], 0.0)
    peer.session.deliver(Message("t/0", b"live", 0, retain=True), 0.0)
    peer.session.deliver(Message("u", b"live", 0, retain=True), 0.0)

    filters = [[subscription.topic_filter for subscription in each] for each in due]
    if version is V5:
        assert filters == [["t/0", "t/1", "u"], ["t/0", "u"]]
    else:
        assert filters == [["t/0", "t/1", "t/2", "u"]] * 2
    assert [packet.retain for packet in peer.answers()] == [True, False, version is V5]


def test_a_client_that_asked_not_to_is_not_sent_its_own_messages():
    """v5 MQTT-3.8.3-3"""
    peer = connected(V5, client_id="pi")
    peer.subscribe("t", no_local=True)

    assert not peer.session.deliver(Message("t", publisher="pi"), 0.0)
    assert peer.session.deliver(Message("t", publisher="other"), 0.0)


def test_properties_of_a_message_reach_the_subscriber_unaltered():
    """v5 MQTT-3.3.2-4 MQTT-3.3.2-15 MQTT-3.3.2-16 MQTT-3.3.2-17 MQTT-3.3.2-18 MQTT-3.3.2-20"""
    properties = Properties(
        payload_format_indicator=1,
        response_topic="answers",
        correlation_data=b"\0\xff",
        user_property=(("b", "1"), ("a", "2"), ("b", "1")),
        content_type="application/json",
    )
    peer = connected(V5)
    peer.subscribe("t", qos=0)

    peer.session.deliver(Message("t", properties=properties), 0.0)

    assert [packet.properties for packet in peer.answers()] == [properties]


def test_an_expired_message_is_not_sent_and_another_with_the_time_that_is_left():
    """v5 MQTT-3.3.2-5 MQTT-3.3.2-6"""
    peer = connected(V5)
    peer.subscribe("t", qos=0)

    peer.session.deliver(Message("t", b"late", expires_at=9.0, reference="late"), 10.0)
    peer.session.deliver(Message("t", b"fresh", expires_at=15.5), 10.0)

    assert [packet.properties for packet in peer.answers()] == [Properties(message_expiry_interval=5)]
    assert peer.take(Discarded) == [Discarded("late")]


def test_the_client_s_limits_are_kept_to():
    """v5 MQTT-3.1.2-24 MQTT-3.1.2-25 MQTT-3.1.2-26 MQTT-3.1.2-27 MQTT-3.3.2-11 MQTT-3.3.4-9 MQTT-4.9.0-1
    MQTT-4.9.0-2
    """
    asked = Properties(maximum_packet_size=64, receive_maximum=2, topic_alias_maximum=9)
    peer = connected(V5, properties=asked)
    peer.subscribe("t")
    largest = 64 - len(encode(Publish("t", b"", 1, packet_id=1), V5))

    peer.session.deliver(Message("t", b"x" * (largest + 1), 1, reference="large"), 0.0)
    for n in range(4):
        peer.session.deliver(Message("t", b"%d" % n * largest, 1), 0.0)

    sent = peer.answers()
    assert peer.take(Discarded) == [Discarded("large")]
    assert [packet.payload[:1] for packet in sent] == [b"0", b"1"]
    assert all(packet.properties == NO_PROPERTIES for packet in sent)
    assert [packet.payload[:1] for packet in peer.send(Puback(sent[0].packet_id))] == [b"2"]


def test_with_the_quota_used_up_everything_but_publishes_goes_on():
    """v5 MQTT-3.3.4-10 MQTT-4.9.0-3"""
    peer = connected(V5, properties=Properties(receive_maximum=1))
    peer.subscribe("t")
    for _ in range(2):
        peer.session.deliver(Message("t", b"", 1), 0.0)
    peer.answers()

    peer.send(publish(1))
    peer.session.committed(*peer.publishes())
    peer.session.deliver(Message("t", b"q0", 0), 0.0)

    assert peer.answers() == [Puback(1), Publish("t", b"q0")]
    assert peer.send(Pingreq()) == [Pingresp()]


@BOTH
def test_an_unacknowledged_message_is_sent_again_on_the_next_connection_only_and_in_order(version):
    """v5 MQTT-4.4.0-1 MQTT-4.3.2-3 MQTT-3.3.1-1 MQTT-4.1.0-1 · v3 MQTT-4.4.0-1 MQTT-4.6.0-1 MQTT-4.6.0-6 MQTT-3.3.1-1
    MQTT-4.3.2-1 MQTT-3.1.2-5
    """
    peer = connected(version, Limits(outgoing_window=3), **lasting())
    peer.subscribe("t")
    for n in range(5):
        peer.session.deliver(Message("t", b"%d" % n, 1), 0.0)
    peer.answers()
    peer.send(Puback(2))
    peer.at(10_000)
    peer.lose()

    other, (_, *again) = greeted(version, Limits(outgoing_window=2), stored=peer.session.state, **lasting())

    assert [(p.payload, p.dup, p.packet_id) for p in again] == [(b"0", True, 1), (b"2", True, 3)]
    later = other.send(Puback(3), Puback(1))
    assert [(p.payload, p.dup) for p in later] == [(b"3", True), (b"4", False)]


def test_a_negative_puback_ends_the_delivery():
    """v5 MQTT-4.4.0-2"""
    peer = connected(V5)
    peer.subscribe("t")
    peer.session.deliver(Message("t", b"", 1, reference="r"), 0.0)
    peer.answers()

    peer.send(Puback(1, Reason.QUOTA_EXCEEDED))

    assert peer.take(Acknowledged) == [Acknowledged("r", Reason.QUOTA_EXCEEDED)]
    assert peer.session.state.outgoing == {}


@BOTH
def test_a_packet_identifier_in_use_is_not_used_again(version):
    """v5 MQTT-2.2.1-4 MQTT-4.3.2-1 · v3 MQTT-2.3.1-4 MQTT-4.3.2-1"""
    peer = connected(version, Limits(outgoing_window=65_535))
    peer.subscribe("t")
    peer.session.deliver(Message("t", b"stays", 1), 0.0)
    peer.session._outflow._last_id = 65_534
    for _ in range(3):
        peer.session.deliver(Message("t", b"", 1), 0.0)

    assert [packet.packet_id for packet in peer.answers()] == [1, 65_535, 2, 3]


@BOTH
def test_answers_to_what_was_never_sent_do_no_harm(version):
    """v5 MQTT-4.3.3-4 (QoS 2 is never sent) · v3 MQTT-4.3.3-1"""
    peer = connected(version)

    answers = peer.send(Puback(5), Pubcomp(6), Pubrec(7))

    assert answers == [Pubrel(7, Reason.PACKET_IDENTIFIER_NOT_FOUND if version is V5 else 0)]
    assert peer.closed() is None


def test_a_pubrec_for_a_qos_1_message_ends_the_connection():
    peer = connected(V5)
    peer.subscribe("t")
    peer.session.deliver(Message("t", b"", 1), 0.0)
    peer.answers()

    assert_ended(peer, peer.send(Pubrec(1)), Reason.PROTOCOL_ERROR)
