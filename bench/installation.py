"""A throw-away installation of Relevé: PostgreSQL, tables, control, one device that signed in, and its workers."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg
from bench.server import Server, cpu_s, ended_cpu_s, free_port, started

from releve.storage.embedded import EmbeddedPostgres
from releve.storage.embedded.process import processes

DEVICE = "bench"
CONTROL_S = 60.0
READINGS = """
SELECT (SELECT count(*) FROM fresh_reading) + (SELECT count(*) FROM reading)
     + (SELECT coalesce(sum(n), 0) FROM segment WHERE replaced IS NULL)"""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user may pass through when we are root; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="releve-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


class Installation:
    """Lives in a folder and ends with its context.

    Attributes:
        environment: What every server on its database runs with.
        secret: The device's secret.
        token: The device's access token.
    """

    def __init__(self, folder: Path, *, mqtt_port: int | None = None) -> None:
        self._postgres = EmbeddedPostgres(folder)
        self._folder = folder
        self._mqtt_port = mqtt_port
        self._control: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def __enter__(self) -> Self:
        url = self._postgres.start()
        settings = {name: text for name, text in os.environ.items() if not name.startswith("RELEVE_")}
        os.environ.clear()
        os.environ.update(settings)
        self.environment = {
            "DATABASE_URL": url,
            "RELEVE_DATA_DIR": str(self._folder),
            "RELEVE_PORT": str(self.port),
            "RELEVE_MQTT_PORT": "none" if self._mqtt_port is None else str(self._mqtt_port),
            "RELEVE_LOG_LEVEL": "warning",
            "RELEVE_FOLLOW_RUNS_S": "0",  # nobody cuts runs beside; what is measured is asked for
        }
        self.secret = str(self.add("device", DEVICE, "--contract", "gym")["secret"])
        self._control = self._started_control()
        with started(self.workers(1)[0]):
            self.token = _signed_in(f"http://127.0.0.1:{self.port}/auth/login", self.secret)
        self.environment["BENCH_TOKEN"] = self.token
        self.environment["BENCH_KEYS"] = (self._folder / "keys" / "signing").read_text("utf-8").strip()
        return self

    def __exit__(self, *_: object) -> None:
        if self._control is not None:
            self._control.terminate()
            self._control.wait(CONTROL_S)
        self._postgres.stop()

    @property
    def control_pid(self) -> int:
        """The process that answers people; it runs as long as the installation."""
        return self._control.pid if self._control is not None else 0

    def _started_control(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "releve.serve.control"]
        process = subprocess.Popen(command, env={**os.environ, **self.environment})
        ready, deadline_s = self._folder / "run" / "control.json", time.monotonic() + CONTROL_S
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline_s:
                sys.exit("the control process does not start")
            time.sleep(0.05)
        return process

    def workers(self, count: int) -> list[Server]:
        """The commands of its workers, which share one port."""
        return [
            Server(
                name="releve",
                command=[sys.executable, "-m", "releve.serve.worker", "--index", str(index)],
                port=self.port,
                ready="/readyz?of=ingest",
                environment=self.environment,
            )
            for index in range(count)
        ]

    def cpu_s(self) -> float:
        """Processor time that PostgreSQL's processes have used so far, those that ended included."""
        running = processes(self._postgres.cluster)
        return cpu_s(running) + sum(ended_cpu_s(pid) for pid in running)

    def rows(self) -> int:
        """How many readings are in the database."""
        with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
            row = connection.execute(READINGS).fetchone()
        return int(row[0]) if row else 0

    def add(self, what: str, name: str, *options: str) -> dict[str, Any]:
        """Add a device or an account with the command `releve`; what it answers."""
        command = [sys.executable, "-m", "releve", what, "add", name, *options, "--json"]
        added = subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True, check=False)
        if added.returncode:
            sys.exit(f"the {what} could not be added:\n{added.stderr.decode(errors='replace')}")
        return dict(json.loads(added.stdout))


def _signed_in(url: str, secret: str) -> str:
    body = json.dumps({"device_id": DEVICE, "password": secret}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - our own address
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - as above
        return str(json.load(reply)["token"])
