"""The processes of a cluster: children that end with their parent, and what an earlier start left behind."""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .problem import DidNotStop

PROCESSES = Path("/proc")
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The head process of a cluster, as its `postmaster.pid` describes it."""

    pid: int
    port: int
    socket_directory: str
    is_ready: bool


def ending_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """What a child runs between fork and exec so that the kernel sends it the signal when we die.

    The kernel watches the *thread* that forked: start children from one that lives as long as the
    process. It runs after the change of user, which would undo it. Linux only; elsewhere nothing.
    """
    if sys.platform != "linux":
        return None
    parent = os.getpid()

    def ask_the_kernel() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_the_kernel


def postmaster(cluster: Path) -> Postmaster | None:
    """The live head of the cluster; a file left by a dead one, or naming a stranger, counts for nothing."""
    try:
        lines = (cluster / "postmaster.pid").read_text("utf-8").splitlines()
        found = Postmaster(
            pid=int(lines[0]),
            port=int(lines[3]),
            socket_directory=lines[4],
            is_ready=len(lines) > 7 and lines[7].strip() == "ready",  # noqa: PLR2004 - a line of the file
        )
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
        return None
    return found if found.pid in processes(cluster) else None


def processes(cluster: Path) -> list[int]:
    """Every PostgreSQL process that works in the cluster's directory, orphans of a killed head too."""
    return [int(entry.name) for entry in PROCESSES.glob("[0-9]*") if _works_in(entry, cluster)]


def end_leftovers(cluster: Path) -> None:
    """End what an earlier start left behind, as gently as it lets us.

    The caller holds the lock of the data directory, so nobody else is using these processes.

    Raises:
        DidNotStop: A process survived being killed.
    """
    for number, patience_s in ((signal.SIGINT, 15), (signal.SIGQUIT, 8), (signal.SIGKILL, 5)):
        head = postmaster(cluster)
        # Without their head, sessions have nothing to save: they would only wait for their clients.
        sign = number if head else max(number, signal.SIGQUIT)
        for pid in [head.pid] if head else processes(cluster):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        if _are_gone(cluster, patience_s if head else 1):
            break
    else:
        raise DidNotStop(f"processes {processes(cluster)} of {cluster} cannot be ended; a restart of the machine will")
    # A recycled process number would make PostgreSQL believe in the dead head's file [miscinit.c].
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _are_gone(cluster: Path, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while processes(cluster):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _works_in(entry: Path, cluster: Path) -> bool:
    try:
        return (entry / "comm").read_text("utf-8") == "postgres\n" and (entry / "cwd").readlink() == cluster
    except (OSError, UnicodeDecodeError):  # it ended, or it is not ours to look at
        return False
