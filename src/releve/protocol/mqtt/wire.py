"""The data types of section 1.5, strictly: integers, strings, binary data, variable byte integers."""

from releve.protocol.mqtt.error import MalformedPacket, Unencodable

LONGEST_STRING = 65_535  # bytes; the length prefix has two
HIGHEST_VARINT = 268_435_455
_CONTINUES = 0x80
_SEVEN_BITS = 0x7F
_VARINT_BYTES = 4


def decode_text(data: bytes) -> str:
    """The string of its UTF-8 bytes; U+FEFF is kept wherever it stands [MQTT-1.5.4-3].

    Raises:
        MalformedPacket: Ill-formed, a surrogate [MQTT-1.5.4-1], or U+0000 [MQTT-1.5.4-2].
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedPacket("a string is not UTF-8") from error
    if "\0" in text:
        raise MalformedPacket("a string holds U+0000")
    return text


def encode_text(text: str) -> bytes:
    """A string as it stands on the wire, with its length.

    Raises:
        Unencodable: It is too long, or holds U+0000 or a surrogate.
    """
    if "\0" in text:
        raise Unencodable("a string holds U+0000")
    try:
        return encode_binary(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise Unencodable("a string holds a surrogate") from error


def encode_binary(data: bytes) -> bytes:
    """Binary data as it stands on the wire, with its length.

    Raises:
        Unencodable: It is too long.
    """
    if len(data) > LONGEST_STRING:
        raise Unencodable(f"{len(data)} bytes do not fit a two-byte length")
    return len(data).to_bytes(2, "big") + data


def encode_varint(value: int) -> bytes:
    """A variable byte integer in the fewest bytes [MQTT-1.5.5-1].

    Raises:
        Unencodable: It is negative or needs more than four bytes.

    >>> encode_varint(321).hex()
    'c102'
    """
    if not 0 <= value <= HIGHEST_VARINT:
        raise Unencodable(f"{value} is no variable byte integer")
    encoded = bytearray()
    while value > _SEVEN_BITS:
        encoded.append(value & _SEVEN_BITS | _CONTINUES)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def encode_uint(value: int, size: int) -> bytes:
    """An unsigned integer in so many bytes, most significant first.

    Raises:
        Unencodable: It does not fit.
    """
    try:
        return value.to_bytes(size, "big")
    except OverflowError as error:
        raise Unencodable(f"{value} does not fit {size} bytes") from error


def read_varint(data: bytes, start: int) -> tuple[int, int] | None:
    """A variable byte integer and where it ends; None while its last byte has not come.

    An encoding longer than need be is read: 3.1.1 does not forbid it, `is_overlong` tells MQTT 5.

    Raises:
        MalformedPacket: It goes on after its fourth byte.
    """
    value = 0
    for place, byte in enumerate(data[start : start + _VARINT_BYTES]):
        value |= (byte & _SEVEN_BITS) << (7 * place)
        if byte < _CONTINUES:
            return value, start + place + 1
    if len(data) - start >= _VARINT_BYTES:
        raise MalformedPacket("a variable byte integer has more than four bytes")
    return None


def is_overlong(data: bytes, start: int, end: int) -> bool:
    """Whether a variable byte integer is written in more bytes than it needs [MQTT-1.5.5-1]."""
    return end - start > 1 and data[end - 1] == 0


class Reader:
    """Takes one value after the other from a packet's body; running out of bytes is malformed."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = start
        self.end = len(data) if end is None else end

    def remaining(self) -> int:
        """How many bytes have not been read."""
        return self.end - self.position

    def take(self, size: int) -> bytes:
        """The next so many bytes."""
        start = self.position
        if size > self.end - start:
            raise MalformedPacket("the packet ends in the middle of a field")
        self.position = start + size
        return self.data[start : start + size]

    def uint8(self) -> int:
        """A byte."""
        return self.take(1)[0]

    def uint16(self) -> int:
        """A two byte integer."""
        return int.from_bytes(self.take(2), "big")

    def uint32(self) -> int:
        """A four byte integer."""
        return int.from_bytes(self.take(4), "big")

    def varint(self) -> int:
        """A variable byte integer in its shortest form."""
        found = read_varint(self.data, self.position)
        if found is None or found[1] > self.end:
            raise MalformedPacket("the packet ends in the middle of a field")
        value, end = found
        if is_overlong(self.data, self.position, end):
            raise MalformedPacket("a variable byte integer is longer than need be")
        self.position = end
        return value

    def binary(self) -> bytes:
        """Binary data with its length in front."""
        return self.take(self.uint16())

    def text(self) -> str:
        """A UTF-8 string with its length in front."""
        return decode_text(self.binary())

    def rest(self) -> bytes:
        """Everything that has not been read."""
        return self.take(self.remaining())

    def finish(self) -> None:
        """Make sure that nothing is left over."""
        if self.position != self.end:
            raise MalformedPacket("bytes are left over at the end of the packet")
