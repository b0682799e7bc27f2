"""The composition root of one worker: builds the parts, routes each request to its plane, starts and drains."""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from a2wsgi import WSGIMiddleware

from releve.access.compose import authenticator, device_sign_in
from releve.access.device_routes import DeviceRoutes
from releve.access.password_turn import Turns
from releve.access.visitor import SessionOf, Visitors
from releve.http import guard
from releve.http.answer import answer_problem
from releve.http.request import Disconnected, Limits, Receive, Request, Scope, Send
from releve.ingest.batch import GroupCommit
from releve.ingest.bridge.config import load
from releve.ingest.counters import Counters
from releve.ingest.http import IngestRoutes
from releve.ingest.mqtt import websocket
from releve.ingest.pipeline import Pipeline
from releve.ingest.racing.sensor_data import SensorDataRoute
from releve.ingest.rule_action.routes import CONFIRMATIONS, Confirmations, RuleActionRoutes
from releve.live import websocket as live_websocket
from releve.live.feed import Feed
from releve.live.hub import Hub
from releve.live.websocket import LivePages
from releve.protocol.problem import Broken, Problem
from releve.protocol.site import may_change
from releve.protocol.token import Keyring
from releve.query.device.broker_data import BrokerRoutes
from releve.query.routes import QueryRoutes
from releve.query.run.routes import RunRoutes
from releve.serve.follow import Follower
from releve.serve.housekeeping import Housekeeping
from releve.serve.mqtt import MqttServer
from releve.serve.pruning import Pruning
from releve.serve.status import StatusRoutes
from releve.settings import Settings
from releve.storage.pool import Pool
from releve.storage.race_store import RaceStore
from releve.storage.session import Session
from releve.storage.writer import Writer

Handler = Callable[[Request, Send], Awaitable[None]]
WRITERS = 2
DJANGO_THREADS = 8
_log = structlog.get_logger()


