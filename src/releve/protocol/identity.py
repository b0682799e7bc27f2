"""A reading's identity within its device and instant: the sender's own message id, else its content (promise P2)."""

from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct
from typing import Any

import msgspec

EXACT = "releve:id:"  # in front of an identity that is known already, as in an export that is read in again
_LEAST, _GREATEST = -(2**63), 2**63 - 1
_signed = Struct(">q").unpack
_encode = msgspec.json.Encoder(order="sorted").encode


def canonical(channels: dict[str, Any]) -> bytes:
    """The one spelling of a reading's channels: sorted, compact JSON in UTF-8.

    >>> canonical({"speed": 12.5, "battery": 80})
    b'{"battery":80,"speed":12.5}'
    """
    return _encode(channels)


def of_content(channels: bytes, *, uptime_ms: int | None = None, sent: str | None = None) -> int:
    """The identity of a reading that names none: a signed 64-bit hash of its canonical content.

    Args:
        channels: The canonical channels.
        uptime_ms: For a reading timed by uptime, the uptime: its instant may come out different the next time.
        sent: For an ambiguous local time, the timestamp as sent, for the same reason.
    """
    if uptime_ms is None and sent is None:
        return _hash(channels)
    return _hash(b"%b\0%b\0%b" % (channels, str(uptime_ms).encode(), (sent or "").encode()))


def of_key(key: str) -> int:
    """The identity that the sender's own message id gives: a signed 64-bit hash of it.

    A reading that was exported keeps its identity when it is imported: `releve:id:` and the number.

    >>> of_key("releve:id:-42")
    -42
    """
    exact = key.removeprefix(EXACT)
    if exact != key and exact.removeprefix("-").isdecimal() and exact.isascii() and _LEAST <= int(exact) <= _GREATEST:
        return int(exact)
    return _hash(b"key\0" + key.encode())


def digests(channels: Iterable[bytes]) -> bytes:
    """What `of_content` makes of each of many canonical channels: eight bytes each, the most significant first."""
    return b"".join([blake2b(content, digest_size=8).digest() for content in channels])


def _hash(content: bytes) -> int:
    number: int = _signed(blake2b(content, digest_size=8).digest())[0]
    return number
