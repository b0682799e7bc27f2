"""How connections begin and end: CONNECT, keep alive, wills, DISCONNECT and AUTH, by the numbered statements.

A docstring names the statements it holds, `v5` and `v3` in front of those of each specification.
"""

import pytest
from tests.unit.mqtt_peer import V3, V5, Peer, assert_ended, connected, greeted, lasting, publish

from releve.protocol.mqtt.encode import encode
from releve.protocol.mqtt.event import Authenticate, Close, Subscribing
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.packet import (
    Auth,
    Connack,
    Connect,
    Disconnect,
    Pingreq,
    Pingresp,
    Suback,
    Subscribe,
    SubscriptionRequest,
    Unsuback,
    Will,
)
from releve.protocol.mqtt.property import Properties
from releve.protocol.mqtt.reason import Reason
from releve.protocol.mqtt.session import Phase
from releve.protocol.mqtt.state import Message

BOTH = pytest.mark.parametrize("version", [V3, V5])
NEVER = 0xFFFF_FFFF


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


def test_a_3_1_1_client_with_a_retained_will_is_let_in_because_many_ask_and_none_can_be_told():
    peer = Peer(V3, Limits(keeps_retained=False))

    assert peer.send(Connect("pi", will=Will("gone", retain=True))) == []
    assert peer.session.phase is Phase.JUDGING


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
