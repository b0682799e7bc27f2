"""Remembers which delivery each packet identifier stands for, so that a redelivery is the same reading.

A reading without a time of its own takes that of its arrival, so a redelivery must find the first arrival again, also
after this process was killed. The file is only as durable as the process needs: a power cut may forget it.
"""

import fcntl
import mmap
import struct
from hashlib import blake2b
from pathlib import Path
from typing import Self

import msgspec

SLOTS = 65_536
_SLOT = struct.Struct("<16sqB7x")
_DONE = 1


class JournalInUse(Exception):
    """Another process bridges under this name."""


class Slot(msgspec.Struct, frozen=True):
    """The last delivery under one packet identifier.

    Attributes:
        digest: Of topic and payload.
        received_us: When it first came.
        is_done: Whether it is durable, so that it only remains to acknowledge it.
    """

    digest: bytes
    received_us: int
    is_done: bool


class Journal:
    """One file of fixed slots, one per packet identifier.

    Raises:
        JournalInUse: Another process has it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._file = path.open("r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise JournalInUse(path) from error
        self._file.truncate(SLOTS * _SLOT.size)
        self._map = mmap.mmap(self._file.fileno(), SLOTS * _SLOT.size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._map.close()
        self._file.close()

    def find(self, mid: int, digest: bytes) -> Slot | None:
        """The delivery of that packet identifier and content, if it is the last one."""
        found, received_us, state = _SLOT.unpack_from(self._map, mid * _SLOT.size)
        return Slot(found, received_us, bool(state & _DONE)) if received_us and found == digest else None

    def received(self, mid: int, digest: bytes, received_us: int) -> None:
        """A delivery came."""
        _SLOT.pack_into(self._map, mid * _SLOT.size, digest, received_us, 0)

    def done(self, mid: int, digest: bytes, received_us: int) -> None:
        """It is durable; nothing happens when the identifier stands for another one by now."""
        slot = self.find(mid, digest)
        if slot is not None and slot.received_us == received_us:
            _SLOT.pack_into(self._map, mid * _SLOT.size, digest, received_us, _DONE)

    def clear(self) -> None:
        """The broker has forgotten the session: its packet identifiers mean nothing any more."""
        self._map[:] = bytes(len(self._map))


def digest_of(topic: str, payload: bytes) -> bytes:
    """What tells a redelivery from another message under the same packet identifier.

    >>> digest_of("a", b"bc") == digest_of("ab", b"c")
    False
    """
    return blake2b(topic.encode("utf-8", "replace") + b"\0" + payload, digest_size=16).digest()
