"""`/healthz`, `/readyz` and `/metrics`."""

from collections.abc import AsyncIterator, Collection

from releve.access.authenticate import Authenticator
from releve.access.ending import EndingTokens
from releve.http.answer import answer, send_bytes
from releve.http.request import Request, Send
from releve.ingest import metrics
from releve.ingest.batch import GroupCommit
from releve.protocol.problem import Forbidden, Unauthenticated, Unavailable
from releve.protocol.site import is_loopback
from releve.serve.housekeeping import Housekeeping
from releve.settings import Settings
from releve.storage.pool import Pool
from releve.storage.session import weakness_of


class StatusRoutes:
    """Answers whether this worker lives, whether it may acknowledge, and what it counted."""

    def __init__(
        self,
        group: GroupCommit,
        authenticator: Authenticator,
        pool: Pool,
        housekeeping: Housekeeping,
        *,
        settings: Settings,
    ) -> None:
        self._group = group
        self._authenticator = authenticator
        self._pool = pool
        self._ending = EndingTokens(pool)
        self._housekeeping = housekeeping
        self._settings = settings
        self.handlers = {"/healthz": self.health, "/readyz": self.readiness, "/metrics": self.metrics}

    async def health(self, _request: Request, send: Send) -> None:
        """200 while the process answers at all."""
        await answer(send, 200, {"status": "ok"})

    async def readiness(self, _request: Request, send: Send) -> None:
        """200 when readings are accepted and acknowledged, else 503 with every reason."""
        reasons = [reason async for reason in self._reasons()]
        document = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        await answer(send, 503 if reasons else 200, document)

    async def metrics(self, request: Request, send: Send) -> None:
        """All workers' counts in Prometheus' text format; for signed-in people where others can ask."""
        teams: Collection[int] | None = None
        if not is_loopback(self._settings.host) or self._settings.public_url or self._settings.trusted_proxies:
            teams = await self._teams_of_asker(request)
        headers = [(b"content-type", metrics.CONTENT_TYPE)]
        await send_bytes(
            send, 200, metrics.render(self._housekeeping.snapshots(), await self._ending.by_device(teams)), headers
        )

    async def _reasons(self) -> AsyncIterator[str]:
        try:
            async with self._pool.connection() as connection:
                weakness = await weakness_of(connection)
        except Unavailable as problem:
            weakness = problem.detail
        for reason in dict.fromkeys((weakness, self._group.weakness)):
            if reason is not None:
                yield reason
        if self._authenticator.feed.is_cut:
            yield "revocations cannot be checked: the feed from the database is cut"
        if self._group.is_full:
            yield "too much is waiting to be committed"

    async def _teams_of_asker(self, request: Request) -> Collection[int]:
        token = request.token()
        if token is None:
            raise Unauthenticated
        sender = await self._authenticator.sender(token)
        if sender.is_device:
            raise Forbidden("metrics are for people")
        return sender.roles
