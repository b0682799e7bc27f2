"""The data plane's routes of runs: compare, chart and export."""

from releve.access.authenticate import Authenticator
from releve.http.request import Request, Send, while_there
from releve.protocol.problem import Forbidden, MethodNotAllowed, NotFound, Unauthenticated
from releve.protocol.sender import Sender
from releve.query.described import descriptions
from releve.query.device import readings
from releve.query.export.answer import Export, Wish
from releve.query.routes import Handler, parameters
from releve.query.run import run as runs
from releve.query.run.compare import Comparison, answer_comparison
from releve.query.run.run import Run
from releve.query.series.asked import OF_RUN, Asked
from releve.query.series.reply import Replies
from releve.query.series.source import of_run
from releve.storage.pool import Pool

_RUNS = ("api", "v1", "runs")
_LARGEST_ID = 2**63 - 1


class RunRoutes:
    """Finds the handler of a path and answers about runs of the caller's teams only."""

    def __init__(self, authenticator: Authenticator, pool: Pool) -> None:
        self._authenticator = authenticator
        self._pool = pool
        self._replies = Replies(pool)

    def find(self, path: str) -> Handler | None:
        """The handler of a path, None when it is another's."""
        match path.split("/")[1:]:
            case [*start, "compare"] if tuple(start) == _RUNS:
                return self._compare
            case [*start, number, "export"] if tuple(start) == _RUNS:
                return self._export(number)
            case [*start, number, "series"] if tuple(start) == _RUNS:
                return self._series(number)
        return None

    async def _compare(self, request: Request, send: Send) -> None:
        sender = await self._sender(request)
        comparison = Comparison.of(parameters(request))
        found = [await self._run(number, sender) for number in comparison.runs]
        await while_there(request, answer_comparison(self._pool, send, runs=found, comparison=comparison))

    def _export(self, number: str) -> Handler:
        async def handler(request: Request, send: Send) -> None:
            sender = await self._sender(request)
            run = await self._run(number, sender)
            asked = Wish.of(parameters(request), accept=request.text(b"accept"), beside=readings.SPAN)
            which = run.within(readings.span_of(parameters(request)))
            told = await descriptions(self._pool, {run.device_id: run.contract}, [run.team_id])
            export = Export(self._pool, which, asked, told[run.device_id], name=f"run-{run.id}")
            await export.reply(request, send)

        return handler

    def _series(self, number: str) -> Handler:
        async def handler(request: Request, send: Send) -> None:
            sender = await self._sender(request)
            run = await self._run(number, sender)
            asked = Asked.of(request.query, known=OF_RUN, accept=request.text(b"accept"))
            source = of_run(run, asked)
            await self._replies.answer(request, send, asked=asked, sources=[source])

        return handler

    async def _sender(self, request: Request) -> Sender:
        if request.method not in {"GET", "HEAD"}:
            raise MethodNotAllowed(f"{request.path} takes GET only")
        token = request.token()
        if token is None:
            raise Unauthenticated
        sender = await self._authenticator.sender(token)
        if sender.is_device:
            raise Forbidden("a device's sign-in sends readings; sign in as a person to read them")
        return sender

    async def _run(self, text: str, sender: Sender) -> Run:
        """A run, as long as the sender may read it; a stranger's is not found rather than forbidden."""
        is_number = text.isascii() and text.isdigit() and int(text[:20]) <= _LARGEST_ID
        found = await runs.find(self._pool, int(text)) if is_number else None
        if found is None or not sender.may_read(found.team_id):
            raise NotFound("there is no such run, or it is not your team's")
        return found
