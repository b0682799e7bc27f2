"""What every column of a segment is wrapped in: the version of the format, what it holds, and a checksum.

    version   1 byte    1
    holds     1 byte    a letter: t time, r received, i identities, s sent, o odd spellings, c a channel
    content   …
    checksum  4 bytes   CRC-32 of all before it, little end first

Inside, a number without a size is a varint (seven bits a byte, the least first), one with a sign is folded (0, -1, 1,
-2 …), and a section is its length and its bytes.
"""

from enum import Enum
from struct import Struct
from zlib import crc32

VERSION = 1
_BITS, _MORE = 7, 0x80
_HEAD = 2
_checksum = Struct("<I")


class Damaged(Exception):
    """A column of a segment is not what was written."""


class Holds(bytes, Enum):
    """What a column holds."""

    TIME = b"t"
    RECEIVED = b"r"
    IDENTITIES = b"i"
    SENT = b"s"
    ODD = b"o"
    CHANNEL = b"c"


def wrapped(holds: Holds, content: bytes) -> bytes:
    """A column's bytes."""
    framed = bytes([VERSION]) + holds.value + content
    return framed + _checksum.pack(crc32(framed))


def unwrapped(holds: Holds, column: bytes | memoryview) -> "Reader":
    """What is inside a column.

    Raises:
        Damaged: The bytes are not those of such a column.
    """
    view = memoryview(column)
    if len(view) < _HEAD + _checksum.size or crc32(view[: -_checksum.size]) != _checksum.unpack(view[-4:])[0]:
        raise Damaged("the checksum does not fit")
    if view[0] != VERSION:
        raise Damaged(f"version {view[0]} of the format; this release reads {VERSION}")
    if bytes(view[1:_HEAD]) != holds.value:
        raise Damaged(f"holds {bytes(view[1:_HEAD])!r} instead of {holds.value!r}")
    return Reader(view[_HEAD : -_checksum.size])


def varint(number: int) -> bytes:
    """A number that is not negative.

    >>> varint(300).hex()
    'ac02'
    """
    found = bytearray()
    while number >= _MORE:
        found.append(number % _MORE | _MORE)
        number >>= _BITS
    found.append(number)
    return bytes(found)


def signed(number: int) -> bytes:
    """A number that may be negative."""
    return varint(2 * number if number >= 0 else -2 * number - 1)


def section(content: bytes) -> bytes:
    """Bytes and how many they are."""
    return varint(len(content)) + content


class Reader:
    """Reads what the functions above wrote."""

    __slots__ = ("_at", "_view")

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._at = 0

    def byte(self) -> int:
        """One byte."""
        self._at += 1
        return self._view[self._at - 1]

    def varint(self) -> int:
        """A number that is not negative."""
        number = shift = 0
        while (byte := self.byte()) >= _MORE:
            number |= (byte - _MORE) << shift
            shift += _BITS
        return number | byte << shift

    def signed(self) -> int:
        """A number that may be negative."""
        folded = self.varint()
        return -(folded + 1) // 2 if folded % 2 else folded // 2

    def take(self, length: int) -> bytes:
        """That many bytes."""
        self._at += length
        return bytes(self._view[self._at - length : self._at])

    def section(self) -> bytes:
        """Bytes behind their length."""
        return self.take(self.varint())
