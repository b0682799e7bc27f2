"""Lets a migration execute a pair of SQL files of `storage/schema`, one up and one down."""

from importlib import resources

from django.db.migrations import RunSQL

SCHEMA = resources.files("releve.storage").joinpath("schema")


def run_sql(name: str) -> RunSQL:
    """The operation that executes `<name>.sql`, and `<name>.down.sql` on the way back."""
    return RunSQL(
        sql=SCHEMA.joinpath(f"{name}.sql").read_text(encoding="utf-8"),
        reverse_sql=SCHEMA.joinpath(f"{name}.down.sql").read_text(encoding="utf-8"),
    )
