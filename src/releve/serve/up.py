"""What `releve up` runs: checks first, then PostgreSQL, migrations and workers in order, and the stop in reverse."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import structlog

from releve import __version__
from releve.ingest.bridge import credential
from releve.ingest.bridge.config import BadConfig, load
from releve.serve import external_database, instance, migration, restoration
from releve.serve.instance import Instance
from releve.serve.process import logs, port
from releve.serve.process.part import Child
from releve.serve.process.postgres import postgres_part
from releve.serve.process.supervisor import Part, PartFailed, Supervisor
from releve.settings import ALL, Settings, as_text, variable
from releve.storage.embedded import EmbeddedPostgres
from releve.storage.embedded.location import make_data_directory

ANSWER_PATIENCE_S = 8.0
ARENAS = "2"  # of glibc: what one thread gave back, another one uses; with eight a core a large answer stays for ever
PYTHON = (sys.executable, "-P", "-m")  # -P: what lies in the working directory is not imported
_log = structlog.get_logger("releve.up")


@dataclass(frozen=True, kw_only=True)
class Started:
    """What there is to say once all is ready.

    Attributes:
        settings: As they turned out: a free port that was asked for has its number.
        urls: Every HTTP address, as this machine reaches it.
        mqtt_urls: Every MQTT address; the one without TLS first.
        database: Where the data is.
        administrator_code: The one-time code, while nobody has an account.
        obstacles: Why nothing is acknowledged, as /readyz says; empty when all is well.
        after_s: How long the start took.
    """

    settings: Settings
    urls: list[str]
    mqtt_urls: list[str]
    database: str
    administrator_code: str | None
    obstacles: Sequence[str]
    after_s: float


class Say(Protocol):
    """Told once that all is ready."""

    def __call__(self, started: Started, /) -> None:
        """Print it."""


def up(settings: Settings, *, simulations: Sequence[Sequence[str]], say: Say) -> int:
    """Serve until a signal; returns the exit code.

    Args:
        settings: What the operator chose; the data directory is an absolute path.
        simulations: Arguments of `releve simulate` to run beside it.
        say: Told once that all is ready.

    Raises:
        NotOurs, InUse: Another user's, or another server's, is the data directory.
        PortProblem: A port cannot be had.
        EmbeddedPostgresError, DatabaseAway, DidNotMigrate, PartFailed: A part does not start; the message says why.
        BadAddress, NoToken: The database cannot be signed in to with tokens.
    """
    began_s = time.monotonic()
    logs.configure(level=settings.log_level, log_format=settings.log_format)
    instance.refuse_strangers(settings.data_dir)
    _bridges(settings)
    _refuse_alone(settings)
    make_data_directory(settings.data_dir)
    with ExitStack() as stack:
        held = instance.take(settings.data_dir, purpose=instance.SERVER)
        stack.callback(held.release)
        instance.end_leftovers(settings.data_dir)
        settings = _with_ports(settings, stack)
        settings = stack.enter_context(external_database.signing_in(settings, settings.data_dir / "run"))
        server = _Server(settings, held, simulations=simulations, say=say, began_s=began_s)
        return asyncio.run(server.run())


def _refuse_alone(settings: Settings) -> None:
    """A process that runs alone needs the others to be reachable.

    Raises:
        PartFailed: One of them could not be.
    """
    if settings.only == ALL:
        return
    if not settings.database_url:
        raise PartFailed(
            f"--only {settings.only} needs DATABASE_URL: the embedded database answers on its own machine only"
        )
    if settings.only == "ingest" and not settings.control_url:
        raise PartFailed("--only ingest needs RELEVE_CONTROL_URL, where `releve up --only control` listens")


class _Server:
    """The plan that the supervisor carries out."""

    def __init__(
        self, settings: Settings, held: Instance, *, simulations: Sequence[Sequence[str]], say: Say, began_s: float
    ) -> None:
        self._settings = settings
        self._held = held
        self._simulations = simulations
        self._say = say
        self._began_s = began_s
        self._published: dict[str, Any] | None = None
        self._supervisor = Supervisor(log=self._note)

    async def run(self) -> int:
        return await self._supervisor.run(self._plan)

    async def _plan(self, supervisor: Supervisor) -> None:
        applications = asyncio.create_task(asyncio.to_thread(migration.applications))  # while PostgreSQL starts
        url, place = await self._database(supervisor)
        environment = self._environment(url)
        parts = self._parts(environment)
        if await asyncio.to_thread(migration.missing, url, await applications):
            await asyncio.to_thread(migration.migrate_apart, environment)
        await self._bring_up_to_journal(url)
        code = await asyncio.to_thread(migration.administrators_code, url)
        await supervisor.start(*parts)
        if self._runs("ingest") and _bridges(self._settings):
            await supervisor.start(_bridge(environment))
        started = self._started(place, code)
        obstacles = await asyncio.to_thread(_obstacles, started.urls[0]) if started.urls else ()
        self._published = {
            "version": __version__,
            "pid": os.getpid(),
            "urls": started.urls,
            "mqtt_urls": started.mqtt_urls,
            "database": "external" if self._settings.database_url else "embedded",
        }
        self._publish()
        self._say(replace(started, obstacles=obstacles, after_s=time.monotonic() - self._began_s))
        await supervisor.start(*(_simulation(arguments, environment) for arguments in self._simulations))

    async def _bring_up_to_journal(self, url: str) -> None:
        """End again what a restored database has forgotten, before anybody is let in."""
        await asyncio.to_thread(
            restoration.bring_up_to_journal,
            url,
            self._settings.data_dir,
            is_alone=not self._settings.database_url,
            writes=self._runs("maintenance"),
        )

    def _runs(self, process: str) -> bool:
        return self._settings.only in (ALL, process)

    def _parts(self, environment: Mapping[str, str]) -> list[Part]:
        """Our processes, started side by side; the last stops first, so that what control was handed is answered."""
        settings = self._settings
        workers = range(settings.workers if self._runs("ingest") else 0)
        return [
            *([_ours("control", "releve.serve.control", settings, environment)] if self._runs("control") else []),
            *(_worker(settings, index, environment) for index in workers),
            *(
                [_ours("maintenance", "releve.serve.maintenance", settings, environment)]
                if self._runs("maintenance")
                else []
            ),
        ]

    async def _database(self, supervisor: Supervisor) -> tuple[str, str]:
        """The database's address, and in words where the data is."""
        if self._settings.database_url:
            await asyncio.to_thread(external_database.wait_for, self._settings.database_url)
            return self._settings.database_url, external_database.place(self._settings.database_url)
        wished = self._settings.postgres_bin
        postgres = EmbeddedPostgres(
            self._settings.data_dir,
            binaries=Path(wished) if wished else None,
            port=self._settings.postgres_port,
        )
        await supervisor.start(postgres_part(postgres))
        where = f", its database in {postgres.cluster}" if postgres.is_elsewhere else ""
        return postgres.url, f"{self._settings.data_dir}{where}"

    def _environment(self, url: str) -> dict[str, str]:
        """What the children run with: secrets travel here and never on a command line."""
        ours = {**as_environment(self._settings), "DATABASE_URL": url}
        return {"MALLOC_ARENA_MAX": ARENAS, **os.environ, **ours}

    def _started(self, place: str, code: str | None) -> Started:
        settings = self._settings
        host = reachable_host(settings.host)
        ports = [settings.port, *map(int, filter(None, settings.also_ports.split(",")))]
        return Started(
            settings=settings,
            urls=[f"http://{host}:{number}" for number in ports] if self._runs("ingest") else [],
            mqtt_urls=_mqtt_urls(settings) if self._runs("ingest") else [],
            database=place,
            administrator_code=code,
            obstacles=(),
            after_s=0.0,
        )

    def _note(self, event: str, /, **details: object) -> None:
        _log.info(event, **details)
        if event == "part_ready":
            self._publish()

    def _publish(self) -> None:
        if self._published is not None:
            self._held.publish({**self._published, "processes": self._supervisor.pids})


