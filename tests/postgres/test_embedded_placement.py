"""As root: PostgreSQL's own user gets programs and a place it can reach, and nobody's folder is opened for it."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from releve.storage.embedded import EmbeddedPostgres, ProgramsOutOfReach, binaries, location, running_url
from releve.storage.embedded.owner import Owner

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")


@pytest.fixture
def state(reachable_directory: Callable[..., Path], monkeypatch) -> Path:
    """Instead of /var/lib/releve."""
    folder = reachable_directory()
    monkeypatch.setattr(binaries, "STATE", folder)
    monkeypatch.setattr(location, "STATE", folder)
    return folder


@pytest.fixture
def private(data_dir: Path) -> Path:
    """A folder that only root may enter."""
    data_dir.chmod(0o700)
    return data_dir


def test_data_out_of_reach_is_placed_elsewhere_and_found_again(private, state):
    directory = private / "data"
    server = EmbeddedPostgres(directory)
    url = server.start()

    assert running_url(directory) == url
    assert server.is_elsewhere
    assert server.cluster.parent == state / "clusters"
    assert (directory / "postgres").readlink() == server.cluster
    assert mode(private) == 0o700
    server.stop()
    with psycopg.connect(server.start()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.stop()


def test_data_within_reach_stays_in_its_directory(data_dir, state):
    server = EmbeddedPostgres(data_dir / "data")
    server.start()
    server.stop()

    assert server.cluster == data_dir / "data" / "postgres"
    assert server.cluster.owner() == "releve"
    assert not list(state.iterdir())


def test_the_data_of_a_deleted_directory_is_neither_used_nor_removed(private, state):
    older = location.choose_cluster(private, Owner.current())
    older.mkdir()
    (private / "postgres").unlink()

    assert location.choose_cluster(private, Owner.current()) == older.with_name(older.name + "-2")
    assert older.exists()


def test_programs_out_of_reach_are_copied_once_and_mended_when_damaged(private, state):
    installed = next(binaries.installed())
    wheel = installed.parents[1]  # its programs find their libraries by the name of the folder beside it
    original = private / wheel.name / installed.parent.name
    shutil.copytree(installed.parent, original, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(f"{wheel}.libs", private / f"{wheel.name}.libs")
    owner = Owner.current()

    copy = binaries.reachable(original / "bin", owner)
    made = (copy / "postgres").stat().st_ino
    again = binaries.reachable(original / "bin", owner)

    assert again == copy
    assert copy.is_relative_to(state)
    assert (copy / "postgres").stat().st_ino == made
    assert mode(private) == 0o700

    (copy / "initdb").write_text("damaged")

    assert owner.can_run(binaries.reachable(original / "bin", owner) / "initdb")
    assert [path.name for path in state.iterdir()] == [copy.relative_to(state).parts[0]]


def test_programs_that_cannot_be_copied_are_refused_with_what_to_do(private, state):
    programs = private / "bin"
    programs.mkdir()
    (programs / "postgres").touch()
    (programs / "initdb").touch()

    with pytest.raises(ProgramsOutOfReach, match="RELEVE_POSTGRES_BIN"):
        binaries.reachable(programs, Owner.current())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
