"""The composition root of the bridge's process: its own writers, one task per broker, an orderly end."""

import asyncio
import pathlib
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import structlog

from releve.access.revocation import RevocationFeed
from releve.ingest.batch import GroupCommit
from releve.ingest.bridge.broker import BrokerBridge
from releve.ingest.bridge.config import Broker, Config, RuleAction
from releve.ingest.bridge.device import Devices
from releve.ingest.bridge.intake import Intake
from releve.ingest.bridge.stray import Strays
from releve.ingest.counters import Counters
from releve.ingest.last_value import LastValues
from releve.ingest.path import Path
from releve.live.feed import Feed
from releve.live.hub import Hub
from releve.protocol.problem import Unavailable
from releve.serve.housekeeping import Housekeeping
from releve.serve.process.snapshot import Snapshot
from releve.settings import Settings
from releve.storage.link_store import LinkStore
from releve.storage.pool import Pool
from releve.storage.race_driver import RaceDrivers
from releve.storage.session import Session
from releve.storage.writer import Writer
from releve.task import Tasks

WRITERS = 2
NAME = "bridge"
FEED_INDEX = 1_000  # no worker has that number
AGAIN_S = 1.0
_STOPPING = (signal.SIGINT, signal.SIGTERM)
_log = structlog.get_logger()


class Bridge:
    """Every broker of one configuration.

    Args:
        settings: What the operator chose; `database_url` is where readings go.
        config: Which brokers.

    Raises:
        BadConfig: A file of a broker cannot be used.
    """

    def __init__(self, settings: Settings, config: Config) -> None:
        url = settings.database_url
        self._counters = Counters()
        self._sessions = [Session(url, application=f"releve bridge {number}") for number in range(WRITERS)]
        self._writers = [Writer(session, device_channels=settings.device_channels) for session in self._sessions]
        self._group = GroupCommit(
            self._writers,
            backlog=settings.backlog_readings,
            device_backlog=settings.device_backlog_readings,
            counters=self._counters,
        )
        self._pool = Pool(url, application="releve bridge pool", time_zone=settings.time_zone)
        self._path = Path(
            self._group,
            self._counters,
            values=LastValues(LinkStore(self._pool, worker=uuid4())),
            drivers=RaceDrivers(self._pool),
        )
        self._devices: list[Devices] = []
        self._strays: list[Strays] = []
        self._feed = RevocationFeed(url, revoked=self._forget, missed=lambda: self._forget(None))
        run_dir = settings.data_dir / "run"
        run_dir.mkdir(parents=True, exist_ok=True)
        self._housekeeping = Housekeeping(self._group, self._pool)
        self._snapshot = Snapshot(run_dir, NAME, self._counts)
        self._tasks = Tasks()
        self._hub = Hub(self._pool, Feed(run_dir, index=FEED_INDEX))  # whoever watches, watches at a worker
        self._group.on_committed = self._hub.committed
        self._path.values.on_kept = self._hub.kept
        self._brokers = [self._bridge_of(broker, settings.batch_limit, run_dir) for broker in config.broker]
        for action in config.rule_action:  # workers answer them; what they keep aside is looked after here
            self._intake_of(action, settings.batch_limit)

    async def run(self) -> None:
        """Bridge until SIGTERM or SIGINT, then commit, acknowledge and say goodbye.

        Raises:
            NoTeam: A broker's team is not there.
        """
        stop = asyncio.Event()
        for number in _STOPPING:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        self._group.start()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._close)
            stack.push_async_callback(self._tasks.stop)
            for name, work in (
                ("revocation feed", self._feed.run),
                ("housekeeping", self._housekeeping.run),
                ("mqtt values", self._path.values.run),
                ("live hub", self._hub.run),
                ("snapshot", self._snapshot.run),
            ):
                self._tasks.start(name, work)
            starting = asyncio.create_task(self._start())
            stack.push_async_callback(_ended, starting)
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await self._serve(stopping)
            stopping.cancel()

    async def _serve(self, stopping: "asyncio.Task[bool]") -> None:
        works = [broker.run() for broker in self._brokers] + [strays.run() for strays in self._strays]
        running = [asyncio.create_task(work) for work in works]
        try:
            await asyncio.wait((*running, stopping), return_when=asyncio.FIRST_COMPLETED)
            for task in running:
                if task.done():
                    task.result()  # it never ends by itself, so it failed
        finally:
            await asyncio.gather(*map(_ended, running))

    async def _start(self) -> None:
        """Find the teams, however long the database is away."""
        for devices in self._devices:
            while True:
                try:
                    await devices.start()
                except Unavailable as problem:
                    _log.warning("bridge waits for the database", reason=problem.detail)
                    await asyncio.sleep(AGAIN_S)
                else:
                    break

    async def _close(self) -> None:
        await self._group.drain()
        await self._path.values.flush()
        await self._housekeeping.flush()
        self._snapshot.forget()
        for session in self._sessions:
            await session.close()
        await self._pool.close()

    def _bridge_of(self, broker: Broker, batch_limit: int, folder: pathlib.Path) -> BrokerBridge:
        return BrokerBridge(broker, self._intake_of(broker, batch_limit), folder=folder)

    def _intake_of(self, entry: Broker | RuleAction, batch_limit: int) -> Intake:
        devices = Devices(self._pool, team=entry.team, own_name=f"bridge:{entry.name}")
        self._devices.append(devices)
        intake = Intake(devices, self._feed, self._path, batch_limit=batch_limit)
        self._strays.append(Strays(intake, self._pool))
        return intake

    def _counts(self) -> Mapping[str, Any]:
        restarts = [[NAME, task, count] for task, count in self._tasks.restarts.items()]
        return {**self._counters.snapshot(), "restarts": restarts, "reasons": self._tasks.reasons()}

    def _forget(self, principal: str | None) -> None:
        for devices in self._devices:
            devices.forget(principal)
        for writer in self._writers:
            writer.forget_machines_of(principal)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
