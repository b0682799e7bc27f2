"""The composition root of one ingest worker: builds the parts, hands over what is not its own, starts and drains."""

import itertools
import os
import pathlib
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from releve.access.compose import authenticator, device_sign_in
from releve.access.device_routes import DeviceRoutes
from releve.access.device_sign_in import DeviceSignIn
from releve.access.password_turn import Turns
from releve.access.shared import Links
from releve.access.visitor import Visitors
from releve.http.edge import Hosts
from releve.http.request import Receive, Scope, Send
from releve.ingest.batch import GroupCommit
from releve.ingest.bridge.config import load
from releve.ingest.counters import Counters
from releve.ingest.direct import Direct, extra_lines
from releve.ingest.http import IngestRoutes
from releve.ingest.last_value import LastValues
from releve.ingest.mqtt import websocket
from releve.ingest.path import Path
from releve.ingest.racing.sensor_data import SensorDataRoute
from releve.ingest.rule_action.routes import CONFIRMATIONS, Confirmations, RuleActionRoutes
from releve.live import streams
from releve.live import websocket as live_websocket
from releve.live.feed import Feed
from releve.live.hub import Hub
from releve.live.streams import Streams
from releve.live.websocket import LivePages
from releve.protocol.problem import Problem
from releve.protocol.site import may_change
from releve.protocol.token import Keyring
from releve.query.routes import ReplayRoutes
from releve.serve.boundary import Boundary, Handler
from releve.serve.hand_over import introduction
from releve.serve.hand_over.address import Address
from releve.serve.hand_over.desk import Desk
from releve.serve.hand_over.pool import Connections
from releve.serve.hand_over.watch import Watch
from releve.serve.housekeeping import Housekeeping
from releve.serve.mqtt import MqttServer
from releve.serve.process.snapshot import Snapshot
from releve.serve.recovery import Recovery
from releve.serve.status import StatusRoutes
from releve.settings import Settings
from releve.storage.link_store import LinkStore
from releve.storage.pool import Pool
from releve.storage.race_driver import RaceDrivers
from releve.storage.race_store import RaceStore
from releve.storage.session import Session
from releve.storage.writer import Writer
from releve.task import Tasks

WRITERS = 2
FEED_PATIENCE_S = 3.0


