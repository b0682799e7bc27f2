"""The tables of readings can be spread over machines by device: the rules of Citus, on schema and statements."""

import psycopg
import pytest
from tests.control import test_data_plane_columns as columns

from releve.storage import distribution
from releve.storage.distribution import TABLES, NoCitus

# What touches models and readings in one statement, and how: each branch asks one side alone, or joins on device ids.
BOTH = {"devices_with_history"}


@pytest.fixture
def migrated(migrated_url):
    with psycopg.connect(migrated_url) as connection:
        connection.execute(columns.query("create_staging"))
        yield connection


@pytest.mark.parametrize("table", TABLES)
def test_the_device_leads_every_key_of_a_table_of_readings(migrated, table):
    keys = migrated.execute(
        "SELECT attname, atttypid::regtype::text, attnotnull FROM pg_index"
        " JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]"
        " WHERE indrelid = %s::regclass AND indisunique",
        [table],
    ).fetchall()

    assert keys
    assert set(keys) == {("device_id", "integer", True)}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_readings_has_nothing_that_no_worker_can_keep_by_itself(migrated, table):
    for what in (
        "FROM pg_trigger WHERE tgrelid = %s::regclass",
        "FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('f', 'x')",
        "FROM pg_constraint WHERE confrelid = %s::regclass",
        "FROM pg_depend JOIN pg_class ON pg_class.oid = objid WHERE refobjid = %s::regclass AND relkind = 'S'",
        "FROM pg_attrdef WHERE adrelid = %s::regclass AND pg_get_expr(adbin, adrelid) LIKE '%%nextval%%'",
        "FROM pg_class WHERE oid = %s::regclass AND relkind <> 'r'",
        "FROM pg_inherits WHERE %s::regclass IN (inhrelid, inhparent)",
    ):
        assert migrated.execute(f"SELECT count(*) {what}", [table]).fetchone() == (0,), what


def test_every_table_whose_rows_are_readings_or_made_of_them_is_named(migrated):
    by_device = migrated.execute(
        "SELECT attrelid::regclass::text FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid"
        " WHERE attname = 'segment_id' AND relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall()

    assert {table for (table,) in by_device} <= set(TABLES)


def test_no_statement_looks_from_a_table_of_people_into_readings(migrated):
    both = set()
    for name in columns.NAMES:
        if columns.NO_PLAN.match(columns.query(name)):
            continue
        touched = set(columns._touched_by_statement(migrated, name))
        if touched & set(TABLES) and touched & columns.MODELS.keys():
            both.add(name)

    assert both == BOTH


@pytest.mark.parametrize("name", sorted(BOTH))
def test_the_statements_that_name_both_join_neither_with_the_other(name):
    text = columns.query(name)

    assert "LATERAL" not in text
    assert "EXISTS" not in text
    assert "UNION" in text


def test_a_database_without_citus_is_told_what_to_do(migrated):
    with pytest.raises(NoCitus, match="CREATE EXTENSION citus"):
        distribution.distribute(migrated)


def test_the_tables_are_distributed_once_with_their_rows_and_a_device_is_on_one_worker(citus_url):
    with psycopg.connect(citus_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO fresh_reading SELECT device, now(), 1, now(), '{}' FROM generate_series(1, 500) AS of (device)"
            " ON CONFLICT DO NOTHING"
        )
        before = connection.execute("SELECT count(*) FROM fresh_reading").fetchone()

        first = distribution.distribute(connection, shards=16)
        again = distribution.distribute(connection, shards=32)

        assert [each.table for each in first] == list(TABLES)
        assert {each.shards for each in (*first, *again)} == {16}
        assert all(each.was_so for each in again)
        assert connection.execute("SELECT count(*) FROM fresh_reading").fetchone() == before
        places = "SELECT count(DISTINCT colocation_id) FROM citus_tables WHERE table_name::text = ANY(%s)"
        assert connection.execute(places, [list(TABLES)]).fetchone() == (1,)
