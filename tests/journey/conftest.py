"""Real servers for the journeys: `python -m releve up` in a data directory of its own, on free ports.

`server` is shared by the whole session: make accounts, devices and teams of your own in it, and leave it running.
`start_server` starts private ones, to be killed, filled or set up differently.
"""

import contextlib
import functools
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import httpx
import httpx._transports.default as httpx_transport
import psycopg
import pytest
from tests.journey.resident import PASSWORD, STRANGE, Resident

from releve.storage.embedded import running_url

READY_WITHIN_S = 150  # far beyond what is promised: a test of its own holds that, and this machine may be busy
COMMAND_WITHIN_S = 90
RESIDENT = Resident()

# What httpx gives an answer where a test says nothing is 5 s, and a first look at the API document may take longer on a
# busy machine. Who promises less says so in a test of its own.
for waits in ("connect", "read", "write", "pool"):
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, waits, 60.0)


class Server:
    """A `releve up` that runs, and what a test does with it."""

    def __init__(
        self, process: subprocess.Popen[str], data_dir: Path, errors: Path, summary: str, settings: dict[str, str]
    ) -> None:
        self.process = process
        self.data_dir = data_dir
        self.errors = errors
        self.summary = summary
        self.settings = settings
        self.url: str = next(iter(self.document["urls"]), "")  # none where no ingest process runs

    @property
    def document(self) -> dict[str, Any]:
        """What the server says of itself: urls, mqtt_urls, pid, processes."""
        return json.loads((self.data_dir / "run" / "server.json").read_text())

    @property
    def processes(self) -> dict[str, int]:
        """Process ids by part: `postgres`, `worker-0`, …"""
        return self.document["processes"]

    @property
    def database_url(self) -> str:
        """Address of its database; never print it."""
        url = running_url(self.data_dir)
        assert url is not None
        return url

    def command(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `releve ARGUMENTS… --data-dir <its own>` to its end."""
        return command(*arguments, "--data-dir", str(self.data_dir), stdin=stdin)

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """Run a command that must succeed with `--json`; what it printed."""
        done = self.command(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def add_account(self, role: str = "admin", *, team: str | None = None) -> dict[str, Any]:
        """Add a person of a fresh name; `email` and `password` are in what is returned."""
        email = f"{secrets.token_hex(4)}@example.com"
        arguments = ("--role", role, "--password-stdin", *(("--team", team) if team else ()))
        return self._resident("account", "add", email, *arguments, stdin=f"{PASSWORD}\n")

    def add_device(self, contract: str = "generic", *, team: str | None = None, zone: str = "UTC") -> dict[str, Any]:
        """Add a device of a fresh name; `name` and `secret` are in what is returned."""
        name = f"{contract}-{secrets.token_hex(4)}"
        arguments = ("--contract", contract, "--timezone", zone, *(("--team", team) if team else ()))
        return self._resident("device", "add", name, *arguments)

    def tokens(self, signing_in: dict[str, Any]) -> dict[str, str]:
        """Sign a person or a device in, as `add_account` and `add_device` returned it: `access` and `refresh`.

        Nothing is asked over HTTP: that the password opens the door is the promise of other tests.
        """
        name = signing_in.get("email") or signing_in["name"]
        return RESIDENT.tokens(name, data_dir=self.data_dir, settings=self.settings)

    def bearer(self, signing_in: dict[str, Any]) -> dict[str, str]:
        """The header of a request by that person or device."""
        return {"Authorization": f"Bearer {self.tokens(signing_in)['access']}"}

    def mqtt_token(self, signing_in: dict[str, Any]) -> bytes:
        """A password for MQTT of that person or device."""
        answer = httpx.post(f"{self.url}/api/v1/mqtt/token", headers=self.bearer(signing_in))
        return str(answer.raise_for_status().json()["token"]).encode()

    def _resident(self, *arguments: str, stdin: str = "") -> Any:
        whole = [*arguments, "--data-dir", str(self.data_dir), "--json"]
        return RESIDENT.command(whole, settings=self.settings, stdin=stdin)

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask its database; the rows."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(sql, values).fetchall()

    def cut_runs(self) -> None:
        """Cut what was sent up to now, as background work does every few seconds: no waiting for its round."""
        RESIDENT.cut_runs(data_dir=self.data_dir, settings=self.settings)

    def wait_until_background_works(self, within_s: float = 60) -> None:
        """Wait until background work has ended a round of cutting runs, which loads Django into it."""
        deadline_s = time.monotonic() + within_s
        while True:
            with contextlib.suppress(FileNotFoundError, KeyError):
                counts = json.loads((self.data_dir / "run" / "maintenance.metrics.json").read_text())
                if "cut-runs" in dict(counts["done_s"]):
                    return
            assert time.monotonic() < deadline_s, f"nothing was cut: {self.errors.read_text()[-2000:]}"
            time.sleep(0.05)

    def wait_until_ready(self, within_s: float = 30) -> None:
        """Wait until readings are acknowledged, for instance after something was killed."""
        deadline_s = time.monotonic() + within_s
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            assert time.monotonic() < deadline_s, f"not ready after {within_s} s: {self.errors.read_text()[-2000:]}"
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit code; of SIGKILL the parts end by themselves."""
        self.process.send_signal(number)
        return self.process.wait(60)


class StartServer(Protocol):
    """Starts a server; without a data directory it gets one of its own."""

    def __call__(self, *arguments: str, data_dir: Path | None = None, **settings: str) -> Server:
        """Start it with further arguments of `releve up` and settings such as `RELEVE_REFRESH_GRACE_S="1"`."""


@pytest.fixture(scope="session", autouse=True)
def _authorities_read_once() -> Iterator[None]:
    """Each `httpx.get(…)` makes a client, and each client would read the world's certificate authorities: 50 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx_transport, "create_ssl_context", functools.cache(httpx_transport.create_ssl_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def _resident() -> Iterator[None]:
    """What the servers' people and devices are added by ends with the session."""
    yield
    RESIDENT.end()


@pytest.fixture(scope="session")
def server(installation: Callable[[], Path]) -> Iterator[Server]:
    """The session's server, with two workers."""
    running = start(installation(), "--workers", "2")
    yield running
    end(running)


@pytest.fixture
def start_server(installation: Callable[[], Path]) -> Iterator[StartServer]:
    """Start servers of the test's own; those that still run are stopped after it, and their data is removed.

    Without a data directory it is one whose database is made and migrated already.
    """
    running: list[Server] = []
    made: list[Path] = []

    def start_one(*arguments: str, data_dir: Path | None = None, **settings: str) -> Server:
        if data_dir is None:
            made.append(installation())
        running.append(start(data_dir or made[-1], *arguments, **settings))
        return running[-1]

    yield start_one
    for each in reversed(running):
        end(each)
    for directory in made:
        shutil.rmtree(directory.parent)


@pytest.fixture(scope="module")
def module_start() -> Iterator[Callable[..., Server]]:
    """Start servers that the tests of one file share; they are stopped after its last."""
    running: list[Server] = []

    def start_one(data_dir: Path, *arguments: str, **settings: str) -> Server:
        running.append(start(data_dir, *arguments, **settings))
        return running[-1]

    yield start_one
    for each in reversed(running):
        end(each)


@pytest.fixture
def own_data_dir(reachable_directory: Callable[[], Path]) -> Path:
    """A data directory that nothing has used."""
    return reachable_directory() / "data"


@pytest.fixture(name="command")
def command_fixture() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `releve ARGUMENTS…` to its end, with further settings as keywords."""
    return command


@pytest.fixture(name="free_port")
def free_port_fixture() -> Callable[[], int]:
    """Find a port that nobody uses at this moment."""
    return free_port


def start(data_dir: Path, *arguments: str, **settings: str) -> Server:
    """Start a server and wait for its summary."""
    errors = data_dir.with_name(f"{data_dir.name}-errors-{secrets.token_hex(2)}.log")
    with errors.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "releve", "up", "--data-dir", str(data_dir), *arguments],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(**{"RELEVE_PORT": "0", "RELEVE_MQTT_PORT": "0"} | settings),
        )
    summary = "".join(until_ready(process))
    if process.poll() is not None:
        process.communicate()  # closes its pipe, which would end some later test with a ResourceWarning
        pytest.fail(f"ended with {process.returncode}: {errors.read_text()[-3000:]}")
    return Server(process, data_dir, errors, summary, settings)


def until_ready(process: subprocess.Popen[str]) -> Iterator[str]:
    """The lines of the summary; a server that takes too long is killed."""
    assert process.stdout is not None
    watchdog = threading.Timer(READY_WITHIN_S, process.kill)
    watchdog.start()
    for line in process.stdout:
        yield line
        if line.lstrip().startswith("Stop "):
            break
    else:
        process.wait(60)
    watchdog.cancel()


def end(server: Server) -> None:
    """Stop what runs, and close its pipe, also of a server that does not stop."""
    if server.process.poll() is None:
        server.process.terminate()
    with server.process as process:
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def command(*arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `releve ARGUMENTS…` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "releve", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_WITHIN_S,
        env=environment(**settings),
    )


def environment(**settings: str) -> dict[str, str]:
    """Our environment without what would set Relevé up differently."""
    return {name: value for name, value in os.environ.items() if not name.startswith(STRANGE)} | settings


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
