"""Real PostgreSQL for the tests: one cluster a session, a fresh database for each test that asks."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo, sql

from releve.storage.embedded import EmbeddedPostgres

# For the tests alone; popped because no setting is called that.
EXTERNAL_URL = os.environ.pop("RELEVE_TEST_DATABASE_URL", "")
# TMPDIR may be too deep for a socket; the folders made in these have random names.
SHORT_PATH = Path("/tmp")  # noqa: S108
MEMORY = Path("/dev/shm")  # noqa: S108


class Server:
    """The session's PostgreSQL; `embedded` is None when it was given from outside."""

    def __init__(self, url: str, embedded: EmbeddedPostgres | None = None) -> None:
        self.url = url
        self.embedded = embedded

    def create_database(self, template: str = "template1") -> str:
        """Make a database with a name of its own; returns its URL."""
        name = f"test_{uuid4().hex}"
        query = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")  # ten times faster in memory
        self._execute(query.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url_of(name)

    def drop_database(self, url: str) -> None:
        """Remove a database, ending whatever is still connected to it."""
        query = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._execute(query.format(sql.Identifier(database_name(url))))

    def url_of(self, database: str) -> str:
        """The server's URL with another database in its path."""
        before, _, query = self.url.partition("?")
        address = before.rpartition("/")[0]
        return f"{address}/{database}" + (f"?{query}" if query else "")

    def _execute(self, query: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(query)


def database_name(url: str) -> str:
    """The database that a URL names."""
    return str(conninfo.conninfo_to_dict(url)["dbname"])


@pytest.fixture(scope="session")
def postgres(reachable_directory: Callable[..., Path]) -> Iterator[Server]:
    """The session's PostgreSQL, with the durability that production has."""
    if EXTERNAL_URL:
        yield Server(EXTERNAL_URL)
        return
    embedded = EmbeddedPostgres(reachable_directory(_fast_folder()))
    yield Server(embedded.start(), embedded)
    embedded.stop()


@pytest.fixture
def database_url(postgres: Server) -> Iterator[str]:
    """URL of an empty database for this test alone."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture(scope="module")
def module_database_url(postgres: Server) -> Iterator[str]:
    """URL of an empty database that the tests of one file share."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture(scope="session")
def migrated_template(postgres: Server, reachable_directory: Callable[..., Path]) -> Iterator[str]:
    """Name of a database that every migration has run in; nothing may stay connected to it."""
    url = postgres.create_database()
    surroundings = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "releve.control.configuration",
        "RELEVE_DATA_DIR": str(reachable_directory()),
    }
    migrate = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
    subprocess.run(migrate, env=surroundings, check=True)
    yield database_name(url)
    postgres.drop_database(url)


@pytest.fixture
def migrated_url(postgres: Server, migrated_template: str) -> Iterator[str]:
    """URL of a database with every table and no row of ours, for this test alone."""
    url = postgres.create_database(migrated_template)
    yield url
    postgres.drop_database(url)


@pytest.fixture
def data_dir(reachable_directory: Callable[..., Path]) -> Path:
    """A data directory for a server of the test's own."""
    return reachable_directory()


@pytest.fixture(scope="session")
def reachable_directory() -> Iterator[Callable[..., Path]]:
    """Make folders that PostgreSQL's user reaches when we are root, with paths short enough for a socket."""
    made: list[Path] = []

    def make(parent: Path = SHORT_PATH) -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="releve-test-", dir=parent)))
        made[-1].chmod(0o711)
        return made[-1]

    yield make
    for directory in made:
        shutil.rmtree(directory)


def _fast_folder() -> Path:
    """Memory where there is enough of it (containers often have 64 MB)."""
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2**30
    return MEMORY if has_room else SHORT_PATH
