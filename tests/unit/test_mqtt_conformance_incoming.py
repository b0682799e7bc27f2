"""What a client publishes: answers, their order, quota, aliases and refusals, by the numbered statements.

A docstring names the statements it holds, `v5` and `v3` in front of those of each specification.
"""

import pytest
from tests.unit.mqtt_peer import V3, V5, assert_ended, connected, publish

from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.packet import (
    Puback,
    Pubcomp,
    Pubrec,
    Pubrel,
)
from releve.protocol.mqtt.property import Properties
from releve.protocol.mqtt.reason import Reason

BOTH = pytest.mark.parametrize("version", [V3, V5])


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
