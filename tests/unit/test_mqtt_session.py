"""What a session promises its application beyond the letter of the specifications."""

import json
import random

import pytest
from tests.unit.mqtt_peer import V3, V5, Peer, connected, greeted, lasting, publish

from releve.protocol.mqtt.encode import encode
from releve.protocol.mqtt.error import OutgoingFull
from releve.protocol.mqtt.event import Acknowledged, Authenticate, Discarded, Subscribing, Unsubscribed
from releve.protocol.mqtt.limits import Limits
from releve.protocol.mqtt.packet import (
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
from releve.protocol.mqtt.property import Properties
from releve.protocol.mqtt.reason import Reason
from releve.protocol.mqtt.session import Phase, Session
from releve.protocol.mqtt.state import Message, SessionState

BOTH = pytest.mark.parametrize("version", [V3, V5])


@BOTH
def test_nothing_is_acknowledged_before_its_verdict(version):
    peer = connected(version)

    assert peer.send(publish(1), publish(2, qos=2), publish(qos=0)) == []

    first, second, third = peer.publishes()
    assert peer.session.in_flight == 2
    peer.session.committed(third)
    peer.session.committed(first)
    peer.session.committed(second)
    assert peer.answers() == [Puback(1), Pubrec(2)]
    assert peer.session.in_flight == 0


@BOTH
@pytest.mark.parametrize("seed", range(5))
def test_verdicts_in_any_order_give_answers_in_the_order_of_arrival(version, seed):
    peer = connected(version)
    peer.send(*(publish(n, qos=1 + n % 2) for n in range(1, 101)))
    verdicts = peer.publishes()
    random.Random(seed).shuffle(verdicts)  # noqa: S311 - the same throws in every run
    sent = []

    for incoming in verdicts:
        peer.session.committed(incoming)
        sent += peer.answers()

    assert [answer.packet_id for answer in sent] == list(range(1, 101))


def test_a_permanently_bad_publish_is_told_why_in_5_0():
    peer = connected(V5)
    peer.send(publish(1), publish(2, qos=2), publish(qos=0))

    for incoming in peer.publishes():
        peer.session.refused(incoming, Reason.PAYLOAD_FORMAT_INVALID, "no JSON")

    why = Properties(reason_string="no JSON")
    assert peer.answers() == [Puback(1, 0x99, why), Pubrec(2, 0x99, why)]


def test_a_reason_that_a_puback_cannot_say_becomes_one_that_it_can():
    peer = connected(V5)
    peer.send(publish(1))

    peer.session.refused(*peer.publishes(), Reason.PACKET_TOO_LARGE)

    assert peer.answers() == [Puback(1, Reason.IMPLEMENTATION_SPECIFIC_ERROR)]


def test_a_permanently_bad_publish_is_acknowledged_in_3_1_1():
    peer = connected(V3)
    peer.send(publish(1), publish(2, qos=2))

    for incoming in peer.publishes():
        peer.session.refused(incoming, Reason.PAYLOAD_FORMAT_INVALID)

    assert peer.answers() == [Puback(1), Pubrec(2)]


@BOTH
def test_a_temporary_failure_is_met_with_silence_and_the_next_is_answered(version):
    peer = connected(version)
    peer.send(publish(1), publish(2, qos=2), publish(3))
    first, second, third = peer.publishes()

    peer.session.committed(third)
    peer.session.failed(second)
    peer.session.failed(first)

    assert peer.answers() == [Puback(3)]
    assert peer.session.in_flight == 0


@BOTH
def test_a_publish_that_failed_is_taken_again_when_it_is_sent_again(version):
    peer = connected(version)
    peer.send(publish(2, qos=2))
    peer.session.failed(*peer.publishes())

    peer.send(publish(2, qos=2, dup=True))

    peer.session.committed(*peer.publishes())
    assert peer.answers() == [Pubrec(2)]


@BOTH
def test_a_verdict_after_the_end_is_taken_and_sends_nothing(version):
    peer = connected(version)
    peer.send(publish(1), publish(2))
    first, second = peer.publishes()
    peer.session.committed(second)

    peer.session.close(Reason.SERVER_SHUTTING_DOWN)
    peer.session.committed(first)

    ended = peer.answers()
    assert [type(packet) for packet in ended] == ([Disconnect] if version is V5 else [])
    assert peer.lose() == []


@BOTH
def test_a_qos_2_exchange_goes_on_with_another_worker(version):
    peer = connected(version, **lasting())
    peer.send(publish(7, qos=2), publish(8, qos=2))
    for incoming in peer.publishes():
        peer.session.committed(incoming)
    peer.lose()

    carried = json.loads(json.dumps(peer.session.state.to_dict()))
    other, (connack,) = greeted(version, stored=SessionState.from_dict(carried), **lasting())
    again = other.send(publish(7, qos=2, dup=True))
    released = other.send(Pubrel(7), Pubrel(8))

    assert connack.session_present
    assert again == [Pubrec(7)]
    assert other.publishes() == []
    assert released == [Pubcomp(7), Pubcomp(8)]


def test_a_session_state_survives_as_plain_data():
    peer = connected(V5, **lasting())
    peer.subscribe("a/#", "b")
    message = Message(
        "a/1",
        b"\x00\xff",
        1,
        properties=Properties(correlation_data=b"\x01", user_property=(("k", "v"),)),
        expires_at=99.5,
        reference="command 1",
    )
    peer.session.deliver(message, 0.0)
    peer.send(publish(3, qos=2))
    peer.session.committed(*peer.publishes())

    plain = json.loads(json.dumps(peer.session.state.to_dict()))

    assert SessionState.from_dict(plain) == peer.session.state
    assert peer.session.state.outgoing == {1: message}


@BOTH
def test_packets_behind_a_connect_wait_until_the_client_is_in(version):
    peer = Peer(version)

    assert peer.send(Connect("pi", version), publish(1), Pingreq()) == []

    assert len(peer.take(Authenticate)) == 1
    assert peer.publishes() == []
    assert peer.session.is_saturated
    peer.session.accept(0.0)
    connack, pingresp = peer.answers()
    assert (connack.reason, pingresp) == (0, Pingresp())
    assert len(peer.publishes()) == 1


def test_only_so_much_may_wait_behind_a_connect():
    peer = Peer(V5, Limits(pipelined_size=100))
    peer.send(Connect("pi"))

    answers = peer.send_bytes(b"\x30" * 101)

    assert [answer.reason for answer in answers] == [Reason.QUOTA_EXCEEDED]
    assert peer.session.phase is Phase.CLOSED


@BOTH
def test_a_verdict_on_a_client_that_has_gone_changes_nothing(version):
    peer = Peer(version)
    peer.send(Connect("pi", version))
    peer.lose()

    peer.session.accept(1.0)
    peer.session.refuse(Reason.NOT_AUTHORIZED)

    assert peer.answers() == []


@BOTH
def test_a_refused_client_is_told_why(version):
    peer = Peer(version)
    peer.send(Connect("pi", version), publish(1))

    peer.session.refuse(Reason.BAD_USER_NAME_OR_PASSWORD)

    assert peer.answers() == [Connack(reason=0x86 if version is V5 else 4)]
    assert peer.closed() is Reason.BAD_USER_NAME_OR_PASSWORD
    assert peer.publishes() == []


def test_a_client_that_takes_no_connack_is_not_let_in():
    peer = Peer(V5)
    peer.send(Connect("pi", properties=Properties(maximum_packet_size=4)))

    peer.session.accept(0.0)

    assert peer.answers() == []
    assert peer.closed() is Reason.PACKET_TOO_LARGE


def test_a_connection_without_a_connect_ends_in_time():
    peer = Peer(V5, Limits(connect_timeout_s=10))
    peer.send_bytes(b"\x10")

    assert peer.session.deadline() == 10
    assert peer.at(9.9) == []
    assert peer.closed() is None
    assert peer.at(10) == []
    assert peer.closed() is Reason.KEEP_ALIVE_TIMEOUT
    assert peer.session.deadline() is None


@BOTH
def test_a_packet_that_trickles_in_ends_in_time_even_without_keep_alive(version):
    peer = connected(version, Limits(packet_timeout_s=60))
    for peer.now in range(1, 60):
        peer.send_bytes(b"\x30\x7f" if peer.now == 1 else b"\x00")

    assert peer.session.deadline() == 61
    assert peer.closed() is None
    peer.at(61)

    assert peer.closed() is Reason.UNSPECIFIED_ERROR


def test_bytes_of_an_unfinished_packet_keep_nobody_alive():
    peer = connected(V5, keep_alive_s=10)
    peer.now = 14.0
    peer.send_bytes(b"\x30\x7f\x00")

    peer.at(15.0)

    assert peer.closed() is Reason.KEEP_ALIVE_TIMEOUT


def test_a_client_is_not_silent_while_nobody_reads():
    peer = connected(V5, keep_alive_s=10)

    peer.session.reading_paused()
    assert peer.session.deadline() is None
    peer.at(100)
    peer.session.reading_resumed(100)

    assert peer.closed() is None
    assert peer.session.deadline() == 115


def test_a_keep_alive_longer_than_allowed_is_shortened_in_5_0():
    limits = Limits(maximum_keep_alive_s=60)
    for wished, told, deadline in ((0, 60, 90), (61, 60, 90), (30, None, 45)):
        peer, (connack,) = greeted(V5, limits, keep_alive_s=wished)

        assert connack.properties.server_keep_alive == told
        assert peer.session.deadline() == deadline

    assert greeted(V3, limits, keep_alive_s=0)[0].session.deadline() is None


def test_a_saturated_session_says_so():
    peer = connected(V3, Limits(receive_maximum=2))

    peer.send(publish(1))
    assert not peer.session.is_saturated
    peer.send(publish(2), publish(3))

    assert peer.session.is_saturated
    assert peer.closed() is None


@BOTH
def test_a_message_reaches_its_subscriber_once_and_its_acknowledgement_the_application(version):
    peer = connected(version)
    assert peer.subscribe("a/#", "a/+") == [Suback(900, (1, 1))]

    assert peer.session.deliver(Message("a/b", b"x", 1, reference="r"), 0.0)
    assert not peer.session.deliver(Message("c", b"x", 1), 0.0)

    assert peer.answers() == [Publish("a/b", b"x", 1, packet_id=1)]
    peer.send(Puback(1))
    assert peer.take(Acknowledged) == [Acknowledged("r", 0)]


@BOTH
def test_messages_beyond_the_window_wait_for_their_turn_and_not_for_ever(version):
    peer = connected(version, Limits(outgoing_window=2, outgoing_queue=2))
    peer.subscribe("t")
    for n in range(4):
        peer.session.deliver(Message("t", b"%d" % n, 1), 0.0)

    assert [packet.payload for packet in peer.answers()] == [b"0", b"1"]
    with pytest.raises(OutgoingFull):
        peer.session.deliver(Message("t", b"4", 1), 0.0)
    assert [packet.payload for packet in peer.send(Puback(2), Puback(1))] == [b"2", b"3"]


@BOTH
def test_a_message_that_expired_while_it_waited_is_not_sent(version):
    peer = connected(version, Limits(outgoing_window=1))
    peer.subscribe("t")
    peer.session.deliver(Message("t", b"0", 1), 0.0)
    peer.session.deliver(Message("t", b"1", 1, expires_at=5.0, reference="late"), 0.0)
    peer.session.deliver(Message("t", b"2", 1, expires_at=50.0), 0.0)
    peer.answers()

    peer.now = 10.0
    (sent,) = peer.send(Puback(1))

    assert sent.payload == b"2"
    assert sent.properties.message_expiry_interval == (40 if version is V5 else None)
    assert peer.take(Discarded) == [Discarded("late")]


def test_a_granted_subscription_says_whether_retained_messages_are_due():
    peer = connected(V5)
    requests = tuple(SubscriptionRequest(f"t/{n}", 1, retain_handling=n) for n in range(3))
    due = []
    for _ in range(2):
        peer.send(Subscribe(5, requests))
        subscribed = peer.session.subscribed(*peer.take(Subscribing), [1, 1, 1])
        due.append([subscription.topic_filter for subscription in subscribed])

    assert due == [["t/0", "t/1"], ["t/0"]]


def test_what_the_protocol_refuses_is_not_asked_of_the_application():
    peer = connected(V5, Limits(most_subscriptions=1))
    filters = ("a/#/b", "$share/g/a", "good", "one too many", "")

    peer.send(Subscribe(5, tuple(SubscriptionRequest(each, 2) for each in filters)))
    (event,) = peer.take(Subscribing)
    peer.session.subscribed(event, [2])

    assert [request.topic_filter for request in event.requests] == ["good"]
    assert peer.answers() == [Suback(5, (0x8F, 0x9E, 1, 0x97, 0x8F))]


def test_a_subscribe_without_any_good_filter_is_answered_at_once():
    assert connected(V5).send(Subscribe(5, (SubscriptionRequest("#a"),))) == [Suback(5, (0x8F,))]
    assert connected(V3).send(Subscribe(5, (SubscriptionRequest("#a"),))) == [Suback(5, (0x80,))]


def test_one_verdict_per_request_is_needed():
    peer = connected(V5)
    peer.send(Subscribe(5, (SubscriptionRequest("a"), SubscriptionRequest("b"))))
    (event,) = peer.take(Subscribing)

    for reasons in ([0], [0, 0, 0]):
        with pytest.raises(ValueError, match="zip"):
            peer.session.subscribed(event, reasons)


@BOTH
def test_an_unsubscribed_topic_is_told_to_the_application_and_sent_no_more(version):
    peer = connected(version)
    peer.subscribe("t")

    assert peer.send(Unsubscribe(6, ("t", "u"))) == [Unsuback(6, (0, 0x11) if version is V5 else ())]

    assert peer.take(Unsubscribed) == [Unsubscribed(("t", "u"))]
    assert not peer.session.deliver(Message("t"), 0.0)


def test_a_client_without_a_name_gets_one():
    peer, (connack,) = greeted(V5, client_id="")

    assert connack.properties.assigned_client_identifier == "assigned"
    assert peer.session.state.client_id == peer.session.connect.client_id == "assigned"


def test_a_second_verdict_on_a_publish_is_without_effect():
    peer = connected(V5)
    peer.send(publish(1), publish(2))
    first, second = peer.publishes()

    peer.session.committed(first)
    peer.session.committed(first)
    peer.session.committed(second)

    assert peer.answers() == [Puback(1), Puback(2)]


def test_an_idle_session_has_no_deadline_but_its_clients():
    assert connected(V5).session.deadline() is None
    assert connected(V5, keep_alive_s=10).session.deadline() == 15


def test_a_will_is_still_due_when_the_transport_only_says_that_the_connection_is_gone():
    peer = connected(V3, will=Will("gone", b"bye"))

    assert peer.lose() == [Will("gone", b"bye")]
    assert peer.lose() == []


def test_a_session_reads_the_same_however_its_bytes_are_cut():
    data = b"".join(
        encode(packet, V5) for packet in (Connect("pi", keep_alive_s=9), publish(1), Pingreq(), publish(2, qos=2))
    )
    session = Session(Limits(), 0.0)
    events = []

    for byte in data:
        session.receive(bytes([byte]), 0.0)
        session.accept(0.0)
        events += session.take_events()

    assert [type(event).__name__ for event in events] == ["Authenticate", "Incoming", "Incoming"]