class Application:
    """One worker's ASGI application: it takes readings and pushes live ones; all else is the control process's.

    Args:
        settings: What the operator chose.
        keyring: The token signing keys.
        pepper: The key of device secrets' hashes.
        index: The worker's number.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        keyring: Keyring,
        pepper: bytes,
        index: int = 0,
    ) -> None:
        self._request_ids = map("{}-{:x}".format, itertools.repeat(f"{os.getpid():x}"), itertools.count())
        self.counters = Counters()
        self._sessions = _sessions(settings, index)
        writers = [Writer(session, device_channels=settings.device_channels) for session in self._sessions]
        self.group = GroupCommit(
            writers,
            backlog=settings.backlog_readings,
            device_backlog=settings.device_backlog_readings,
            counters=self.counters,
        )
        self.pool = Pool(settings.database_url, application=f"releve pool {index}", time_zone=settings.time_zone)
        self.authenticator = authenticator(settings, self.pool, keyring)
        self._device_sign_in = self._sign_in_of_devices(settings, keyring)
        for writer in writers:
            self.authenticator.on_revoked(writer.forget_machines_of)
        self.path = Path(
            self.group,
            self.counters,
            values=LastValues(LinkStore(self.pool, worker=uuid4())),
            drivers=RaceDrivers(self.pool),
        )
        self.tasks = Tasks()
        self.housekeeping = Housekeeping(self.group, self.pool, used=self.authenticator.used)
        self._name = f"worker-{index}"
        self.snapshot = Snapshot(settings.data_dir / "run", self._name, self._counts)
        ingest = IngestRoutes(self.authenticator, self.path, batch_limit=settings.batch_limit)
        self._replay = ReplayRoutes(self.authenticator, self.pool, self.path)
        address, proof = Address.chosen(settings.control_url, settings.data_dir), introduction.proof_of(pepper)
        self._connections = Connections(address)
        self._questions = Connections(address)  # of our own, which get through when clients' requests crowd
        self._watch = Watch(self._questions, proof=proof)
        status = StatusRoutes(
            self.group,
            self.authenticator,
            self.pool,
            tasks=self.tasks,
            snapshot=self.snapshot,
            watch=self._watch,
            settings=settings,
        )
        self.mqtt = MqttServer(
            settings,
            authenticator=self.authenticator,
            path=self.path,
            pool=self.pool,
            keyring=keyring,
        )
        self.hub = Hub(self.pool, Feed(settings.data_dir / "run", index=index))
        self.hub.add(self.mqtt.endpoint)
        self.mqtt.endpoint.on_watched = self.hub.look_up
        self.group.on_committed = self.hub.committed
        self.authenticator.on_revoked(self.hub.changed)
        visitors = self._visitors(settings, pepper)
        self._live = LivePages(visitors, self.authenticator, self.counters, opened=self.hub.look_up)
        self.hub.add_watcher(self._live)
        self.streams = Streams(visitors, self.authenticator, self.pool, self.counters, opened=self.hub.look_up)
        self.hub.add_streams(self.streams)
        self.path.values.on_kept = self.hub.kept
        desk = Desk(self._connections, self._watch, proof=proof)
        self._otherwise = Turns(2 if settings.workers == 1 else 1).before(desk.answer)
        self._handlers = self._routes(settings, ingest, status)
        self._boundary = Boundary(settings, counters=self.counters, find=self._find, otherwise=self._otherwise)

    def _sign_in_of_devices(self, settings: Settings, keyring: Keyring) -> DeviceSignIn:
        counters = self.counters
        return device_sign_in(
            settings, self.pool, keyring, count=counters.signed_in, is_busy=lambda: counters.depth > 0
        )

    def _visitors(self, settings: Settings, pepper: bytes) -> Visitors:
        return Visitors(
            self.authenticator,
            self.pool,
            anonymous_role=settings.anonymous_role,
            session_of=self._watch.session_of,
            links=Links(self.pool, pepper),
            public_url=settings.public_url,
            origins=settings.origins,
        )

    def _routes(self, settings: Settings, ingest: IngestRoutes, status: StatusRoutes) -> dict[str, Handler]:
        """Every fixed path of the data plane, and who answers it."""
        races = RaceStore(self.pool)
        samples = SensorDataRoute(
            self.authenticator,
            self.path,
            races,
            anonymous_role=settings.anonymous_role,
            may_change=partial(may_change, public_url=settings.public_url, origins=settings.origins),
        )
        actions = RuleActionRoutes(
            load(pathlib.Path(settings.bridge_config)).rule_action if settings.bridge_config else (),
            authenticator=self.authenticator,
            pool=self.pool,
            path=self.path,
            confirmations=Confirmations(settings.data_dir / CONFIRMATIONS),
            batch_limit=settings.batch_limit,
        )
        return {
            **ingest.handlers,
            **DeviceRoutes(self._device_sign_in, otherwise=self._otherwise).handlers,
            **actions.handlers,
            **samples.handlers,
            **status.handlers,
            streams.PATH: self.streams.answer,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI connection."""
        if scope["type"] == "http":
            await self._boundary.answer(scope, receive, send, request_id=next(self._request_ids))
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._boundary.path(scope) == websocket.PATH:
            await websocket.answer(self.mqtt.endpoint, scope, receive, send)
        elif self._boundary.path(scope) == live_websocket.PATH:
            await self._live.answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    def direct(self, settings: Settings, hosts: Hosts) -> Direct:
        """Who answers usual requests below ASGI."""
        return Direct(
            self.authenticator,
            self.path,
            hosts=hosts,
            extra=extra_lines(has_origins=bool(settings.origins), is_https=settings.public_url.startswith("https://")),
            prefixes={"", settings.root_path.rstrip("/")},
            batch_limit=settings.batch_limit,
            body_limit_bytes=settings.body_limit_bytes,
            noted=self._noted,
        )

    def _noted(self, problem: Problem, path: str, address: str | None) -> str:
        request_id = next(self._request_ids)
        self._boundary.note(problem, path=path, request_id=request_id, address=address)
        return request_id

    def _find(self, path: str) -> Handler | None:
        return self._handlers.get(path) or self._replay.find(path)

    def _counts(self) -> Mapping[str, Any]:
        return {
            **self.counters.snapshot(),
            "restarts": [[self._name, task, count] for task, count in self.tasks.restarts.items()],
            "reasons": self.tasks.reasons(),
        }

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def start(self) -> None:
        """Start the writers, the revocation feed and the housekeeping."""
        self.group.start()
        for name, work in (
            ("revocation feed", self.authenticator.feed.run),
            ("housekeeping", self.housekeeping.run),
            ("live hub", self.hub.run),
            ("live streams", self.streams.run),
            ("control watch", self._watch.run),
            ("recovery", Recovery(self.group, self.pool).run),
            ("snapshot", self.snapshot.run),
            ("mqtt values", self.path.values.run),
            *self.mqtt.endpoint.background(),
        ):
            self.tasks.start(name, work)
        # Whoever is let in before revocations are heard is refused, and the published clients never try again.
        await self.authenticator.feed.began(patience_s=FEED_PATIENCE_S)
        await self.mqtt.start()

    async def stop(self) -> None:
        """Commit what waits, then end everything."""
        self.mqtt.refuse_new()
        await self.group.drain()
        await self.mqtt.stop()
        await self.tasks.stop()
        await self.housekeeping.flush()
        self.snapshot.forget()
        for session in self._sessions:
            await session.close()
        self._connections.close()
        self._questions.close()
        await self.pool.close()


def _sessions(settings: Settings, index: int) -> list[Session]:
    """One for each writer, spread over the databases that a worker may write through."""
    urls = [url.strip() for url in settings.ingest_database_urls.split(",") if url.strip()] or [settings.database_url]
    return [
        Session(urls[(index + number) % len(urls)], application=f"releve writer {index}.{number}")
        for number in range(WRITERS)
    ]
