"""What every request passes at the edge of a process: the guard, its route, and an answer whatever breaks."""

from collections.abc import Awaitable, Callable

import structlog

from releve.http import guard
from releve.http.answer import answer_problem
from releve.http.request import Disconnected, Limits, Receive, Request, Scope, Send
from releve.ingest.counters import Counters
from releve.protocol.problem import Broken, Problem
from releve.settings import Settings

Handler = Callable[[Request, Send], Awaitable[None]]
Find = Callable[[str], Handler | None]
_log = structlog.get_logger()


class Boundary:
    """Finds who answers a request, and answers for whoever cannot.

    Args:
        settings: What the operator chose.
        counters: Where refusals are counted.
        find: The handler of a path, None when it is none of this process's own.
        otherwise: Answers every other path.
    """

    def __init__(self, settings: Settings, *, counters: Counters, find: Find, otherwise: Handler) -> None:
        self._limits = Limits(settings.body_limit_bytes, settings.body_timeout_s)
        self._root = settings.root_path.rstrip("/")
        self._counters = counters
        self._find = find
        self._otherwise = otherwise

    async def answer(self, scope: Scope, receive: Receive, send: Send, *, request_id: str) -> None:
        """Answer one HTTP request."""
        path = self.path(scope)
        try:
            request = guard.checked(scope, receive, path=path, limits=self._limits, request_id=request_id)
            await (self._find(path) or self._otherwise)(request, send)
        except Disconnected:
            return
        except Problem as problem:
            client = scope.get("client")
            self.note(problem, path=path, request_id=request_id, address=client[0] if client else None)
            await answer_problem(send, problem, problem.wire, ((b"x-request-id", request_id.encode()),))
        except Exception:  # noqa: BLE001 - the boundary: whatever broke, its sender gets an answer and we a trace
            _log.exception("request failed", path=path, request_id=request_id)
            self._counters.refused("http", Broken.slug())
            await answer_problem(send, Broken(), headers=((b"x-request-id", request_id.encode()),))

    def path(self, scope: Scope) -> str:
        """The route's path: without the stage prefix and without its trailing slash."""
        path: str = scope["path"]
        if self._root and path.startswith(f"{self._root}/"):
            path = path[len(self._root) :]
            scope["root_path"] = self._root
        return path[:-1] if path.endswith("/") and len(path) > 1 else path

    def note(self, problem: Problem, *, path: str, request_id: str, address: str | None) -> None:
        """Count a refusal, and log it."""
        self._counters.refused("http", problem.slug())
        _log.info(
            "refused",
            status=problem.status,
            problem=problem.slug(),
            detail=str(problem)[:200],
            path=path[:200],
            address=address,
            request_id=request_id,
        )
