"""Whatever bytes come, in whatever pieces: the codec's own error or packets, and little memory."""

import random

import pytest
from tests.unit.mqtt_peer import connected

from releve.protocol.mqtt.encode import encode
from releve.protocol.mqtt.error import OutgoingFull, PacketTooLarge, Violation
from releve.protocol.mqtt.event import Close, Incoming, Subscribing
from releve.protocol.mqtt.kind import Version
from releve.protocol.mqtt.packet import (
    Auth,
    Connack,
    Connect,
    Disconnect,
    Pingreq,
    Puback,
    Publish,
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
from releve.protocol.mqtt.state import Message
from releve.protocol.mqtt.stream import Decoder

LIMIT = 300  # bytes
CHATTY = Properties(user_property=(("a", "b"), ("c", "d")))
CORPUS = {
    version: [
        encode(packet, version)
        for packet in (
            Connect("pi", version, keep_alive_s=9, username="u", password=b"p", will=Will("gone", b"bye", 1)),
            Publish("releve/pi/readings", b'{"a": 1}', 1, packet_id=7),
            Publish("t", b"", 2, retain=True, packet_id=65_535, properties=Properties(topic_alias=3)),
            Publish("t", b"x" * 200),
            Puback(1, 0x99, CHATTY),
            Pubrel(3, 0x92, CHATTY),
            Subscribe(4, (SubscriptionRequest("a/+/#", 1), SubscriptionRequest("b", 2)), CHATTY),
            Unsubscribe(5, ("a/+/#", "b")),
            Unsuback(5, (0, 17)),
            Suback(4, (1, 0x80)),
            Connack(session_present=True, properties=CHATTY),
            Pingreq(),
            Disconnect(0, CHATTY),
            *((Auth(24, Properties(authentication_method="SCRAM")),) if version is Version.V5 else ()),
        )
    ]
    for version in Version
}


def heard(data, cuts, version):
    """What a decoder makes of these bytes in these pieces; the last item is its complaint, if any."""
    decoder = Decoder(version=version, maximum_packet_size=LIMIT, maximum_connect_size=LIMIT)
    results = []
    try:
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            decoder.feed(data[start:end])
            while (packet := decoder.next_packet()) is not None:
                results.append(packet)
            assert decoder.pending() < LIMIT
    except Violation as violation:
        results.append((type(violation), str(violation)))
    return results


def mutated(dice, version):
    data = bytearray(b"".join(dice.choices(CORPUS[version], k=dice.randint(1, 5))))
    for _ in range(dice.choice((0, 1, 1, 2, 8))):
        at = dice.randrange(len(data))
        choice = dice.randrange(4)
        if choice == 0:
            data[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))
        elif choice == 1:
            data[at] ^= 1 << dice.randrange(8)
        elif choice == 2:
            data.insert(at, dice.randrange(256))
        elif len(data) > 1:
            del data[at]
    return bytes(data)


def dice_of(seed):
    return random.Random(seed)  # noqa: S311 - the same throws in every run


def cuts_of(dice, size):
    return sorted(dice.randrange(size + 1) for _ in range(dice.choice((1, 3, 20))))


@pytest.mark.parametrize("version", [None, *Version])
@pytest.mark.parametrize("seed", range(4))
def test_mutated_packets_give_the_same_in_one_piece_as_in_many(seed, version):
    dice = dice_of(seed)
    refused = 0

    for _ in range(400):
        data = mutated(dice, version or dice.choice(tuple(Version)))
        whole = heard(data, [], version)
        refused += bool(whole and isinstance(whole[-1], tuple))

        assert heard(data, cuts_of(dice, len(data)), version) == whole

    assert 0 < refused < 400 or version is None


@pytest.mark.parametrize("version", [None, *Version])
def test_random_bytes_give_the_same_byte_by_byte(version):
    dice = dice_of(7)

    for _ in range(400):
        data = dice.randbytes(dice.randrange(1, 60))

        assert heard(data, list(range(1, len(data))), version) == heard(data, [], version)


@pytest.mark.parametrize("version", list(Version))
def test_what_decodes_encodes_to_packets_that_decode_the_same(version):
    dice = dice_of(11)

    for _ in range(600):
        for packet in heard(mutated(dice, version), [], version):
            if not isinstance(packet, tuple):
                assert heard(encode(packet, version), [], version) == [packet]


@pytest.mark.parametrize("version", [None, *Version])
def test_a_claim_of_256_megabytes_is_refused_at_its_header(version):
    first = b"\x10" if version is None else b"\x32"
    decoder = Decoder(version=version, maximum_packet_size=LIMIT)

    decoder.feed(first + b"\xff\xff\xff")
    assert decoder.next_packet() is None
    decoder.feed(b"\x7f")

    with pytest.raises(PacketTooLarge):
        decoder.next_packet()


def test_before_connect_only_a_small_packet_is_taken():
    decoder = Decoder(maximum_packet_size=1_000_000, maximum_connect_size=100)

    decoder.feed(b"\x10\x63")

    with pytest.raises(PacketTooLarge):
        decoder.next_packet()


def test_an_idle_decoder_keeps_no_bytes():
    decoder = Decoder(version=Version.V5)
    decoder.feed(encode(Publish("t", b"x" * 100_000), Version.V5))

    assert decoder.next_packet() is not None
    assert decoder.next_packet() is None

    assert decoder._data == b""
    assert not decoder._partial


def test_a_large_packet_byte_by_byte_costs_one_copy_of_it():
    """Appending is amortised: a megabyte in a million pieces is not a quadratic number of bytes moved."""
    data = encode(Publish("t", b"x" * 200_000), Version.V5)
    decoder = Decoder(version=Version.V5)
    packets = []

    for byte in data:
        decoder.feed(byte.to_bytes(1, "big"))
        packets.append(decoder.next_packet())

    assert [packet for packet in packets if packet] == [Publish("t", b"x" * 200_000)]


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize("seed", range(3))
def test_a_session_never_raises_and_ends_once(seed, version):
    """Whatever a client sends and however the application answers; all that is sent back is well formed."""
    dice = dice_of(seed)
    ends = 0

    for _ in range(150):
        peer = connected(version)
        for _ in range(4):
            data = mutated(dice, version)
            for start in range(0, len(data), 64):
                peer.send_bytes(data[start : start + 64])
                answered(peer, dice)
        peer.lose()
        ended = len(peer.take(Close))
        assert ended <= 1
        ends += ended

    assert ends > 100


def answered(peer, dice):
    """Give every verdict that is asked for, in any order."""
    asked = peer.take(Incoming | Subscribing)
    dice.shuffle(asked)
    for event in asked:
        if isinstance(event, Subscribing):
            peer.session.subscribed(event, [dice.choice((0, 1, 2, 0x87)) for _ in event.requests])
        else:
            verdict = dice.choice((peer.session.committed, peer.session.failed, refused_by(peer)))
            verdict(event)
    try:
        peer.session.deliver(Message("a/b/c", b"x", dice.randrange(3)), 0.0)
    except OutgoingFull:
        peer.session.close(Reason.QUOTA_EXCEEDED)
    peer.answers()


def refused_by(peer):
    return lambda event: peer.session.refused(event, Reason.PAYLOAD_FORMAT_INVALID, "bad")
