"""The composition root of the process that answers people; it answers nobody but the processes that hand over."""

import asyncio
from collections.abc import Mapping
from typing import Any

from releve.access.authenticate import Authenticator
from releve.http.answer import answer, answer_problem
from releve.http.request import Receive, Scope, Send
from releve.ingest.counters import Counters
from releve.protocol.problem import Forbidden
from releve.protocol.token import Keyring
from releve.query.device.broker_data import BrokerRoutes
from releve.query.routes import QueryRoutes
from releve.query.run.routes import RunRoutes
from releve.serve.boundary import Boundary, Handler
from releve.serve.control.plane import Plane
from releve.serve.control.static import StaticFiles
from releve.serve.control.thread import Threads
from releve.serve.hand_over import introduction
from releve.serve.hand_over.watch import SESSION, STATE
from releve.serve.process.snapshot import Snapshot
from releve.settings import Settings
from releve.storage.pool import Pool
from releve.task import Tasks

NAME = "control"


class ControlApplication:
    """The control process's ASGI application.

    Args:
        settings: What the operator chose.
        keyring: The token signing keys.
        pepper: The key of device secrets' hashes; what proves a request to be handed over is made from it.
        plane: The control plane.
    """

    def __init__(self, settings: Settings, *, keyring: Keyring, pepper: bytes, plane: Plane) -> None:
        self._proof = introduction.proof_of(pepper)
        self._plane = plane
        self._pool = Pool(settings.database_url, application="releve pool control", time_zone=settings.time_zone)
        self._authenticator = Authenticator(settings.database_url, pool=self._pool, keyring=keyring)
        self._counters = Counters()
        self._tasks = Tasks()
        self._snapshot = Snapshot(settings.data_dir / "run", NAME, self._counts)
        self._threads = Threads(plane.application)
        self._query = QueryRoutes(self._authenticator, self._pool)
        self._runs = RunRoutes(self._authenticator, self._pool)
        self._static = StaticFiles(plane.static_files)
        self._broker = BrokerRoutes(self._authenticator, self._pool, anonymous_role=settings.anonymous_role)
        self._boundary = Boundary(settings, counters=self._counters, find=self._find, otherwise=self._threads.answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        written = introduction.read(scope, proof=self._proof) if scope["type"] == "http" else None
        if written is None:
            await answer_problem(send, Forbidden("this address is for Relevé's own processes"))
        elif written.question:
            await self._answer_question(written.question, scope, send)
        else:
            scope = introduction.opened(scope, written)
            await self._boundary.answer(scope, receive, send, request_id=written.request_id)

    def _find(self, path: str) -> Handler | None:
        return (
            self._broker.handlers.get(path)
            or self._query.find(path)
            or self._runs.find(path)
            or self._static.find(path)
        )

    async def _answer_question(self, question: str, scope: Scope, send: Send) -> None:
        if question == STATE:
            await answer(send, 200, {"reasons": self._reasons()})
        elif question == SESSION:
            cookies = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
            found = await asyncio.to_thread(self._plane.session_of, cookies.decode("latin-1"))
            await answer(send, 200, None if found is None else (found[0], str(found[1]), found[2]))

    def _reasons(self) -> list[str]:
        return [*self._threads.reasons(), *self._tasks.reasons()]

    def _counts(self) -> Mapping[str, Any]:
        return {
            "problems": self._counters.snapshot()["problems"],
            "sign_ins": [[event, count] for event, count in self._plane.counts().items()],
            "restarts": [[NAME, task, count] for task, count in self._tasks.restarts.items()],
        }

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._tasks.start("revocation feed", self._authenticator.feed.run)
                self._tasks.start("snapshot", self._snapshot.run)
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._tasks.stop()
                self._snapshot.forget()
                await self._pool.close()
                await send({"type": "lifespan.shutdown.complete"})
                return
