"""Readings as PostgreSQL's binary COPY format, encoded in one pass.

The format is documented under "Binary Format" of COPY: a header, then per row a field count and per field a length and
its bytes, then a trailer. Timestamps are microseconds since 2000; the channels are text.
"""

from collections.abc import Iterable
from struct import Struct

from releve.protocol.reading import Reading

POSTGRES_EPOCH_US = 946_684_800_000_000
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_row = Struct(">hiiiqiqiqi").pack
_length = _int = Struct(">i").pack
_big = Struct(">q").pack


TYPES = (23, 1184, 20, 1184, 25, 25)  # int4, timestamptz, int8, timestamptz, text, text


def values(reading: Reading) -> list[bytes | None]:
    """The same of one reading, as parameters of the types `TYPES`."""
    return [
        _int(reading.device_id),
        _big(reading.instant.time_us - POSTGRES_EPOCH_US),
        _big(reading.id),
        _big(reading.received_us - POSTGRES_EPOCH_US),
        reading.channels,
        None if reading.sent is None else reading.sent.encode(),
    ]


def encode(readings: Iterable[Reading]) -> bytes:
    """The whole COPY stream for (device_id, time, id, received, channels, sent)."""
    parts = [_HEADER]
    add = parts.append
    for reading in readings:
        channels = reading.channels
        add(
            _row(
                6, 4, reading.device_id,
                8, reading.instant.time_us - POSTGRES_EPOCH_US,
                8, reading.id,
                8, reading.received_us - POSTGRES_EPOCH_US,
                len(channels),
            )
        )  # fmt: skip
        add(channels)
        if reading.sent is None:
            add(_NULL)
        else:
            sent = reading.sent.encode()
            add(_length(len(sent)))
            add(sent)
    add(_TRAILER)
    return b"".join(parts)
