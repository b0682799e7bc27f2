"""Hands requests over to the control process and streams its answers back."""

import asyncio

import structlog

from releve.http.request import Disconnected, Request, Send
from releve.protocol.problem import Problem, TooLarge, TooSlow
from releve.serve.hand_over import introduction
from releve.serve.hand_over.away import answer_page, is_for_people
from releve.serve.hand_over.connection import Answer, Connection, HungUp
from releve.serve.hand_over.pool import Connections, ControlAway, Crowded
from releve.serve.hand_over.watch import Watch
from releve.serve.spool import Spool

HEAD_S = 60.0  # the longest wait for the beginning of an answer
MOST_BYTES = 4 * 1024 * 1024  # of one answer that its client has not read; beyond that it keeps its connection
LOOK_S = 0.5  # how soon a wait ends once the control process is known to be away
# What is said between two neighbours only [RFC 9110, section 7.6.1], and what only we may say.
_BETWEEN_US = frozenset({
    b"connection", b"keep-alive", b"proxy-connection", b"te", b"transfer-encoding", b"upgrade", b"expect", b"trailer",
    introduction.HEADER,
})  # fmt: skip
_NOT_BACK = frozenset({b"transfer-encoding", b"keep-alive", b"date", b"server"})
_UNREPEATABLE = frozenset({b"content-length", b"transfer-encoding"})
_log = structlog.get_logger()


class Desk:
    """Where requests that are not this process's own are handed over.

    Args:
        connections: Lends connections to the control process.
        watch: Knows whether it is there.
        proof: What only processes of this installation know.
    """

    def __init__(self, connections: Connections, watch: Watch, *, proof: str) -> None:
        self._connections = connections
        self._watch = watch
        self._proof = proof

    async def answer(self, request: Request, send: Send) -> None:
        """Answer one request; a person whose browser asks while the control process is away gets a page.

        Raises:
            Problem: The request is refused, or the control process is away.
            Disconnected: The client went, or the answer broke off in the middle.
        """
        try:
            await self._answer(request, send)
        except (ControlAway, Crowded) as problem:
            if not is_for_people(request):
                raise
            await answer_page(request, send, problem)

    async def _answer(self, request: Request, send: Send) -> None:
        if self._watch.is_away:
            raise ControlAway
        may_repeat = request.method in {"GET", "HEAD"} and not _UNREPEATABLE & request.headers.keys()
        try:
            await self._exchange(request, send, fresh=False)
        except HungUp as error:
            # A connection that was kept may have been closed in the very moment that it was used again.
            if not may_repeat:
                raise ControlAway from error
            try:
                await self._exchange(request, send, fresh=True)
            except HungUp as again:
                raise ControlAway from again

    async def _exchange(self, request: Request, send: Send, *, fresh: bool) -> None:
        with Spool(most_bytes=MOST_BYTES) as spool:
            fetching = asyncio.create_task(self._fetch(request, spool.put, fresh=fresh))
            sending = asyncio.create_task(spool.send_to(send))
            try:
                await asyncio.wait((fetching, sending), return_when=asyncio.FIRST_EXCEPTION)
                for task in (fetching, sending):
                    if task.done():
                        await task  # what it raised
            except (Problem, HungUp) as error:
                if spool.is_begun:  # it is too late to answer anything else
                    raise Disconnected from error
                raise
            finally:
                for task in (fetching, sending):
                    task.cancel()
                await asyncio.gather(fetching, sending, return_exceptions=True)

    async def _fetch(self, request: Request, put: Send, *, fresh: bool) -> None:
        """Get the answer; the connection is free again as soon as it is whole, however slowly the client reads."""
        connection = await self._connections.take(fresh=fresh)
        inward = asyncio.create_task(_pass_on(request, connection, self._head_of(request)))
        outward = asyncio.create_task(self._bring_back(connection, put))
        try:
            await asyncio.wait((inward, outward), return_when=asyncio.FIRST_COMPLETED)
            if outward.done():
                await outward
            else:
                await inward  # it only ends early by the client's or the body's fault
        finally:
            if not connection.is_sent:
                connection.close()  # the rest of its body would be taken for the next request
            for task in (inward, outward):
                task.cancel()
            await asyncio.gather(inward, outward, return_exceptions=True)
            self._connections.give_back(connection)

    async def _bring_back(self, connection: Connection, put: Send) -> None:
        """Pass the answer on, piece by piece, as fast as it is taken."""
        answer = await self._head_from(connection)
        headers = [(name, value) for name, value in answer.headers if name not in _NOT_BACK]
        await put({"type": "http.response.start", "status": answer.status, "headers": headers})
        try:
            while piece := await connection.piece():
                await put({"type": "http.response.body", "body": piece, "more_body": True})
        except HungUp as error:
            _log.warning("an answer broke off", status=answer.status)
            raise Disconnected from error  # so that nobody takes a part for the whole
        await put({"type": "http.response.body", "body": b""})

    async def _head_from(self, connection: Connection) -> Answer:
        waiting = asyncio.ensure_future(connection.head())
        try:
            for _ in range(int(HEAD_S / LOOK_S)):
                await asyncio.wait((waiting,), timeout=LOOK_S)
                if waiting.done():
                    return await waiting
                if self._watch.is_away:
                    break
            raise ControlAway
        finally:
            waiting.cancel()

    def _head_of(self, request: Request) -> bytes:
        scope = request.scope
        target: bytes = scope["raw_path"]
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        who = introduction.written(scope, proof=self._proof, request_id=request.id)
        headers = [(name, value) for name, value in scope["headers"] if name not in _BETWEEN_US]
        if b"transfer-encoding" in request.headers:
            headers.append((b"transfer-encoding", b"chunked"))
        return introduction.head_of(request.method, target, [*headers, (introduction.HEADER, who)])


async def _pass_on(request: Request, connection: Connection, head: bytes) -> None:
    """Send the request on, its body piece by piece and bounded, then wait until the client goes.

    Raises:
        TooLarge, TooSlow: The body is, or comes, so.
        Disconnected: The client went.
    """
    length = request.headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > request.limits.body_bytes:
        raise _too_large(request)
    connection.send(request.method, head)
    try:
        async with asyncio.timeout(request.limits.body_s):
            await _pass_body_on(request, connection)
    except TimeoutError as error:
        raise TooSlow from error
    while (await request.receive())["type"] != "http.disconnect":
        pass
    raise Disconnected


async def _pass_body_on(request: Request, connection: Connection) -> None:
    is_chunked = b"transfer-encoding" in request.headers
    size = 0
    if is_chunked or b"content-length" in request.headers:
        while True:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            body: bytes = message.get("body", b"")
            size += len(body)
            if size > request.limits.body_bytes:
                raise _too_large(request)
            if body:
                await connection.send_more(b"%x\r\n%b\r\n" % (len(body), body) if is_chunked else body)
            if not message.get("more_body", False):
                break
    if is_chunked:
        await connection.send_more(b"0\r\n\r\n")
    connection.is_sent = True


def _too_large(request: Request) -> Problem:
    return TooLarge(f"the body is larger than {request.limits.body_bytes} bytes; send fewer readings at once")
