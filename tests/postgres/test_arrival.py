"""What arrived since is told wherever it lies by now: among the fresh rows, in the old table, in a segment."""

import psycopg
import pytest

from releve.history.block import Row
from releve.history.pivot import block_of
from releve.protocol.identity import canonical
from releve.storage import segments
from releve.storage.arrival import Arrived, arrived, has_arrived
from releve.storage.reader import ConnectionReader, now
from releve.storage.scan import EVER

START_US = 1_780_315_200_000_000  # 2026-06-01T12:00:00Z
SECOND_US = 1_000_000
DAYS_US = 400 * 86_400 * SECOND_US
MARK_US = START_US + 100 * SECOND_US
VALUES = [13, 13.0, 7.5, 1e22, -0.0, "13", "x", True, None]


@pytest.fixture
def connection(migrated_url):
    with psycopg.connect(migrated_url) as connection:
        connection.execute("SELECT releve_ensure_partition(to_timestamp(%s))", [START_US / 1e6])
        yield connection
        connection.rollback()


@pytest.fixture
def reader(connection):
    return ConnectionReader(connection)


def rows(received_us, values=VALUES, *, at_s=0):
    return [
        Row(
            START_US + (at_s + place) * SECOND_US,
            place,
            received_us,
            canonical({"v": place} if value is None else {"part": value}),
        )
        for place, value in enumerate(values)
    ]


def store(connection, reader, where, given):
    if where == "segment":
        now(segments.add(reader, 7, block_of(given)))
        return
    connection.cursor().executemany(
        f"INSERT INTO {where} (device_id, time, id, received, channels)"  # noqa: S608 - one of two names above
        " VALUES (7, to_timestamp(0) + %s * interval '1 us', %s, to_timestamp(0) + %s * interval '1 us', %s)",
        [(row.time_us, row.id, row.received_us, row.channels.decode()) for row in given],
    )


def told(reader, since_us=MARK_US, *, width_us=DAYS_US, span=EVER, channel="part"):
    return now(arrived(reader, 7, channel, since_us=since_us, span=span, width_us=width_us))


HOMES = ("fresh_reading", "reading", "segment")


@pytest.mark.parametrize("where", HOMES)
def test_the_parts_that_arrived_are_told_in_their_shortest_form(connection, reader, where):
    store(connection, reader, where, rows(MARK_US))

    found = {one.value: (one.first_us - START_US, one.last_us - START_US) for one in told(reader)}

    assert found == {
        "13": (0, 5 * SECOND_US),
        "7.5": (2 * SECOND_US, 2 * SECOND_US),
        "10000000000000000000000": (3 * SECOND_US, 3 * SECOND_US),
        "0": (4 * SECOND_US, 4 * SECOND_US),
        "x": (6 * SECOND_US, 6 * SECOND_US),
        "true": (7 * SECOND_US, 7 * SECOND_US),
        None: (8 * SECOND_US, 8 * SECOND_US),
    }


@pytest.mark.parametrize("where", HOMES)
def test_what_was_received_before_is_not_told_again_though_it_was_sealed_since(connection, reader, where):
    store(connection, reader, where, rows(MARK_US - 1, [1]) + rows(MARK_US, [2], at_s=50))

    assert [one.value for one in told(reader)] == ["2"]
    assert told(reader, MARK_US + 1) == []


def test_a_segment_that_was_added_before_the_mark_is_not_looked_into(connection, reader):
    store(connection, reader, "segment", rows(MARK_US))
    connection.execute("UPDATE segment SET sealed = to_timestamp(%s)", [MARK_US / 1e6 - 1])

    assert told(reader) == []
    assert not now(has_arrived(reader, 7, since_us=MARK_US))


def test_a_segment_that_was_replaced_is_told_once(connection, reader):
    store(connection, reader, "segment", rows(MARK_US, [1]))
    (first,) = now(segments.of_span(reader, 7, *EVER))
    now(segments.replace(reader, 7, [first.id]))
    store(connection, reader, "segment", rows(MARK_US, [1]))

    assert told(reader) == [Arrived("1", START_US, START_US)]


@pytest.mark.parametrize("where", HOMES)
def test_readings_far_apart_are_told_apart(connection, reader, where):
    store(connection, reader, where, rows(MARK_US, [1] * 40))

    found = told(reader, width_us=20 * SECOND_US)

    assert [(one.first_us - START_US, one.last_us - START_US) for one in found] == [
        (0, 19 * SECOND_US),
        (20 * SECOND_US, 39 * SECOND_US),
    ]


@pytest.mark.parametrize("where", HOMES)
def test_whether_anything_arrived_is_told(connection, reader, where):
    assert not now(has_arrived(reader, 7, since_us=MARK_US))

    store(connection, reader, where, rows(MARK_US))

    assert now(has_arrived(reader, 7, since_us=MARK_US))
