"""Takes packets out of a stream of bytes that arrives in any pieces; PUBLISH by the shortest way.

At most one packet's maximum size is kept waiting: the size is judged as soon as the fixed header is there.
"""

from releve.protocol.mqtt.decode import decode_body, read_version
from releve.protocol.mqtt.error import MalformedPacket, NotAConnect, PacketTooLarge, ProtocolError
from releve.protocol.mqtt.kind import Kind, Version
from releve.protocol.mqtt.packet import Packet, Publish
from releve.protocol.mqtt.property import NO_PROPERTIES, read_properties
from releve.protocol.mqtt.topic_filter import check_topic_name
from releve.protocol.mqtt.wire import Reader, decode_text, is_overlong, read_varint

LARGEST_CONNECT = 16_384  # bytes; a client id, a token and a will fit easily
LARGEST_PACKET = 268_435_460  # bytes; five of fixed header and the highest remaining length
_KNOWN_TOPICS = 64
_LONGEST_KNOWN_TOPIC = 256

_CONNECT = 0x10
_PUBLISH = 0x30
_KIND = 0xF0
_CONTINUES = 0x80
_SEVEN_BITS = 0x7F
_HIGHEST_QOS = 2
_RESERVED_FLAGS = 0b0010
_V5 = Version.V5  # looking a member up in its enum costs as much as half of a PUBLISH


def _may_start(first: int, version: Version) -> bool:
    """Whether a fixed header may start so: no reserved type or flag [MQTT-2.1.3-1], QoS 3 or DUP at QoS 0."""
    kind, flags = first >> 4, first & 0x0F
    if kind == Kind.PUBLISH:
        qos, dup = flags >> 1 & 3, flags >> 3
        return qos <= _HIGHEST_QOS and (qos > 0 or not dup)  # [MQTT-3.3.1-4], [MQTT-3.3.1-2]
    if kind in {Kind.PUBREL, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE}:
        return flags == _RESERVED_FLAGS
    return not flags and Kind.CONNECT <= kind <= (Kind.AUTH if version is Version.V5 else Kind.DISCONNECT)


_FIRST_BYTES = {version: frozenset(first for first in range(256) if _may_start(first, version)) for version in Version}