def as_environment(settings: Settings) -> dict[str, str]:
    """The settings as the variables that they are read from."""
    return {variable(item): as_text(getattr(settings, item.name)) for item in fields(settings)}


def reachable_host(host: str) -> str:
    """How this machine reaches a listening address.

    >>> reachable_host("0.0.0.0"), reachable_host("::1"), reachable_host("127.0.0.1")
    ('127.0.0.1', '[::1]', '127.0.0.1')
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"[{host}]" if ":" in host else host


def _with_ports(settings: Settings, stack: ExitStack) -> Settings:
    """The settings with every port held until the stack ends, and port 0 replaced by the free one that was found."""

    def hold(host: str, number: int, flag: str) -> int:
        return port.number(stack.enter_context(port.reserve(host, number, flag=flag)))

    if settings.only == "maintenance":
        return settings
    main = hold(settings.host, settings.port, "--port")
    if settings.only == "control":
        return replace(settings, port=main)
    also = [hold(settings.host, int(item), "--also-port") for item in settings.also_ports.split(",") if item.strip()]
    mqtt = None if settings.mqtt_port is None else hold(settings.mqtt_host, settings.mqtt_port, "--mqtt-port")
    secured = settings.mqtt_tls_port
    if settings.mqtt_certificate:
        secured = hold(settings.mqtt_tls_host or settings.host, secured, "RELEVE_MQTT_TLS_PORT")
    return replace(settings, port=main, also_ports=",".join(map(str, also)), mqtt_port=mqtt, mqtt_tls_port=secured)


def _mqtt_urls(settings: Settings) -> list[str]:
    plain, secured = settings.mqtt_port, settings.mqtt_tls_port if settings.mqtt_certificate else None
    reached = (("mqtt", settings.mqtt_host, plain), ("mqtts", settings.mqtt_tls_host or settings.host, secured))
    return [f"{scheme}://{reachable_host(host)}:{number}" for scheme, host, number in reached if number is not None]


def _worker(settings: Settings, index: int, environment: Mapping[str, str]) -> Part:
    return _ours(f"worker-{index}", "releve.serve.worker", settings, environment, "--index", str(index))


def _ours(name: str, module: str, settings: Settings, environment: Mapping[str, str], *arguments: str) -> Part:
    """A process of our own, which says in a file of the run folder that it is ready."""
    ready_file = settings.data_dir / "run" / f"{name}.json"
    child = Child(command=[*PYTHON, module, *arguments], environment=environment)

    async def is_ready(pid: int) -> bool:
        try:
            return bool(json.loads(ready_file.read_bytes())["pid"] == pid)
        except (FileNotFoundError, ValueError):
            return False

    return Part(name=name, child=lambda: child, is_ready=is_ready)


def _bridges(settings: Settings) -> bool:
    """Whether there is something to bridge.

    Raises:
        PartFailed: The bridge's file, or one that it names, cannot be used.
    """
    if not settings.bridge_config:
        return False
    try:
        credential.check(load(Path(settings.bridge_config)))
    except BadConfig as error:
        raise PartFailed(f"RELEVE_BRIDGE_CONFIG: {error}") from error
    return True


def _bridge(environment: Mapping[str, str]) -> Part:
    """The bridge to other brokers; its file is in the environment."""
    child = Child(command=[*PYTHON, "releve", "bridge"], environment=environment)
    return Part(name="bridge", child=lambda: child)


def _simulation(arguments: Sequence[str], environment: Mapping[str, str]) -> Part:
    name = f"simulator-{arguments[0]}"
    log = Path(environment["RELEVE_DATA_DIR"], "log", f"{name}.log")
    child = Child(
        command=[*PYTHON, "releve", "simulate", *arguments],
        environment=environment,
        output=lambda: log.open("wb"),
    )
    return Part(name=name, child=lambda: child)


def _obstacles(url: str) -> list[str]:
    """Wait until readings would be acknowledged; what stands against it after a while."""
    deadline_s = time.monotonic() + ANSWER_PATIENCE_S
    while True:
        try:
            with urlopen(f"{url}/readyz", timeout=5):  # noqa: S310 - our own address
                return []
        except HTTPError as error:
            reasons = [str(reason) for reason in json.loads(error.read())["reasons"]]
        except (URLError, OSError) as error:
            reasons = [str(error)]
        if time.monotonic() > deadline_s:
            return reasons
        time.sleep(0.02)
