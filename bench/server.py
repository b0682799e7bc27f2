"""Starts one server of a measurement on a free port of loopback, waits until it answers, and stops it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 60.0
STOP_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Server:
    """One process to drive.

    Attributes:
        name: Its row in the table; several workers of one server share a name and a port.
        command: Program and arguments.
        port: Where it listens.
        path: What is posted to.
        ready: What answers 200 once it can be driven; None for a server that speaks no HTTP, whose open port is enough.
        environment: Added to ours.
    """

    name: str
    command: Sequence[str]
    port: int
    path: str = "/data"
    ready: str | None = "/"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address that is posted to."""
        return f"http://127.0.0.1:{self.port}{self.path}"


@dataclass(frozen=True)
class Running:
    """The processes of one server that has been started."""

    server: Server
    pids: tuple[int, ...]

    def cpu_s(self) -> float:
        """Processor time that they have used so far."""
        return cpu_s(self.pids)


def together(running: Iterable[Running]) -> dict[str, Running]:
    """By name, several workers as one."""
    found: dict[str, Running] = {}
    for one in running:
        known = found.get(one.server.name)
        found[one.server.name] = Running(one.server, (*(known.pids if known else ()), *one.pids))
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """Processor time of processes, user and system [proc_pid_stat(5)]; one that has ended counts nothing."""
    return sum(_cpu_ticks(pid) for pid in pids) / os.sysconf("SC_CLK_TCK")


def ended_cpu_s(pid: int) -> float:
    """Processor time of the children of a process that have ended."""
    return _cpu_ticks(pid, first=13) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def uvicorn(application: str, port: int) -> list[str]:
    """The command of an ASGI application under the same server that Relevé uses, with its costs switched off alike."""
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", application, "--host", "127.0.0.1", "--port", str(port), *options]


@contextmanager
def started(server: Server) -> Iterator[Running]:
    """Run it until the context ends."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, **server.environment}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(server.command, env=environment, stdout=log, stderr=log)
        try:
            _wait(server, process)
            yield Running(server, (process.pid,))
        except NotReady as error:
            log.seek(0)
            sys.exit(f"{error}\n{log.read()[-4000:].decode(errors='replace')}")
        finally:
            _stop(process)


class NotReady(Exception):
    """A server ended, or did not answer in time."""


def _wait(server: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            _ask(server)
        except OSError:  # URLError is one
            time.sleep(0.05)
        else:
            return
    raise NotReady(f"{server.name} does not answer on port {server.port}")


def _ask(server: Server) -> None:
    if server.ready is None:
        socket.create_connection(("127.0.0.1", server.port), 5).close()
    else:
        urllib.request.urlopen(f"http://127.0.0.1:{server.port}{server.ready}", timeout=5).close()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _cpu_ticks(pid: int, *, first: int = 11) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(fields[first]) + int(fields[first + 1])