class Decoder:
    """Bytes in, packets out.

    Without a version the first packet must be CONNECT, which sets it; until then only a small packet
    is taken. After a violation the decoder is of no further use.

    Args:
        maximum_packet_size: In bytes, the fixed header included.
        version: What the connection speaks, where that is known, as on a client's side.
        maximum_connect_size: The same for the CONNECT, in bytes.
    """

    __slots__ = (
        "_data",
        "_first_bytes",
        "_limit",
        "_maximum_packet_size",
        "_needed",
        "_partial",
        "_position",
        "_topics",
        "version",
    )

    def __init__(
        self,
        *,
        maximum_packet_size: int = LARGEST_PACKET,
        version: Version | None = None,
        maximum_connect_size: int = LARGEST_CONNECT,
    ) -> None:
        self.version = version
        self._maximum_packet_size = maximum_packet_size
        self._limit = maximum_packet_size if version else min(maximum_connect_size, maximum_packet_size)
        self._first_bytes = _FIRST_BYTES[version] if version else frozenset({_CONNECT})
        self._data = b""  # what is being decoded
        self._position = 0
        self._partial = bytearray()  # what cannot be decoded before `_needed` bytes are there
        self._needed = 0
        self._topics: dict[bytes, str] = {}

    def pending(self) -> int:
        """How many bytes have come that no packet was made of yet."""
        return len(self._partial) or len(self._data) - self._position

    def feed(self, data: bytes) -> None:
        """Take the bytes that came next."""
        if not self._partial and self._position == len(self._data):
            self._data = data
            self._position = 0
            return
        if not self._partial:
            self._partial += memoryview(self._data)[self._position :]
            self._data = b""
            self._position = self._needed = 0
        self._partial += data

    def next_packet(self) -> Packet | None:
        """The next packet, or None before more bytes come.

        Raises:
            Violation: The stream breaks the specification.
        """
        if self._position == len(self._data) and not self._refill():
            return None
        data, start = self._data, self._position
        first = data[start]
        if first not in self._first_bytes:
            self._refuse_first(first)
        length = data[start + 1] if start + 1 < len(data) else _CONTINUES
        body = start + 2
        if length >= _CONTINUES and body < len(data) and 0 < data[body] < _CONTINUES:  # as most readings are long
            length = length & _SEVEN_BITS | data[body] << 7
            body += 1
        elif length >= _CONTINUES:
            header = self._long_header(data, start)
            if header is None:
                return None
            length, body = header
        end = body + length
        if end > len(data) or end - start > self._limit:
            self._await(end - start)
            return None
        self._position = end
        if first & _KIND == _PUBLISH:
            return self._publish(first, data, body, end)
        return self._other(data, start, body, end)

    def _refill(self) -> bool:
        """Whether what has waited is enough to go on with; an idle connection keeps no bytes."""
        is_enough = bool(self._partial) and len(self._partial) >= self._needed
        self._data = bytes(self._partial) if is_enough else b""
        self._position = 0
        if is_enough:
            self._partial = bytearray()
        return is_enough

    def _await(self, needed: int) -> None:
        if needed > self._limit:
            raise PacketTooLarge(f"{needed} bytes, where {self._limit} are taken")
        self._partial = bytearray(memoryview(self._data)[self._position :])
        self._needed = needed
        self._data = b""
        self._position = 0

    def _long_header(self, data: bytes, start: int) -> tuple[int, int] | None:
        """A remaining length of several bytes and where the body starts; None before it is there."""
        found = read_varint(data, start + 1)
        if found is None:
            self._await(len(data) - start + 1)
        elif self.version is Version.V5 and is_overlong(data, start + 1, found[1]):
            raise MalformedPacket("the remaining length is longer than need be")
        return found

    def _refuse_first(self, first: int) -> None:
        if self.version is None and first & _KIND != _CONNECT:
            raise NotAConnect(f"the first packet starts with {first:#04x}")
        raise MalformedPacket(f"no packet starts with {first:#04x}")

    def _other(self, data: bytes, start: int, body: int, end: int) -> Packet:
        if self.version is None:
            self.version = read_version(data[body:end])
            self._first_bytes = _FIRST_BYTES[self.version]
            self._limit = self._maximum_packet_size
            if self.version is Version.V5 and is_overlong(data, start + 1, body):
                raise MalformedPacket("the remaining length is longer than need be")
        return decode_body(Kind(data[start] >> 4), data[body:end], self.version)

    def _publish(self, first: int, data: bytes, start: int, end: int) -> Publish:
        """A PUBLISH, straight from the bytes that came: this is the way that every reading travels."""
        topic_at = start + 2
        if topic_at > end:
            raise MalformedPacket("PUBLISH without a topic name")
        at = topic_at + (data[start] << 8 | data[start + 1])
        qos = first >> 1 & 3
        if at + (qos and 2) > end:
            raise MalformedPacket("PUBLISH ends in the middle of a field")
        raw_topic = data[topic_at:at]
        topic = self._topics.get(raw_topic)
        if topic is None:
            topic = self._new_topic(raw_topic)
        packet_id = 0
        if qos:
            packet_id = data[at] << 8 | data[at + 1]
            at += 2
            if not packet_id:
                raise ProtocolError("packet identifier 0")  # [MQTT-2.2.1-3]
        properties = NO_PROPERTIES
        if self.version is _V5:
            if at == end:
                raise MalformedPacket("PUBLISH without properties")
            if data[at]:
                reader = Reader(data, at, end)
                properties = read_properties(reader, Kind.PUBLISH)
                at = reader.position
            else:
                at += 1
            if not topic and properties.topic_alias is None:
                raise ProtocolError("PUBLISH with neither topic name nor alias")  # section 3.3.2.3.4
        return Publish(topic, data[at:end], qos, bool(first & 0x01), bool(first & 0x08), packet_id, properties)

    def _new_topic(self, raw_topic: bytes) -> str:
        """A topic name not seen lately on this connection, judged and remembered."""
        topic = decode_text(raw_topic)
        if topic or self.version is Version.V3_1_1:
            check_topic_name(topic)
        if len(raw_topic) <= _LONGEST_KNOWN_TOPIC:
            if len(self._topics) == _KNOWN_TOPICS:
                self._topics.clear()
            self._topics[raw_topic] = topic
        return topic
