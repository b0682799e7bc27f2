"""The COPY stream, read back by an independent reader of the documented format."""

import struct
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from releve.protocol.clock import Instant, Rule
from releve.protocol.reading import Reading
from releve.storage.copy_format import TYPES, encode, values

POSTGRES_EPOCH_US = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


def rows(stream: bytes):
    assert stream[:11] == b"PGCOPY\n\xff\r\n\0"
    position = 11 + 8
    while (count := struct.unpack_from(">h", stream, position)[0]) != -1:
        position += 2
        fields = []
        for _ in range(count):
            (length,) = struct.unpack_from(">i", stream, position)
            position += 4
            fields.append(None if length == -1 else stream[position : position + length])
            position += max(length, 0)
        yield fields
    assert position + 2 == len(stream)


readings = st.builds(
    Reading,
    device_id=st.integers(1, 2**31 - 1),
    instant=st.builds(Instant, st.integers(0, 2**52), st.just(Rule.ZONED)),
    id=st.integers(-(2**63), 2**63 - 1),
    received_us=st.integers(0, 2**52),
    channels=st.binary(min_size=2, max_size=40),
    sent=st.none() | st.text(max_size=20),
)


@given(st.lists(readings, max_size=5))
def test_every_field_stands_where_postgresql_reads_it(batch):
    found = list(rows(encode(batch)))

    assert len(found) == len(batch)
    for (device, time, own_id, received, channels, sent), reading in zip(found, batch, strict=True):
        assert struct.unpack(">i", device) == (reading.device_id,)
        assert struct.unpack(">q", time) == (reading.instant.time_us - POSTGRES_EPOCH_US,)
        assert struct.unpack(">q", own_id) == (reading.id,)
        assert struct.unpack(">q", received) == (reading.received_us - POSTGRES_EPOCH_US,)
        assert channels == reading.channels
        assert sent == (None if reading.sent is None else reading.sent.encode())


@given(readings)
def test_as_parameters_of_a_statement_a_reading_has_the_same_fields(reading):
    assert [list(values(reading))] == list(rows(encode([reading])))
    assert len(values(reading)) == len(TYPES)
