"""Runs `wrk` once against one server and reads what it measured."""

import itertools
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.server import Server

SCRIPT = Path(__file__).with_name("readings.lua")
_seeds = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run of wrk: times in milliseconds, the rest are counts."""

    per_second: float
    p50_ms: float
    p99_ms: float
    answered: int
    refused: int
    broken: int

    @property
    def acknowledged(self) -> int:
        """Answers that were 2xx or 3xx."""
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


def drive(load: Load, server: Server) -> Measured:
    """Drive one server; every request of every run carries a reading of its own."""
    command = [
        load.wrk,
        *("--threads", str(load.threads), "--connections", str(load.connections), "--duration", f"{load.seconds}s"),
        *("--timeout", "10s", "--script", str(SCRIPT), server.url, "--"),
        *(server.environment.get("BENCH_TOKEN", "none"), str(next(_seeds))),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"wrk failed:\n{ran.stdout}{ran.stderr}")
    found = json.loads(ran.stdout.rpartition("measured ")[2])
    return Measured(
        per_second=round(found["answered"] / found["seconds"], 1),
        p50_ms=round(found["p50_us"] / 1000, 2),
        p99_ms=round(found["p99_us"] / 1000, 2),
        answered=found["answered"],
        refused=found["refused"],
        broken=found["broken"],
    )
