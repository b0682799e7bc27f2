"""The addresses of an external PostgreSQL as every part uses them: with IAM tokens where the operator wants them."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import structlog
from psycopg import conninfo

from releve.settings import Settings
from releve.storage import database_token

FILE = "database-tokens"
PATIENCE_S = 60.0
_log = structlog.get_logger("releve.up")


class DatabaseAway(Exception):
    """The external database did not answer in time."""


@contextmanager
def signing_in(settings: Settings, folder: Path) -> Iterator[Settings]:
    """The settings with addresses that every process can connect with while the context lasts.

    Without `RELEVE_DATABASE_IAM` they are as they were. With it the addresses name a file of tokens in the folder, and
    `database_iam` is 0, so that a child who is handed them makes no tokens of its own.

    Raises:
        BadAddress: An address contradicts tokens.
        NoToken: None can be made.
    """
    if not settings.database_iam:
        yield settings
        return
    if not settings.database_url:
        raise database_token.BadAddress("RELEVE_DATABASE_IAM is for an external PostgreSQL: set DATABASE_URL too")
    further = [url.strip() for url in settings.ingest_database_urls.split(",") if url.strip()]
    with database_token.kept([settings.database_url, *further], folder / FILE) as (url, *others):
        yield replace(settings, database_url=url, ingest_database_urls=",".join(others), database_iam=0)


@contextmanager
def signing_in_for_a_moment(settings: Settings) -> Iterator[Settings]:
    """The same for a command: its tokens stand in a folder of their own and leave nothing behind.

    Raises:
        BadAddress, NoToken: As `signing_in`.
    """
    with tempfile.TemporaryDirectory(prefix="releve-") as folder, signing_in(settings, Path(folder)) as settled:
        yield settled


def wait_for(url: str) -> None:
    """Wait for an external database, which may be starting beside us."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline_s:
                raise DatabaseAway(f"the database of DATABASE_URL does not answer: {str(error).strip()}") from error
            _log.warning("waiting for the database", error=str(error).strip())
            time.sleep(1)
        else:
            return


def place(url: str) -> str:
    """An external database in words, without its password."""
    given = conninfo.conninfo_to_dict(url)
    return f"PostgreSQL {given.get('dbname', '')} on {given.get('host', 'its default host')}"
