"""A reading's identity within its device and instant (promise P2).

How an id follows from content, to the bit:

- *Content* is the channels in canonical JSON (`canonical`): members sorted by name, no blanks, UTF-8, numbers as
  msgspec writes them, so that 12 and 12.0 stay apart.
- A reading without a message id whose time is its own has `of_content(channels)`: the first 8 bytes of BLAKE2b
  (`digest_size=8`) of the content, read as a signed big-endian integer. It can be computed again from the stored
  channels alone, and nothing else may ever go into it.
- One whose instant may come out different the next time (a counter; a local time that may mean two instants, where its
  neighbours did not settle which) has the hash of content, NUL, the counter in decimal or `None`, NUL, the timestamp as
  sent.
- One with a message id has `of_key(key, content)`, `content` being what it would have without: the upper 24 bits are
  those of the hash of the message id (`key_hash`), the lower 40 are of the hash of both. So the same message id with
  other content is another reading, and those that share one stand together in the primary key, where they are found
  without a second index. Only the sender knows the message id, so such an identity is kept, not computed again.
- `releve:id:` and a number, from an export, is that number.

Rows from before this rule have `key_hash` itself for a reading with a message id, and keep it.
"""

from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct
from typing import Any

import msgspec

EXACT = "releve:id:"  # in front of an identity that is known already, as in an export that is read in again
KEY_SPAN = 2**40  # identities that one message id can have
_LEAST, _GREATEST = -(2**63), 2**63 - 1
_signed = Struct(">q").unpack
_both = Struct(">qq").pack
_encode = msgspec.json.Encoder(order="sorted").encode
_EMPTY = blake2b(digest_size=8)


def canonical(channels: dict[str, Any]) -> bytes:
    """The one spelling of a reading's channels: sorted, compact JSON in UTF-8.

    >>> canonical({"speed": 12.5, "battery": 80})
    b'{"battery":80,"speed":12.5}'
    """
    return _encode(channels)


def of_content(channels: bytes, *, count: float | None = None, sent: str | None = None) -> int:
    """The identity of a reading that names none: a signed 64-bit hash of its canonical content.

    Args:
        channels: The canonical channels.
        count: For a reading timed by a counter, the counter: its instant may come out different the next time.
        sent: For an ambiguous local time, the timestamp as sent, for the same reason.
    """
    if count is None and sent is None:
        return _hash(channels)
    whole = None if count is None else int(count)
    return _hash(b"%b\0%b\0%b" % (channels, str(whole).encode(), (sent or "").encode()))


def exact(key: str) -> int | None:
    """The identity that a message id of an export is, None of any other.

    >>> exact("releve:id:-42"), exact("lap-42")
    (-42, None)
    """
    number = key.removeprefix(EXACT)
    if number != key and number.removeprefix("-").isdecimal() and number.isascii():
        return int(number) if _LEAST <= int(number) <= _GREATEST else None
    return None


def key_hash(key: str) -> int:
    """A signed 64-bit hash of the sender's own message id."""
    return _hash(b"key\0" + key.encode())


def of_key(key: int, content: int) -> int:
    """The identity of a reading whose message id has this hash and whose content has that identity."""
    return first_of_key(key) + _hash(_both(key, content)) % KEY_SPAN


def first_of_key(key: int) -> int:
    """The least of the `KEY_SPAN` identities that readings with this message id have, `key` itself among them."""
    return key - key % KEY_SPAN


def digests(channels: Iterable[bytes]) -> bytes:
    """What `of_content` makes of each of many canonical channels: eight bytes each, the most significant first."""
    copy, found = _EMPTY.copy, []
    for content in channels:
        state = copy()  # a third less than to begin anew
        state.update(content)
        found.append(state.digest())
    return b"".join(found)


def _hash(content: bytes) -> int:
    number: int = _signed(blake2b(content, digest_size=8).digest())[0]
    return number
