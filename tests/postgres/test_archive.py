"""Readings that a rule deletes after they were written to Parquet come back to the byte, and nothing goes before."""

from functools import partial

import psycopg
import pyarrow as pa
import pytest
from hypothesis import given, settings
from tests.postgres.test_retention import NOW_US, add, hourly, kept, stored
from tests.unit.history_readings import rows as any_rows

from releve.history import spelling, table
from releve.history.block import Row
from releve.history.pivot import block_of
from releve.protocol.identity import canonical, key_hash, of_content
from releve.protocol.keeping import DAY_US, Days, Keeping
from releve.storage import archive, restoring, retention
from releve.storage.archive import NotTheSame
from releve.storage.queries import query
from releve.storage.reader import ConnectionReader, now
from releve.storage.scan import Span

OLD_US = NOW_US - 60 * DAY_US
ARCHIVED = Keeping(Days(10), {}, is_archived=True)


@pytest.fixture
def connection(migrated_url):
    with psycopg.connect(migrated_url, autocommit=True) as opened:
        yield opened


def restored(connection, folder, device_id, *, kept_until_us=NOW_US + DAY_US):
    found = 0
    for each in archive.files(folder, device_id):
        with connection.transaction():
            span = Span(each.first_us, each.last_us + 1)
            reader = ConnectionReader(connection)
            groups = archive.groups(each.path)
            found += now(restoring.restore(reader, device_id, groups, span, kept_until_us=kept_until_us))
    return found


@given(rows=any_rows())
@settings(deadline=None, max_examples=60)
def test_whatever_a_reading_can_hold_comes_back_from_a_file_to_the_byte(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    block = block_of(rows)

    archive.write(folder, 7, [block])

    (file,) = archive.files(folder)
    assert [list(group) for group in archive.groups(file.path)] == [spelling.rows(block)]
    assert (file.device_id, file.first_us, file.last_us) == (7, rows[0].time_us, rows[-1].time_us)
    assert archive.count(file.path) == len(rows)


def test_what_was_archived_comes_back_with_ids_receipts_and_timestamps_as_sent(connection, tmp_path):
    text = canonical({"a": 1, "state": "on"})
    own = Row(OLD_US + 5, key_hash("mine"), NOW_US - 7, text, "2026-04-02T14:00:00")
    twin = Row(OLD_US + 5, of_content(text), NOW_US - 8, text, None)
    rows = sorted([*hourly(30, until_us=OLD_US), own, twin])
    add(connection, 11, rows)

    kept(connection, 11, ARCHIVED, archive=partial(archive.write, tmp_path))
    gone = stored(connection, 11)
    n = restored(connection, tmp_path, 11)

    assert gone == []
    assert n == len(rows)
    assert stored(connection, 11) == rows
    assert now(retention.expired(ConnectionReader(connection), 11, Span(rows[0].time_us, OLD_US + 6))) == []
    assert restored(connection, tmp_path, 11) == 0  # once more adds nothing
    sums = (
        "SELECT sum((SELECT sum(each) FROM unnest(n) AS own (each))) FROM ladder WHERE device_id = 11 AND channel = 'a'"
    )
    ladders = connection.execute(sums)
    assert ladders.fetchone() == (len(rows),)


def test_what_came_back_is_left_alone_for_a_while_and_deleted_again_after_that(connection, tmp_path):
    rows = hourly(30, until_us=OLD_US)
    add(connection, 12, rows)
    write = partial(archive.write, tmp_path)
    kept(connection, 12, ARCHIVED, archive=write)
    far_us = 4_000_000_000_000_000
    restored(connection, tmp_path, 12, kept_until_us=far_us)

    kept(connection, 12, ARCHIVED, archive=write)
    still = stored(connection, 12)
    connection.execute("UPDATE restored_span SET kept_until = now() WHERE device_id = 12")
    kept(connection, 12, ARCHIVED, archive=write)

    assert still == rows
    assert stored(connection, 12) == []
    assert len(archive.files(tmp_path)) == 1  # the same readings are in it already


def test_a_file_that_does_not_give_the_readings_back_keeps_them_in_the_database(connection, tmp_path, monkeypatch):
    rows = hourly(30, until_us=OLD_US)
    add(connection, 13, rows)
    whole = table.table_of
    monkeypatch.setattr(table, "table_of", lambda block, *details: _without_last_value(whole(block, *details)))

    with pytest.raises(NotTheSame):
        kept(connection, 13, ARCHIVED, archive=partial(archive.write, tmp_path))

    assert stored(connection, 13) == rows
    assert list(tmp_path.glob("13/*")) == []


def test_a_disk_that_is_full_keeps_the_readings_in_the_database(connection, tmp_path):
    rows = hourly(30, until_us=OLD_US)
    add(connection, 14, rows)

    def full(*_):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        kept(connection, 14, ARCHIVED, archive=full)

    assert stored(connection, 14) == rows


def test_without_anybody_to_write_an_archive_nothing_is_deleted(connection):
    rows = hourly(30, until_us=OLD_US)
    add(connection, 15, rows)

    kept(connection, 15, ARCHIVED)

    assert stored(connection, 15) == rows


def test_a_segment_that_is_damaged_stays_and_those_beside_it_are_archived(connection, tmp_path):
    early, late = hourly(3, until_us=OLD_US - 5 * DAY_US), hourly(3, until_us=OLD_US)
    (bad,) = add(connection, 16, early)
    add(connection, 16, late)
    damage = "UPDATE segment_column SET content = '\\x01' WHERE device_id = 16 AND segment_id = %s AND name = 'a'"
    connection.execute(damage, [bad])

    kept(connection, 16, ARCHIVED, archive=partial(archive.write, tmp_path))

    connection.execute(query("drop_replaced"), {"older_s": 0})
    left = "SELECT id FROM segment WHERE device_id = 16 AND replaced IS NULL"
    assert connection.execute(left).fetchall() == [(bad,)]
    assert [each.first_us for each in archive.files(tmp_path)] == [late[0].time_us]


def _without_last_value(found):
    values = found.column("a").to_pylist()
    return found.set_column(found.schema.get_field_index("a"), found.schema.field("a"), pa.array([*values[:-1], 0.5]))
