"""The embedded PostgreSQL of one data directory: started, watched and stopped by us."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg
import structlog
from psycopg import sql

from .binaries import find_binaries, reachable
from .cluster import (
    SUPERUSER,
    configure,
    make_cluster,
    refuse_other_major_version,
    set_superuser_password,
)
from .location import PORT, choose_cluster, cluster_of, make_data_directory, password, socket_directory
from .owner import ENVIRONMENT, Identity, Owner
from .problem import AlreadyInUse, DidNotStart
from .process import end_leftovers, ending_with_parent, postmaster

NAME = "releve"  # of the database and of the role that owns it
_LOG_LIMIT_BYTES = 16 * 1024 * 1024
_log = structlog.get_logger(__name__)


class EmbeddedPostgres:
    """PostgreSQL that listens on a Unix socket in a folder that nobody else may enter, and on loopback where asked to.

    Either `start` and `stop` it, or let a supervisor run it: `prepare` before every start, `command`
    with `environment`, `identity` and `log_file` for the child, then `is_ready` until it says so.

    Args:
        directory: The data directory; the cluster is its `postgres`, the passwords are in its `keys`.
        binaries: Folder of the PostgreSQL programs; without it the wheel's, then the system's.
        configuration: Settings of PostgreSQL that differ from ours, values as in postgresql.conf.
        port: Where it listens on 127.0.0.1 as well; 0 for nowhere.
    """

    environment: Mapping[str, str] = ENVIRONMENT
    stop_signal = signal.SIGINT  # fast shutdown: sessions are ended, data is written

    def __init__(
        self,
        directory: Path,
        *,
        binaries: Path | None = None,
        configuration: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        self.directory = directory.absolute()
        self.cluster = cluster_of(self.directory)
        self._wished_binaries = binaries
        self._is_settled = False
        self._port = port or PORT
        on_loopback = {"listen_addresses": "'127.0.0.1'", "port": str(port)} if port else {}
        self._configuration = {**on_loopback, **(configuration or {})}
        self.socket_directory: Path | None = None
        self._lock: IO[str] | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, *, patience_s: float = 120) -> str:
        """Run it as a child of this process; returns the URL once it answers.

        Raises:
            EmbeddedPostgresError: It cannot run; the message says why and what to do.
        """
        self.prepare()
        with self.log_file() as log:
            self._child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,
                preexec_fn=ending_with_parent(self.stop_signal),  # noqa: PLW1509 - only calls prctl
                **self.identity,
            )
        try:
            self._wait_until_ready(self._child, patience_s)
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self, *, patience_s: float = 30) -> None:
        """End it with a fast shutdown, and at once if that takes too long; then release the data directory."""
        child, self._child = self._child, None
        if child is not None:
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                child.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(patience_s)
                    break
        self.release()

    def prepare(self) -> None:
        """Take the data directory, end leftovers, make the cluster when missing: ready to run `command`.

        Safe to call again before every restart.

        Raises:
            EmbeddedPostgresError: It cannot run; the message says why and what to do.
        """
        is_first = self._lock is None
        make_data_directory(self.directory)
        self._take()
        try:
            self._prepare()
        except BaseException:
            if is_first:
                self.release()
            raise

    @property
    def command(self) -> list[str]:
        """The program and its arguments, to run in the foreground; no secret among them."""
        return [str(self.binaries / "postgres"), "-D", str(self.cluster)]

    @property
    def identity(self) -> Identity:
        """The user to run as: arguments for `subprocess.Popen` or `asyncio.create_subprocess_exec`."""
        return self.owner.identity

    def log_file(self) -> IO[bytes]:
        """Open what standard output and error go to; a big one makes way first."""
        path = self.directory / "log" / "postgres.log"
        if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")

    def is_ready(self) -> bool:
        """Whether it answers; when it first does, role and database are made if missing."""
        try:
            with psycopg.connect(self.administrator_url, autocommit=True, connect_timeout=5) as connection:
                _ensure_database(connection, password(self.directory, "database"))
        except psycopg.OperationalError:
            return False
        return True

    @property
    def url(self) -> str:
        """Address of the database for our own processes. It holds the password: never log it."""
        return _url(self._socket_folder, self._port, NAME, password(self.directory, "database"))

    @property
    def administrator_url(self) -> str:
        """Address for the superuser. It holds the password: never log it."""
        return _url(self._socket_folder, self._port, SUPERUSER, password(self.directory, "postgres"))

    @property
    def is_elsewhere(self) -> bool:
        """Whether the cluster is not in the data directory, because its owner cannot reach that."""
        return (self.directory / "postgres").is_symlink()

    def release(self) -> None:
        """Let another process use the data directory; only after PostgreSQL has ended."""
        if self.socket_directory is not None and self.socket_directory != self.cluster:
            shutil.rmtree(self.socket_directory, ignore_errors=True)
        self.socket_directory = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _socket_folder(self) -> Path:
        return self.socket_directory or cluster_of(self.directory)

    def _take(self) -> None:
        if self._lock is not None:
            return
        lock = (self.directory / "run" / "postgres.lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise AlreadyInUse(
                f"{self.directory} is in use by process {holder}; stop that one, or choose another --data-dir"
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _prepare(self) -> None:
        if not self._is_settled:
            self._settle()
        end_leftovers(self.cluster)
        self._ensure_cluster()
        self.socket_directory = self.socket_directory or socket_directory(self.cluster, self.owner)
        (self.socket_directory / f".s.PGSQL.{self._port}.lock").unlink(missing_ok=True)  # see end_leftovers
        configure(
            self.cluster,
            socket_directory=self.socket_directory,
            owner=self.owner,
            overrides=self._configuration,
        )

    def _settle(self) -> None:
        """Decide what stays the same at every restart."""
        self.owner = Owner.current()
        self.binaries = reachable(find_binaries(self._wished_binaries), self.owner)
        self.cluster = choose_cluster(self.directory, self.owner)
        if self.is_elsewhere:
            _log.warning("postgres_data_elsewhere", wished=str(self.directory), placed=str(self.cluster))
        self._is_settled = True

    def _ensure_cluster(self) -> None:
        is_password_known = (self.directory / "keys" / "postgres").exists()
        secret = password(self.directory, "postgres")
        if not (self.cluster / "PG_VERSION").exists():
            make_cluster(self.cluster, binaries=self.binaries, owner=self.owner, password=secret)
            return
        refuse_other_major_version(self.cluster, binaries=self.binaries, owner=self.owner)
        if not is_password_known:
            set_superuser_password(self.cluster, binaries=self.binaries, owner=self.owner, password=secret)

    def _wait_until_ready(self, child: subprocess.Popen[bytes], patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while not self.is_ready():
            if child.poll() is not None:
                raise DidNotStart(f"PostgreSQL ended while starting:\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise DidNotStart(f"PostgreSQL does not answer after {patience_s:g} s:\n{self._last_words()}")
            time.sleep(0.03)

    def _last_words(self) -> str:
        lines = (self.directory / "log" / "postgres.log").read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-12:])


def running_url(directory: Path) -> str | None:
    """Address of the database of a data directory that is being served, or None.

    Raises:
        PermissionError: Another user's Relevé runs there.
    """
    return _running_url(directory, NAME, "database")


def running_administrator_url(directory: Path) -> str | None:
    """Address for the superuser in our database, of a data directory that is being served, or None.

    Raises:
        PermissionError: Another user's Relevé runs there.
    """
    return _running_url(directory, SUPERUSER, "postgres")


def _running_url(directory: Path, role: str, secret: str) -> str | None:
    head = postmaster(cluster_of(directory))
    if head is None or not head.is_ready:
        return None
    return _url(Path(head.socket_directory), head.port, role, password(directory, secret), database=NAME)


def _url(folder: Path, port: int, role: str, secret: str, *, database: str | None = None) -> str:
    return f"postgresql://{role}:{secret}@/{database or role}?host={quote(str(folder), safe='')}&port={port}"


def _ensure_database(connection: psycopg.Connection, secret: str) -> None:
    """Make the role and its database; the role has no more rights than a managed database would give it."""
    role = sql.Identifier(NAME)
    if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s"):
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
    # Sent hashed, so that no log of statements can hold it; each time, so that a lost file mends itself.
    scram = connection.pgconn.encrypt_password(secret.encode(), NAME.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} LOGIN CREATEDB PASSWORD {}").format(role, scram))
    connection.execute(sql.SQL("GRANT pg_monitor TO {}").format(role))
    if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s"):
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))


def _exists(connection: psycopg.Connection, query: str) -> bool:
    return connection.execute(query.encode(), (NAME,)).fetchone() is not None
