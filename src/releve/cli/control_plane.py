"""Opens an installation's database for one command, whether its server runs or not, and sets Django up on it."""

import os
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import psycopg
from django.db.utils import OperationalError

from releve.cli.option import Refusal
from releve.serve import instance, migration
from releve.serve.external_database import signing_in_for_a_moment
from releve.serve.process import logs
from releve.settings import Settings
from releve.storage.database_token import BadAddress, NoToken
from releve.storage.embedded import EmbeddedPostgres, EmbeddedPostgresError, running_url
from releve.storage.embedded.location import make_data_directory
from releve.storage.keys import KeyProblem

STARTING_S = 60.0


@contextmanager
def opened(settings: Settings) -> Iterator[str]:
    """Django set up on an installation that is there; nothing is made, and its tables stay as they are.

    Yields the database's address.

    Raises:
        Refusal: There is no installation, its database cannot be reached, or it is of another version.
    """
    _refuse_nothing(settings)
    with _opened(settings, _refuse_other_version) as url:
        yield url


@contextmanager
def opened_with_keys(settings: Settings) -> Iterator[None]:
    """The same for a command that makes a secret or a token.

    Raises:
        Refusal: As `opened`, or the data directory is not this database's.
    """
    with opened(settings):
        _refuse_missing_keys(settings)
        yield


@contextmanager
def opened_or_made(settings: Settings) -> Iterator[None]:
    """The same for a command that may be an installation's first; tables are made, or brought to this version.

    Raises:
        Refusal: The database cannot be reached, the running server is of another version, or the data directory is
            not this database's.
    """
    with _opened(settings, _migrate_if_needed):
        yield


@contextmanager
def _opened(settings: Settings, settle: Callable[[str, Settings], None]) -> Iterator[str]:
    logs.configure(level="warning", log_format="text")
    try:
        instance.refuse_strangers(settings.data_dir)
        with database(settings) as url:
            _set_up_django(url, settings)
            settle(url, settings)
            yield url
    except (psycopg.OperationalError, OperationalError, KeyProblem, instance.NotOurs) as error:
        raise Refusal(str(error).strip()) from error
    except PermissionError as error:
        raise Refusal(f"{error.filename} is another user's; run this as the user who runs the server") from error


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Address of the installation's database; PostgreSQL is started for the moment when nobody serves it.

    Raises:
        Refusal: It cannot be reached; the message says what to do.
    """
    if settings.database_url or settings.database_iam:
        with _external(settings) as url:
            yield url
        return
    directory = settings.data_dir
    served = _served_url(directory)
    if served is not None:
        yield served
        return
    with _started(settings) as url:
        yield url


@contextmanager
def _external(settings: Settings) -> Iterator[str]:
    try:
        with signing_in_for_a_moment(settings) as settled:
            yield settled.database_url
    except (BadAddress, NoToken) as error:
        raise Refusal(str(error)) from error


def _served_url(directory: Path) -> str | None:
    """The database of a running server, waiting for one that is on its way up."""
    deadline_s = time.monotonic() + STARTING_S
    while instance.is_served(directory):
        document = instance.running(directory)
        if document is not None and document["database"] == "external":
            raise Refusal(f"the server on {directory} uses an external database; set DATABASE_URL as it is set there")
        if document is not None and (url := running_url(directory)) is not None:
            return url
        if time.monotonic() > deadline_s:
            raise Refusal(f"the server on {directory} is not ready after {STARTING_S:g} s; see what it printed")
        time.sleep(0.1)
    return None


@contextmanager
def _started(settings: Settings) -> Iterator[str]:
    directory = settings.data_dir
    if not directory.exists():
        click.echo(f"releve: making a new installation in {directory}", err=True)
    try:
        make_data_directory(directory)
        held = instance.take(directory, purpose=instance.COMMAND)
    except (OSError, instance.InUse) as error:
        raise Refusal(str(error)) from error
    postgres = EmbeddedPostgres(directory, binaries=Path(settings.postgres_bin) if settings.postgres_bin else None)
    try:
        yield postgres.start()
    except EmbeddedPostgresError as error:
        raise Refusal(str(error)) from error
    finally:
        postgres.stop()
        held.release()


def _set_up_django(url: str, settings: Settings) -> None:
    os.environ |= {
        "DATABASE_URL": url,
        "RELEVE_DATA_DIR": str(settings.data_dir),
        "DJANGO_SETTINGS_MODULE": migration.CONTROL_SETTINGS,
    }
    import django  # noqa: PLC0415 - it reads the environment, which is complete only now

    django.setup()


def _refuse_nothing(settings: Settings) -> None:
    """Refuse where no installation is, so that a mistyped directory does not become one."""
    directory = settings.data_dir
    if settings.database_url or instance.is_served(directory) or os.path.lexists(directory / "postgres"):
        return
    if (directory / "keys").is_dir() and any((directory / "keys").iterdir()):
        raise Refusal(f"{directory} has keys and no database; set DATABASE_URL as it is set for its server")
    raise Refusal(
        f"there is no installation in {directory}: name its data directory with --data-dir (the server says it at its"
        f" start, as Data), or make one with `releve up --data-dir {shlex.quote(str(directory))}`"
    )


def _refuse_missing_keys(settings: Settings) -> None:
    """Refuse a directory that is not the database's: a secret made with other keys opens nothing."""
    keys = settings.data_dir / "keys"
    if settings.database_url and not (keys.is_dir() and any(keys.iterdir())):
        raise Refusal(f"the keys of this database are not in {keys}; name the server's data directory with --data-dir")


def _refuse_other_version(url: str, settings: Settings) -> None:
    if migration.missing(url, migration.applications()):
        _refuse_older_server(settings)
        raise Refusal(
            "the database has not the tables of this version; `releve up` makes them, or brings them up to date"
        )


def _migrate_if_needed(url: str, settings: Settings) -> None:
    missing = migration.missing(url, migration.applications())
    if missing != set(migration.known(migration.applications())):
        _refuse_missing_keys(settings)
    if missing:
        _refuse_older_server(settings)
        migration.migrate(url)


def _refuse_older_server(settings: Settings) -> None:
    if instance.is_served(settings.data_dir):
        raise Refusal("the running server is of an older version; restart it with this one, then try again")
