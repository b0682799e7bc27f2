"""What the SQL of the data plane takes from the control plane's tables, as PostgreSQL understands it.

The data plane imports no model, so nothing else tells it that one was renamed. The list beside the statements says
which columns each of them touches: whoever changes a model finds there who reads it.
"""

import re
from importlib import resources

import psycopg
import pytest
from django.apps import apps

from releve.storage import queries
from releve.storage.queries import query

FOLDER = resources.files(queries)
NAMES = sorted(file.name.removesuffix(".sql") for file in FOLDER.iterdir() if file.name.endswith(".sql"))
LIST = FOLDER.joinpath("control_columns.txt").read_text(encoding="utf-8")
MODELS = {
    model._meta.db_table: {field.column for field in model._meta.local_concrete_fields}
    for model in apps.get_models(include_auto_created=True)
}
PARAMETER = re.compile(r"%(?:\((\w+)\))?([%s])")
NO_PLAN = re.compile(r"\A(--[^\n]*\n|\s)*(COPY|CREATE TEMP)\b")  # of the data plane's own tables

Touched = dict[str, set[str]]


@pytest.fixture
def migrated(migrated_url):
    with psycopg.connect(migrated_url) as connection:
        connection.execute(query("create_staging"))
        yield connection


def _whole(name: str) -> str:
    """A statement as it is executed: each parameter a number as psycopg gives it."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        parameter = found[1] or str(len(names))
        if parameter not in names:
            names.append(parameter)
        return f"${names.index(parameter) + 1}"

    return PARAMETER.sub(number, query(name))


def _touched_by_statement(connection: psycopg.Connection, name: str) -> Touched:
    """What a function that consists of the statement would keep from being dropped."""
    statement = _whole(name)
    with connection.transaction(force_rollback=True):
        connection.execute(f"PREPARE looked_at AS {statement}")
        types = connection.execute("SELECT parameter_types::text[] FROM pg_prepared_statements").fetchone()[0]
        connection.execute(
            f"CREATE FUNCTION looked_at({', '.join(types)}) RETURNS void LANGUAGE sql BEGIN ATOMIC {statement}; END"
        )
        connection.execute("DEALLOCATE looked_at")
        found = connection.execute(
            "SELECT relname, array_remove(array_agg(attname::text), NULL) FROM pg_depend"
            " JOIN pg_class ON refclassid = 'pg_class'::regclass AND refobjid = pg_class.oid"
            " LEFT JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid AND attnum > 0"
            " WHERE classid = 'pg_proc'::regclass AND objid = 'looked_at'::regproc GROUP BY relname"
        ).fetchall()
    return {table: set(columns) for table, columns in found}


def _touched_by_function(connection: psycopg.Connection, name: str, text: str) -> Touched:
    """What PostgreSQL does not look at before it runs: the words that are columns of the tables that it may mean."""
    words = set(re.findall(r"\w+", re.sub(r"--[^\n]*", "", text)))
    triggered = connection.execute(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = %s::regproc", [name]
    ).fetchall()
    tables = words | {table for (table,) in triggered}
    columns = connection.execute(
        "SELECT attrelid::regclass::text, array_agg(attname::text) FROM pg_attribute"
        " WHERE attrelid::regclass::text = ANY(%s) AND attname = ANY(%s) AND attnum > 0 AND NOT attisdropped"
        " GROUP BY 1",
        [sorted(tables), sorted(words)],
    ).fetchall()
    return {table: set() for table in tables} | {table: set(found) for table, found in columns}


def _look(connection: psycopg.Connection) -> dict[str, Touched | str]:
    """By statement or function: the tables of models and their columns, or what PostgreSQL says against it."""
    seen: dict[str, Touched | str] = {}
    for name in NAMES:
        if NO_PLAN.match(query(name)):
            continue
        try:
            seen[name] = _touched_by_statement(connection, name)
        except psycopg.Error as error:
            seen[name] = str(error.diag.message_primary)
    functions = connection.execute(
        "SELECT proname, prosrc FROM pg_proc JOIN pg_language ON prolang = pg_language.oid"
        " WHERE pronamespace = 'public'::regnamespace AND lanname = 'plpgsql'"
    ).fetchall()
    for name, text in functions:
        seen[f"{name}()"] = _touched_by_function(connection, name, text)
    return seen


def _listed(seen: dict[str, Touched | str]) -> str:
    lines = []
    for name, found in sorted(seen.items()):
        if isinstance(found, str):
            lines.append(f"{name}: {found}")
            continue
        tables = [f"{table}({', '.join(sorted(found[table]))})" for table in sorted(found) if table in MODELS]
        if tables:
            lines.append(f"{name}: {' '.join(tables)}")
    return "\n".join(lines) + "\n"


def _without_head(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def test_the_list_says_which_columns_of_models_each_statement_and_function_touches(migrated, tmp_path):
    seen = _look(migrated)
    found = _listed(seen)

    assert {name: why for name, why in seen.items() if isinstance(why, str)} == {}
    up_to_date = tmp_path / "control_columns.txt"
    head = "".join(line for line in LIST.splitlines(keepends=True) if line.startswith("#"))
    up_to_date.write_text(head + found, encoding="utf-8")
    assert found.splitlines() == _without_head(LIST).splitlines(), f"if that is meant: take {up_to_date}"


def test_every_column_of_the_list_is_one_that_a_model_has():
    listed = re.findall(r"(\w+)\(([\w, ]*)\)", re.sub(r"(?m)^[\w()]+: ", "", _without_head(LIST)))

    assert len(listed) > 50
    missing = {
        f"{table}.{column}"
        for table, columns in listed
        for column in filter(None, columns.split(", "))
        if column not in MODELS.get(table, ())
    }
    assert missing == set()


@pytest.mark.parametrize(
    ("table", "column", "readers"),
    [
        ("fleet_device", "timezone", ["find_device", "find_device_sender", "find_race", "mqtt_find_device"]),
        ("accounts_attempt", "blocked_until", ["devices_by_secret", "sign_devices_in", "mqtt_find_device"]),
        ("runs_run", "ended_at", ["find_run", "releve_run_owned()"]),
        ("accounts_signin", "revoked_reason", ["journal_end_people", "releve_device_changed()"]),
        ("fleet_device", "name", ["sign_devices_in", "releve_one_sign_in_name()"]),
    ],
)
def test_a_column_that_is_renamed_is_missed_by_name_in_each_statement_that_reads_it(migrated, table, column, readers):
    migrated.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO another_name")

    changed = set(_listed(_look(migrated)).splitlines()) ^ set(_without_head(LIST).splitlines())

    assert set(readers) <= {line.partition(": ")[0] for line in changed}


def test_a_table_that_is_renamed_is_missed_by_the_statements_and_functions_that_read_it(migrated):
    migrated.execute("ALTER TABLE teams_membership RENAME TO teams_member")

    seen = _look(migrated)

    assert seen["find_person_sender"] == 'relation "teams_membership" does not exist'
    assert "teams_membership" not in seen["releve_journal_membership()"]
