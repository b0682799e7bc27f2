"""Runs a load generator once against one server and reads what it measured: `wrk`, or our own for MQTT."""

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.installation import DEVICE, Installation
from bench.server import Running

SCRIPT = Path(__file__).with_name("readings.lua")
PUBLISHER = Path(__file__).with_name("publisher.py")
_seeds = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run of wrk.

    Attributes:
        per_second: Answers a second.
        cpu_us: Processor time that the server's own processes used for an answer, in microseconds. Other programs on
            the machine hardly change it, so it is what to compare when they are busy.
        database_us: The same of PostgreSQL's processes.
        p50_ms: Half of the answers came within this.
        p99_ms: 99 of 100 did.
        answered: Answers of any status.
        refused: Those of status 400 and above.
        broken: Connections that failed and answers that did not come in time.
    """

    per_second: float
    cpu_us: float
    database_us: float
    p50_ms: float
    p99_ms: float
    answered: int
    refused: int
    broken: int

    @property
    def acknowledged(self) -> int:
        """Answers that were 2xx or 3xx; every PUBACK."""
        return self.answered - self.refused


@dataclass(frozen=True)
class Load:
    """How to drive: `wrk` is the program's path."""

    wrk: str
    connections: int
    threads: int
    seconds: int


def wrk_or_exit() -> str:
    """The path of wrk."""
    found = shutil.which("wrk")
    if found is None:
        sys.exit("wrk is not installed; on Debian or Ubuntu: apt-get install wrk")
    return found


def drive(load: Load, running: Running, installation: Installation) -> Measured:
    """Drive one server over HTTP; every request of every run carries a reading of its own."""
    server = running.server
    command = [
        load.wrk,
        *("--threads", str(load.threads), "--connections", str(load.connections), "--duration", f"{load.seconds}s"),
        *("--timeout", "10s", "--script", str(SCRIPT), server.url, "--"),
        *(server.environment.get("BENCH_TOKEN", "none"), str(next(_seeds))),
    ]
    return measured(command, running, installation)


@dataclass(frozen=True, kw_only=True)
class Publishing:
    """How to publish: so many connections, each with so many publishes that are not acknowledged yet."""

    connections: int
    window: int
    seconds: int

    def drive(self, running: Running, installation: Installation, *, secret: str | None) -> Measured:
        """Publish to one server; every publish of every run carries a reading of its own.

        Args:
            running: The server; its port is its MQTT port.
            installation: Whose PostgreSQL is at work meanwhile.
            secret: The device's, None for a server that lets everybody in.
        """
        command = [
            *(sys.executable, str(PUBLISHER), "--port", str(running.server.port), "--run", str(next(_seeds))),
            *("--connections", str(self.connections), "--window", str(self.window), "--seconds", str(self.seconds)),
            *(("--user", DEVICE) if secret else ()),
        ]
        return measured(command, running, installation, stdin=f"{secret}\n" if secret else "")


def measured(command: Sequence[str], running: Running, installation: Installation, *, stdin: str = "") -> Measured:
    """Run a load generator, and what it and the processor clocks say."""
    before_s, database_before_s = running.cpu_s(), installation.cpu_s()
    ran = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"{Path(command[0]).name} failed:\n{ran.stdout}{ran.stderr}")
    found = json.loads(ran.stdout.rpartition("measured ")[2])
    return Measured(
        per_second=round(found["answered"] / found["seconds"], 1),
        cpu_us=_each_us(running.cpu_s() - before_s, found["answered"]),
        database_us=_each_us(installation.cpu_s() - database_before_s, found["answered"]),
        p50_ms=round(found["p50_us"] / 1000, 2),
        p99_ms=round(found["p99_us"] / 1000, 2),
        answered=found["answered"],
        refused=found["refused"],
        broken=found["broken"],
    )


def _each_us(used_s: float, answered: int) -> float:
    return round(max(0.0, used_s) / max(1, answered) * 1e6, 1)
