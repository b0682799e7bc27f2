"""Real PostgreSQL for the tests: one cluster a session, a fresh database for each test that asks.

Making a cluster and migrating it takes seconds, copying it a moment: `installation` gives copies of one that is
prepared once, also when several processes of pytest-xdist share the work.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo, sql

from releve.storage.embedded import EmbeddedPostgres
from releve.storage.embedded.server import NAME

# TMPDIR may be too deep for a socket; the folders made in these have random names.
SHORT_PATH = Path("/tmp")  # noqa: S108
PASSWORDS = {"postgres", "database"}  # the cluster knows them; every other key is made anew for each copy


class Server:
    """The session's PostgreSQL.

    Attributes:
        migrated: Name of a database that every migration has run in, where there is one already.
        cluster: Where its data is; None when it was given from outside.
    """

    def __init__(self, url: str, migrated: str | None = None, cluster: Path | None = None) -> None:
        self.url = url
        self.migrated = migrated
        self.cluster = cluster

    def create_database(self, template: str = "template1") -> str:
        """Make a database with a name of its own; returns its URL."""
        name = f"test_{uuid4().hex}"
        query = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")  # ten times faster in memory
        self._execute(query.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url_of(name)

    def drop_database(self, url: str) -> None:
        """Remove a database, ending whatever is still connected to it."""
        query = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database_name(url)))
        for _ in range(100):
            try:
                self._execute(query)
            except psycopg.errors.InsufficientPrivilege:
                time.sleep(0.1)  # an autovacuum worker is in it, which only a superuser may end
            else:
                return
        self._execute(query)

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
def postgres(external_url: str, fast_folder: Path, installation: Callable[..., Path]) -> Iterator[Server]:
    """The session's PostgreSQL, with the durability that production has."""
    if external_url:
        yield Server(external_url)
        return
    directory = installation(fast_folder)
    is_prepared = directory.exists()
    embedded = EmbeddedPostgres(directory)
    url = embedded.start()
    if is_prepared:
        with psycopg.connect(embedded.administrator_url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {NAME} RENAME TO migrated")
            connection.execute(f"CREATE DATABASE {NAME} OWNER {NAME}")
    yield Server(url, "migrated" if is_prepared else None, embedded.cluster)
    embedded.stop()


@pytest.fixture
def database_url(postgres: Server) -> Iterator[str]:
    """URL of an empty database for this test alone."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture(scope="session")
def migrated_template(postgres: Server, reachable_directory: Callable[..., Path]) -> Iterator[str]:
    """Name of a database that every migration has run in; nothing may stay connected to it."""
    if postgres.migrated is not None:
        yield postgres.migrated
        return
    url = postgres.create_database()
    migrate(url, reachable_directory())
    yield database_name(url)
    postgres.drop_database(url)


@pytest.fixture
def migrated_url(postgres: Server, migrated_template: str) -> Iterator[str]:
    """URL of a database with every table and no row of ours, for this test alone."""
    url = postgres.create_database(migrated_template)
    yield url
    postgres.drop_database(url)


@pytest.fixture(scope="module")
def module_migrated_url(postgres: Server, migrated_template: str) -> Iterator[str]:
    """URL of a database with every table and no row of ours, that the tests of one file share."""
    url = postgres.create_database(migrated_template)
    yield url
    postgres.drop_database(url)


@pytest.fixture(scope="session")
def installation(shared_folder: Path, reachable_directory: Callable[..., Path]) -> Callable[..., Path]:
    """Make data directories whose database is made and migrated already, with keys of their own."""

    def make(parent: Path = SHORT_PATH) -> Path:
        directory = reachable_directory(parent) / "data"
        prepared = _prepared(shared_folder)
        if prepared is not None:
            subprocess.run(["/bin/cp", "-a", str(prepared), str(directory)], check=True)
        return directory

    return make


@pytest.fixture
def data_dir(reachable_directory: Callable[..., Path]) -> Path:
    """A data directory for a server of the test's own."""
    return reachable_directory()


@pytest.fixture(scope="session")
def reachable_directory() -> Iterator[Callable[..., Path]]:
    """Make folders that PostgreSQL's user reaches when we are root, with paths short enough for a socket."""
    made: list[Path] = []

    def make(parent: Path = SHORT_PATH) -> Path:
        made.append(_new_folder(parent))
        return made[-1]

    yield make
    for directory in made:
        if directory.exists():
            shutil.rmtree(directory)


def migrate(url: str, data_dir: Path) -> None:
    """Run every migration in a database."""
    surroundings = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "releve.control.configuration",
        "RELEVE_DATA_DIR": str(data_dir),
    }
    subprocess.run([sys.executable, "-m", "django", "migrate", "--verbosity=0"], env=surroundings, check=True)


def _prepared(shared: Path) -> Path | None:
    """The data directory to copy, made by whichever process comes first; None where its cluster has to be elsewhere."""
    directory = shared / "data"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "ready").exists():
            embedded = EmbeddedPostgres(directory)
            try:
                migrate(embedded.start(), directory)
            finally:
                embedded.stop()
            for key in (directory / "keys").iterdir():
                if key.name not in PASSWORDS:
                    key.unlink()
            (shared / "ready").touch()
    return None if (directory / "postgres").is_symlink() else directory


def _new_folder(parent: Path) -> Path:
    """A folder that PostgreSQL's user may pass through when we are root."""
    directory = Path(tempfile.mkdtemp(prefix="releve-test-", dir=parent))
    directory.chmod(0o711)
    return directory
