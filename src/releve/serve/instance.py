"""One server, or one command, per data directory: a lock that the kernel releases, and what the server says."""

import contextlib
import fcntl
import json
import os
import pwd
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

SERVER = "server"
COMMAND = "command"
PATIENCE_S = 60.0
MOMENT_S = 0.5
KILLED_WITHIN_S = 5.0
_PROCESSES = Path("/proc")
_OURS = (b"releve.serve.worker", b"releve.serve.control", b"releve.serve.maintenance")
_LEFT = ("worker-*", "control.*", "maintenance.*", "bridge.*")


class InUse(Exception):
    """Another server runs on this data directory."""


class NotOurs(Exception):
    """The data directory is another user's."""


class Instance:
    """The right to use a data directory, held until `release` or the end of the process."""

    def __init__(self, lock: IO[str], directory: Path) -> None:
        self._lock = lock
        self._document = directory / "run" / "server.json"

    def publish(self, document: dict[str, Any]) -> None:
        """Say where the server is, for other commands; readable by the same user only."""
        draft = self._document.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
        draft.replace(self._document)

    def release(self) -> None:
        """Let others use the data directory."""
        self._document.unlink(missing_ok=True)
        self._lock.close()


def refuse_strangers(directory: Path) -> None:
    """Check that the keys are ours: what root makes there, the server's user could not read.

    Raises:
        NotOurs: They are another user's.
    """
    keys = directory / "keys"
    if keys.exists() and keys.stat().st_uid != os.geteuid():
        owner = keys.stat().st_uid
        raise NotOurs(f"{directory} belongs to the user {_name(owner)}; run this as that user")


def take(directory: Path, *, purpose: str, patience_s: float = PATIENCE_S) -> Instance:
    """Take the data directory; a short command of somebody else's is waited for, a server is not.

    Args:
        directory: The data directory, which exists.
        purpose: `SERVER` or `COMMAND`.
        patience_s: Longest wait for another command.

    Raises:
        InUse: A server has it; the message names its process.
    """
    path = directory / "run" / "releve.lock"
    path.touch(mode=0o600)
    lock = path.open("a+", encoding="ascii")
    began_s = time.monotonic()
    while not _is_locked_by_us(lock):
        lock.seek(0)
        holder, _, pid = lock.read().strip().partition(" ")
        # `is_served` of another command holds it for a moment, while the text may be a killed server's.
        if time.monotonic() - began_s > (MOMENT_S if holder == SERVER else patience_s):
            lock.close()
            raise InUse(
                f"a Relevé {holder or 'process'} (process {pid or 'unknown'}) uses {directory};"
                f" stop it with `kill {pid or 'PID'}`, or choose another --data-dir"
            )
        time.sleep(0.05)
    lock.truncate(0)
    lock.write(f"{purpose} {os.getpid()}\n")
    lock.flush()
    return Instance(lock, directory)


def is_served(directory: Path) -> bool:
    """Whether a server has the data directory, perhaps still on its way up."""
    try:
        with (directory / "run" / "releve.lock").open(encoding="ascii") as lock:
            if _is_free(lock):
                return False
            return lock.read().startswith(SERVER)
    except FileNotFoundError:
        return False


def running(directory: Path) -> dict[str, Any] | None:
    """What the running server says of itself, or None when none is ready."""
    if not is_served(directory):
        return None  # a file left by a killed server describes nothing
    try:
        document = json.loads((directory / "run" / "server.json").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return dict(document) if document["pid"] in _holder(directory) else None


def end_leftovers(directory: Path, *, patience_s: float = 2.0) -> None:
    """End the processes of a killed server and forget what they wrote of themselves.

    The caller has the data directory. What they acknowledged is committed, so they may be ended at once.

    Raises:
        InUse: One cannot be ended.
    """
    deadline_s = time.monotonic() + patience_s
    number = signal.SIGTERM
    while pids := list(_left_running(directory)):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        time.sleep(0.05)
        if time.monotonic() > deadline_s + KILLED_WITHIN_S:
            raise InUse(f"processes {pids} of a killed server cannot be ended; a restart of the machine will")
        if time.monotonic() > deadline_s:
            number = signal.SIGKILL
    for pattern in _LEFT:
        for left in (directory / "run").glob(pattern):
            left.unlink(missing_ok=True)


def _left_running(directory: Path) -> Iterator[int]:
    """Every process of a server on this data directory, found by its command and its environment."""
    ours = b"RELEVE_DATA_DIR=" + os.fsencode(directory)
    for entry in _PROCESSES.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended, or is somebody else's
            if (
                any(name in (entry / "cmdline").read_bytes() for name in _OURS)
                and ours in (entry / "environ").read_bytes().split(b"\0")
                and (entry / "stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
            ):
                yield int(entry.name)


def _holder(directory: Path) -> list[int]:
    text = (directory / "run" / "releve.lock").read_text("ascii").split()
    return [int(number) for number in text[1:]]


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _is_locked_by_us(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_free(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(lock, fcntl.LOCK_UN)
    return True