class Application:
    """One worker's ASGI application: the data plane answers here, all else goes to the control plane's threads.

    Args:
        settings: What the operator chose.
        keyring: The token signing keys.
        control: The control plane as a WSGI application.
        control_counts: What the control plane counted, as (event, count) rows for the metrics.
        session_of: Whose browser session a Cookie header stands for.
        follower: Keeps runs up to date in the background.
        index: The worker's number.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        keyring: Keyring,
        control: Callable[..., Any],
        control_counts: Callable[[], Mapping[str, int]],
        session_of: SessionOf,
        follower: Follower,
        index: int = 0,
    ) -> None:
        self._follower = follower
        self._limits = Limits(settings.body_limit_bytes, settings.body_timeout_s)
        self._root = settings.root_path.rstrip("/")
        self._request_ids = map("{}-{:x}".format, itertools.repeat(f"{os.getpid():x}"), itertools.count())
        self._control = WSGIMiddleware(control, workers=DJANGO_THREADS)
        self.counters = Counters()
        self._sessions = _sessions(settings, index)
        writers = [Writer(session) for session in self._sessions]
        self.group = GroupCommit(
            writers,
            backlog=settings.backlog_readings,
            device_backlog=settings.device_backlog_readings,
            counters=self.counters,
        )
        self.pool = Pool(settings.database_url, application=f"releve pool {index}", time_zone=settings.time_zone)
        self.authenticator = authenticator(settings, self.pool, keyring)
        self._device_sign_in = device_sign_in(settings, self.pool, keyring, count=self.counters.signed_in)
        for writer in writers:
            self.authenticator.on_revoked(writer.forget_machines_of)
        self.pipeline = Pipeline(self.group, self.counters)
        self.housekeeping = Housekeeping(
            self.group,
            self.pool,
            counters=self.counters,
            control_counts=control_counts,
            run_dir=settings.data_dir / "run",
            index=index,
        )
        self._pruning = Pruning(
            self.pool,
            days={
                "prune_receipts": settings.receipt_retention_days,
                "prune_audit_events": settings.audit_retention_days,
            }
            if index == 0
            else {},
        )
        ingest = IngestRoutes(self.authenticator, self.pipeline, batch_limit=settings.batch_limit)
        self._query = QueryRoutes(self.authenticator, self.pool, self.pipeline)
        self._runs = RunRoutes(self.authenticator, self.pool)
        status = StatusRoutes(self.group, self.authenticator, self.pool, self.housekeeping, settings=settings)
        self.mqtt = MqttServer(
            settings,
            authenticator=self.authenticator,
            pipeline=self.pipeline,
            pool=self.pool,
            keyring=keyring,
        )
        self.hub = Hub(self.pool, Feed(settings.data_dir / "run", index=index))
        self.hub.add(self.mqtt.endpoint)
        self.mqtt.endpoint.on_watched = self.hub.look_up
        self.group.on_committed = self.hub.committed
        self.authenticator.on_revoked(self.hub.changed)
        self._live = self._live_pages(settings, session_of)
        self.hub.add_watcher(self._live)
        self.mqtt.endpoint.values.on_kept = self.hub.kept
        self._otherwise = Turns(2 if settings.workers == 1 else 1).before(self._to_control)
        self._handlers = self._routes(settings, ingest, status)
        self._stack = AsyncExitStack()

    def _live_pages(self, settings: Settings, session_of: SessionOf) -> LivePages:
        visitors = Visitors(
            self.authenticator,
            self.pool,
            anonymous_role=settings.anonymous_role,
            session_of=session_of,
            public_url=settings.public_url,
            origins=settings.origins,
        )
        return LivePages(visitors, self.authenticator, self.counters, opened=self.hub.look_up)

    def _routes(self, settings: Settings, ingest: IngestRoutes, status: StatusRoutes) -> dict[str, Handler]:
        """Every fixed path of the data plane, and who answers it."""
        broker = BrokerRoutes(self.authenticator, self.pool, anonymous_role=settings.anonymous_role)
        races = RaceStore(self.pool)
        samples = SensorDataRoute(
            self.authenticator,
            self.pipeline,
            races,
            anonymous_role=settings.anonymous_role,
            may_change=partial(may_change, public_url=settings.public_url, origins=settings.origins),
        )
        actions = RuleActionRoutes(
            load(Path(settings.bridge_config)).rule_action if settings.bridge_config else (),
            authenticator=self.authenticator,
            pool=self.pool,
            pipeline=self.pipeline,
            confirmations=Confirmations(settings.data_dir / CONFIRMATIONS),
            batch_limit=settings.batch_limit,
        )
        return {
            **ingest.handlers,
            **DeviceRoutes(self._device_sign_in, otherwise=self._otherwise).handlers,
            **actions.handlers,
            **samples.handlers,
            **status.handlers,
            **broker.handlers,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._path(scope) == websocket.PATH:
            await websocket.answer(self.mqtt.endpoint, scope, receive, send)
        elif self._path(scope) == live_websocket.PATH:
            await self._live.answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._path(scope)
        request_id = next(self._request_ids)
        try:
            request = guard.checked(scope, receive, path=path, limits=self._limits, request_id=request_id)
            handler = self._handlers.get(path) or self._query.find(path) or self._runs.find(path)
            if handler is not None:
                await handler(request, send)
            else:
                await self._otherwise(request, send)
        except Disconnected:
            return
        except Problem as problem:
            self._note(problem, path=path, request_id=request_id, scope=scope)
            await answer_problem(send, problem, problem.wire, ((b"x-request-id", request_id.encode()),))
        except Exception:  # noqa: BLE001 - the boundary: whatever broke, its sender gets an answer and we a trace
            _log.exception("request failed", path=path, request_id=request_id)
            self.counters.refused("http", Broken.slug())
            await answer_problem(send, Broken(), headers=((b"x-request-id", request_id.encode()),))

    def _path(self, scope: Scope) -> str:
        """The route's path: without the stage prefix and without its trailing slash."""
        path: str = scope["path"]
        if self._root and path.startswith(f"{self._root}/"):
            path = path[len(self._root) :]
            scope["root_path"] = self._root
        return path[:-1] if path.endswith("/") and len(path) > 1 else path

    async def _to_control(self, request: Request, send: Send) -> None:
        scope, receive = await guard.buffered(request)
        await self._control(scope, receive, send)  # type: ignore[arg-type]

    def _note(self, problem: Problem, *, path: str, request_id: str, scope: Scope) -> None:
        self.counters.refused("http", problem.slug())
        client = scope.get("client")
        _log.info(
            "refused",
            status=problem.status,
            problem=problem.slug(),
            detail=str(problem)[:200],
            path=path[:200],
            address=client[0] if client else None,
            request_id=request_id,
        )

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
            ("follow runs", self._follower.run),
            ("pruning", self._pruning.run),
        ):
            task = asyncio.create_task(work(), name=name)
            self._stack.push_async_callback(_ended, task)
        await self.mqtt.start()

    async def stop(self) -> None:
        """Commit what waits, then end everything."""
        self.mqtt.refuse_new()
        await self.group.drain()
        await self.mqtt.stop()
        await self._stack.aclose()
        await self.housekeeping.finish()
        for session in self._sessions:
            await session.close()
        await self.pool.close()


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _sessions(settings: Settings, index: int) -> list[Session]:
    """One for each writer, spread over the databases that a worker may write through."""
    urls = [url.strip() for url in settings.ingest_database_urls.split(",") if url.strip()] or [settings.database_url]
    return [
        Session(urls[(index + number) % len(urls)], application=f"releve writer {index}.{number}")
        for number in range(WRITERS)
    ]
