"""What a client is sent: subscriptions, messages, their order, quota and resending, by the numbered statements.

A docstring names the statements it holds, `v5` and `v3` in front of those of each specification.
"""

import pytest
from tests.unit.mqtt_peer import V3, V5, assert_ended, connected, greeted, lasting, publish

from releve.protocol.mqtt.encode import encode
from releve.protocol.mqtt.event import Acknowledged, Discarded, Subscribing
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.packet import (
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
)
from releve.protocol.mqtt.property import NO_PROPERTIES, Properties
from releve.protocol.mqtt.reason import Reason
from releve.protocol.mqtt.state import Message

BOTH = pytest.mark.parametrize("version", [V3, V5])


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
