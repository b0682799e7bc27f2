"""Readings put where they may lie: rows of the table of earlier releases, fresh rows, segments, or some of each."""

import json
import random

import psycopg
from psycopg.types.json import Jsonb

from releve.history.block import Row
from releve.history.pivot import block_of
from releve.protocol.identity import canonical, of_content
from releve.storage import segments
from releve.storage.reader import ConnectionReader, now

HOMES = ("old", "fresh", "sealed", "mixed")
INSTANT = "to_timestamp(0) + %s * interval '1 microsecond'"
OLD = (
    "INSERT INTO reading (device_id, time, id, received, channels, sent)"
    f" SELECT %s, {INSTANT}, %s, {INSTANT}, %s, %s"
)  # fmt: skip
FRESH = (
    "INSERT INTO fresh_reading (device_id, time, id, received, channels, sent)"
    f" SELECT %s, {INSTANT}, %s, {INSTANT}, %s, %s"
)
MONTH_US = 2_000_000_000_000  # less than the shortest


def row(time_us, values, *, received_us=None, sent=None):
    """A reading with the identity that follows from its content."""
    text = canonical(values)
    return Row(time_us, of_content(text), time_us if received_us is None else received_us, text, sent)


def in_order(rows):
    """Without those that are there twice."""
    return [each for _, each in sorted({(each.time_us, each.id): each for each in rows}.items())]


def spread(connection, device_id, rows, where, *, seed=1):
    """Store readings in a home.

    Args:
        connection: One of psycopg's; committing is the caller's.
        device_id: Whose they are.
        rows: Readings.
        where: One of `HOMES`; `sealed` are segments that overlap, `mixed` is some of everything.
        seed: Of the chance.
    """
    chance = random.Random(seed)  # noqa: S311 - which lies where is no secret
    places = {"old": [0], "fresh": [1], "sealed": [2, 3, 4], "mixed": [0, 1, 2, 3, 4]}[where]
    homes = [[], [], [], [], []]
    for each in in_order(rows):
        homes[chance.choice(places)].append(each)
    old, fresh, *sealed = homes
    with psycopg.Cursor(connection) as cursor:
        for month_us in {each.time_us // MONTH_US * MONTH_US for each in old}:
            for instant_us in (month_us, month_us + MONTH_US):
                cursor.execute("SELECT releve_ensure_partition(to_timestamp(%s))", [instant_us / 1e6])
        cursor.executemany(
            OLD, [(device_id, *_values(each), Jsonb(json.loads(each.channels)), each.sent) for each in old]
        )
        cursor.executemany(FRESH, [(device_id, *_values(each), each.channels.decode(), each.sent) for each in fresh])
    reader = ConnectionReader(connection)
    for part in filter(None, sealed):
        now(segments.lock(reader, [device_id]))
        now(segments.add(reader, device_id, block_of(part)))


def _values(each):
    return each.time_us, each.id, each.received_us
