"""The embedded PostgreSQL: private, durable, and back after every kind of death."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from releve.storage.embedded import (
    AlreadyInUse,
    DidNotStart,
    EmbeddedPostgres,
    NoPostgresFound,
    OtherMajorVersion,
    running_url,
)
from releve.storage.embedded.process import postmaster, processes


@pytest.fixture(scope="module")
def shared(reachable_directory: Callable[[], Path]) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(reachable_directory())
    yield server
    server.stop()


@pytest.fixture
def embedded(shared: EmbeddedPostgres) -> EmbeddedPostgres:
    """One cluster for the whole file, as making one takes a second; running, and with nothing kept."""
    if running_url(shared.directory) is None:
        shared.stop()
        shared.start()
    ask(shared.url, "DROP TABLE IF EXISTS kept", returning=False)
    return shared


def test_it_listens_on_a_socket_only_and_asks_everybody_for_a_password(embedded):
    rules = ask(embedded.administrator_url, "SELECT DISTINCT auth_method FROM pg_hba_file_rules")

    assert ask(embedded.url, "SHOW listen_addresses") == [("",)]
    assert rules == [("scram-sha-256",)]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(embedded.url, password="wrong")


def test_only_its_owner_may_open_the_data_and_the_passwords(embedded):
    keys = embedded.directory / "keys"

    assert mode(embedded.cluster) == 0o700
    assert [mode(path) for path in keys.iterdir()] == [0o600, 0o600]
    assert mode(keys) == 0o700


def test_no_password_is_on_a_command_line_or_in_the_log(embedded):
    secrets = [path.read_text().strip() for path in (embedded.directory / "keys").iterdir()]
    shown = (embedded.directory / "log" / "postgres.log").read_text()
    for pid in processes(embedded.cluster):
        shown += Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/environ").read_text()

    assert not [secret for secret in secrets if secret in shown]


def test_it_is_durable_checked_and_sorts_the_same_everywhere(embedded):
    names = "fsync", "synchronous_commit", "full_page_writes", "data_checksums", "server_encoding", "TimeZone"

    values = [ask(embedded.url, f"SHOW {name}")[0][0] for name in names]

    assert values == ["on", "on", "on", "on", "UTF8", "UTC"]
    assert ask(embedded.url, "SELECT 'Z' < 'a', upper('é')") == [(True, "É")]


def test_our_role_is_no_superuser(embedded):
    assert ask(embedded.url, "SELECT current_setting('is_superuser')") == [("off",)]


def test_what_was_committed_is_there_after_a_stop_and_a_start(embedded):
    ask(embedded.url, "CREATE TABLE kept AS SELECT 1 AS one", returning=False)

    embedded.stop()
    embedded.start()

    assert ask(embedded.url, "SELECT one FROM kept") == [(1,)]


def test_a_running_cluster_tells_its_address_and_a_stopped_one_has_none(embedded):
    assert running_url(embedded.directory) == embedded.url

    embedded.stop()

    assert running_url(embedded.directory) is None


def test_a_folder_without_a_cluster_has_no_address(tmp_path):
    assert running_url(tmp_path / "nothing") is None


def test_a_second_start_on_the_same_data_is_refused_by_name(embedded):
    with pytest.raises(AlreadyInUse, match=str(os.getpid())):
        EmbeddedPostgres(embedded.directory).start()


@pytest.mark.parametrize("victim", ["head", "session"])
def test_it_starts_again_after_a_kill(embedded, victim):
    ask(embedded.url, "CREATE TABLE kept AS SELECT 1 AS one", returning=False)
    with psycopg.connect(embedded.url) as busy:
        backend = busy.info.backend_pid
        head = postmaster(embedded.cluster)
        os.kill(head.pid if victim == "head" else backend, signal.SIGKILL)
        embedded.stop()

    began = time.monotonic()
    embedded.start()

    assert ask(embedded.url, "SELECT one FROM kept") == [(1,)]
    assert time.monotonic() - began < 10


def test_sessions_that_outlive_a_killed_head_are_ended(embedded):
    with psycopg.connect(embedded.url) as busy:
        pid = busy.info.backend_pid
        os.kill(pid, signal.SIGSTOP)  # it cannot notice that its head died
        os.kill(postmaster(embedded.cluster).pid, signal.SIGKILL)
        embedded.stop()
        assert pid in processes(embedded.cluster)

        embedded.start()

        assert pid not in processes(embedded.cluster)


def test_it_ends_when_the_process_that_started_it_is_killed(data_dir):
    parent = subprocess.Popen([sys.executable, "-c", STARTER, str(data_dir)], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout.readline() == "started\n"
        ask(running_url(data_dir), "CREATE TABLE kept AS SELECT 1 AS one", returning=False)
        parent.kill()

    again = EmbeddedPostgres(data_dir)
    began = time.monotonic()
    again.start()

    assert time.monotonic() - began < 10
    assert ask(again.url, "SELECT one FROM kept") == [(1,)]
    again.stop()


def test_a_stale_process_file_that_names_a_stranger_is_no_obstacle(embedded):
    embedded.stop()
    lines = [str(os.getpid()), str(embedded.cluster), "1", "5432", str(embedded.cluster), "", "", "ready"]
    embedded.owner.write(embedded.cluster / "postmaster.pid", "\n".join([*lines, ""]))

    assert running_url(embedded.directory) is None
    embedded.start()

    assert ask(embedded.url, "SELECT 1") == [(1,)]


def test_data_of_another_major_version_is_refused_with_what_to_do(embedded):
    embedded.stop()
    version_file = embedded.cluster / "PG_VERSION"
    written = version_file.read_text()
    embedded.owner.write(version_file, "9\n")

    with pytest.raises(OtherMajorVersion, match="Set RELEVE_POSTGRES_BIN to the folder of PostgreSQL 9's"):
        embedded.start()

    embedded.owner.write(version_file, written)


def test_a_wished_folder_without_the_programs_is_refused(data_dir, tmp_path):
    with pytest.raises(NoPostgresFound, match="RELEVE_POSTGRES_BIN"):
        EmbeddedPostgres(data_dir, binaries=tmp_path).start()


def test_a_path_too_long_for_a_socket_gets_a_private_folder(data_dir):
    deep = data_dir.joinpath(*["deep" * 10] * 4)
    server = EmbeddedPostgres(deep)
    server.start()

    assert ask(server.url, "SELECT 1") == [(1,)]
    assert running_url(deep) == server.url
    folder = server.socket_directory
    assert folder != server.cluster
    assert mode(folder) == 0o700
    server.stop()
    assert not folder.exists()
    assert ask(server.start(), "SELECT 1") == [(1,)]
    server.stop()


def test_an_interrupted_making_of_the_cluster_is_repeated(data_dir):
    half = data_dir / "postgres.new" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("half")
    server = EmbeddedPostgres(data_dir)

    server.start()

    assert ask(server.url, "SELECT 1") == [(1,)]
    server.stop()


@pytest.mark.parametrize("name", ["postgres", "database"])
def test_a_lost_password_is_replaced(embedded, name):
    embedded.stop()
    (embedded.directory / "keys" / name).unlink()

    embedded.start()

    assert ask(embedded.url, "SELECT 1") == [(1,)]
    assert ask(embedded.administrator_url, "SELECT 1") == [(1,)]


def test_a_broken_configuration_is_reported_with_its_own_words(data_dir):
    server = EmbeddedPostgres(data_dir, configuration={"max_connections": "'many'"})

    with pytest.raises(DidNotStart, match="max_connections"):
        server.start()


def test_what_an_operator_sets_stands_above_our_defaults(embedded):
    ask(embedded.administrator_url, "ALTER SYSTEM SET jit = on", returning=False)

    embedded.stop()
    embedded.start()

    assert ask(embedded.url, "SHOW jit") == [("on",)]


STARTER = """
import signal
import sys
from pathlib import Path
from releve.storage.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print("started", flush=True)
signal.pause()
"""


def ask(url: str, query: str, *, returning: bool = True) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if returning else []


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
