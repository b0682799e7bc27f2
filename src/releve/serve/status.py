"""`/healthz`, `/readyz` and `/metrics`."""

import asyncio
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from releve.access.authenticate import Authenticator
from releve.access.ending import EndingTokens
from releve.http.answer import answer, send_bytes
from releve.http.request import Request, Send
from releve.ingest import metrics
from releve.ingest.batch import GroupCommit
from releve.protocol.problem import Forbidden, Unauthenticated, Unavailable
from releve.protocol.site import is_loopback
from releve.query.routes import parameters
from releve.serve.hand_over.watch import Watch
from releve.serve.process.snapshot import STALE_S, Snapshot, age_s
from releve.settings import ALL, Settings
from releve.storage.pool import Pool
from releve.storage.session import weakness_of
from releve.task import Tasks

LOOK_S = 1.5  # an answer comes within 2 s, whatever the database does
SLOW_COMMIT_S = 2.0
MISSED_AFTER_S = 30.0  # background work may be away for that long before anything suffers


class StatusRoutes:
    """Answers whether this worker lives, whether it may acknowledge, and what it counted."""

    def __init__(
        self,
        group: GroupCommit,
        authenticator: Authenticator,
        pool: Pool,
        *,
        tasks: Tasks,
        snapshot: Snapshot,
        watch: Watch,
        settings: Settings,
    ) -> None:
        self._group = group
        self._authenticator = authenticator
        self._pool = pool
        self._ending = EndingTokens(pool)
        self._tasks = tasks
        self._snapshot = snapshot
        self._settings = settings
        self._watch = watch
        self._began_s = time.monotonic()
        self._look: asyncio.Task[str | None] | None = None
        self.handlers = {"/healthz": self.health, "/readyz": self.readiness, "/metrics": self.metrics}

    async def health(self, _request: Request, send: Send) -> None:
        """200 while the process answers at all."""
        await answer(send, 200, {"status": "ok"})

    async def readiness(self, request: Request, send: Send) -> None:
        """200 when all is well, else 503 with every reason; within 2 s in any case.

        With `?of=ingest` it says only whether readings are accepted and acknowledged: nothing else need be well for it.
        """
        if parameters(request).get("of") == "ingest":
            reasons = list(dict.fromkeys([*await self._database(), *self._own()]))
            await answer(send, 503 if reasons else 200, _document(reasons, []))
            return
        counts = self._others()
        database, control = await asyncio.gather(self._database(), self._watch.reasons())
        reasons = list(dict.fromkeys([*database, *self._own(), *control, *_named("reasons", counts)]))
        warnings = _named("warnings", counts)
        away_s = self._maintenance_away_s(counts)
        if away_s > MISSED_AFTER_S:
            reasons.append(f"background work has been away for {away_s:.0f} s")
        elif away_s > STALE_S:
            warnings.append("background work is away; it is started again")
        await answer(send, 503 if reasons else 200, _document(reasons, warnings))

    async def metrics(self, request: Request, send: Send) -> None:
        """All processes' counts in Prometheus' text format; for signed-in people where others can ask."""
        teams: Collection[int] | None = None
        if not is_loopback(self._settings.host) or self._settings.public_url or self._settings.trusted_proxies:
            teams = await self._teams_of_asker(request)
        headers = [(b"content-type", metrics.CONTENT_TYPE)]
        counts = [self._snapshot.counts(), *self._others()]
        await send_bytes(send, 200, metrics.render(counts, await self._ending.by_device(teams)), headers)

    async def _database(self) -> list[str]:
        """Why the database does not keep what is committed; looked at by one look at a time, which nobody waits for."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._weakness())
        await asyncio.wait((self._look,), timeout=LOOK_S)
        weakness = self._look.result() if self._look.done() else f"the database has not answered for {LOOK_S:g} s"
        return [reason for reason in (weakness, self._group.weakness) if reason is not None]

    async def _weakness(self) -> str | None:
        try:
            async with self._pool.connection() as connection:
                return await weakness_of(connection)
        except Unavailable as problem:
            return problem.detail

    def _own(self) -> Iterator[str]:
        if self._authenticator.feed.is_cut:
            yield "revocations cannot be checked: the feed from the database is cut"
        if self._group.failure is not None:
            yield f"the last commit failed: {self._group.failure}"
        if self._group.under_way_s > SLOW_COMMIT_S:
            yield f"a commit has been under way for {self._group.under_way_s:.0f} s"
        if self._group.is_full:
            yield "too much is waiting to be committed"
        yield from self._tasks.reasons()

    def _others(self) -> list[Mapping[str, Any]]:
        return metrics.siblings(self._snapshot.path.parent, own=self._snapshot.path)

    def _maintenance_away_s(self, counts: list[Mapping[str, Any]]) -> float:
        """For how long nothing has been heard of the background work that this machine should do."""
        if self._settings.only != ALL:
            return 0.0  # another machine does it
        found = (age_s(each) for each in counts if each.get("process") == "maintenance")
        return min(next(found, float("inf")), time.monotonic() - self._began_s)

    async def _teams_of_asker(self, request: Request) -> Collection[int]:
        token = request.token()
        if token is None:
            raise Unauthenticated
        sender = await self._authenticator.sender(token)
        if sender.is_device:
            raise Forbidden("metrics are for people")
        return sender.roles


def _document(reasons: list[str], warnings: list[str]) -> dict[str, Any]:
    return {"status": "not ready" if reasons else "ready", "reasons": reasons, "warnings": warnings}


def _named(key: str, counts: list[Mapping[str, Any]]) -> list[str]:
    """What the other processes say, as long as they are there to say it."""
    return [text for each in counts if "steps" not in each and age_s(each) < STALE_S for text in each.get(key, ())]
