"""Brings the database to this version: a cheap look at what is missing, and Django in its own process when needed."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg

from releve.storage import administrator_code

CONTROL_SETTINGS = "releve.control.configuration"
_LOCK = "SELECT pg_advisory_lock(hashtextextended('releve migrations', 0))"


class DidNotMigrate(Exception):
    """The database could not be brought to this version; the message is Django's."""


def missing(url: str, applications: list[str]) -> set[tuple[str, str]]:
    """The migrations that the database has not seen, as (application, name); found without loading Django's.

    Raises:
        psycopg.Error: The database does not answer.
    """
    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute("SELECT to_regclass('django_migrations')").fetchone()
        if row is None or row[0] is None:
            return set(known(applications))
        applied = connection.execute("SELECT app, name FROM django_migrations").fetchall()
    return set(known(applications)) - {(str(app), str(name)) for app, name in applied}


def known(applications: list[str]) -> Iterator[tuple[str, str]]:
    """Every migration of the installed applications, by the names of their files."""
    for application in applications:
        package, *inner = application.split(".")
        spec = importlib.util.find_spec(package)  # of the top alone: finding a submodule would import its parents
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for path in Path(folder, *inner, "migrations").glob("[!_]*.py"):
                yield application.rpartition(".")[2], path.stem


def applications() -> list[str]:
    """The applications whose migrations count."""
    from releve.control.configuration import INSTALLED_APPS  # noqa: PLC0415 - Django's settings read ours at import

    return list(INSTALLED_APPS)


def administrators_code(url: str) -> str | None:
    """The one-time code of the first account, while nobody can sign in yet."""
    with psycopg.connect(url, connect_timeout=10) as connection, connection.cursor() as cursor:
        return administrator_code.draw(cursor)


def migrate_apart(environment: dict[str, str]) -> None:
    """Migrate in a child, so that this process never loads Django.

    Raises:
        DidNotMigrate: The child failed.
    """
    done = subprocess.run(
        [sys.executable, "-P", "-m", __name__], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DidNotMigrate(f"the database could not be brought to this version:\n{done.stderr.strip()}")


def migrate(url: str) -> None:
    """Apply what is missing, one process at a time; Django is set up already."""
    from django.core.management import call_command  # noqa: PLC0415 - only for whoever has set Django up

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_LOCK)  # released with the connection, also when we are killed
        call_command("migrate", verbosity=0, interactive=False)


def main() -> None:
    """Migrate the database of the environment."""
    os.environ["DJANGO_SETTINGS_MODULE"] = CONTROL_SETTINGS
    import django  # noqa: PLC0415 - it reads the settings of the environment

    django.setup()
    from releve.serve.process import logs  # noqa: PLC0415 - not for the supervisor

    logs.configure(level="warning", log_format="text")
    migrate(os.environ["DATABASE_URL"])


if __name__ == "__main__":
    main()
