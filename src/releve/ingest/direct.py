"""Usual readings over HTTP, straight from the parser to the group and back: no task, no future, no ASGI.

The same steps as `releve.ingest.http`, for requests about which there is nothing to say: a token that is remembered,
headers that decide nothing, a body that is right. About any other that module knows what to do, so it is left to it
before anything of it is taken. The bytes of an answer are the same both ways.
"""

import time
from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import Callable, Iterable
from time import perf_counter

import structlog

from releve.access.authenticate import Authenticator
from releve.http.answer import encode, told_of
from releve.http.direct import Reply
from releve.http.edge import HSTS, Hosts
from releve.http.request import Header, credential_of
from releve.ingest.path import AT_ONCE, Path
from releve.ingest.submission import Submission
from releve.ingest.verdict import spelt, spelt_all
from releve.protocol.contract import GENERIC, GYM, PROFILOMETRE, Contract
from releve.protocol.decode import Arrival
from releve.protocol.format import JSON, format_of, split
from releve.protocol.outcome import Receipt
from releve.protocol.problem import Broken, Problem
from releve.protocol.reading import Quarantined, Reading
from releve.protocol.sender import Sender

MOST_BYTES = 65_536  # of a body; a longer one is a batch whose readings cost more than its request
NAMES_KEPT = 10_000
# Headers that every client sends, and those that decide who sends and how its body is packed, which are looked at. What
# any other might mean is not asked here.
_USUAL = frozenset({
    b"host", b"user-agent", b"accept", b"accept-encoding", b"accept-language", b"accept-charset", b"cache-control",
    b"pragma", b"connection", b"keep-alive", b"content-type", b"content-length", b"authorization", b"token",
})  # fmt: skip
_VARY = (b"vary", b"Origin")
_SINGLE = frozenset({Reading, Quarantined})
_log = structlog.get_logger()
Noted = Callable[[Problem, str, str | None], str]


class Route:
    """One of the paths that take readings.

    Args:
        path: Where.
        contract: How its readings are spelt.
        message: What an answer says first; None where it says nothing but the verdict.
    """

    def __init__(self, path: str, contract: Contract, message: str | None) -> None:
        self.path = path
        self.contract = contract
        self.takes_batches = message is None
        self._message = message
        self._openings: dict[str, bytes] = {}

    def opening(self, device: str) -> bytes:
        """What an answer to this device begins with, in front of the verdict's own members."""
        known = self._openings.get(device)
        if known is None:
            if len(self._openings) >= NAMES_KEPT:
                self._openings.clear()
            known = b"{"
            if self._message is not None:
                known = encode({"message": self._message, "device": device})[:-1] + b","
            self._openings[device] = known
        return known


class Direct:
    """Answers usual requests that bring readings.

    Args:
        authenticator: Remembers whose token it is.
        path: Takes the readings to the disk.
        hosts: The names that we answer for.
        extra: Header lines that all answers have.
        prefixes: What may stand in front of a path.
        batch_limit: Most readings in one request.
        body_limit_bytes: Most bytes in one.
        noted: Told of what was refused after all, with the path and the address; gives the request a name.

    Attributes:
        urls: The targets that it answers.
        most_bytes: The longest body that it takes.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        path: Path,
        *,
        hosts: Hosts,
        extra: bytes,
        prefixes: Iterable[str],
        batch_limit: int,
        body_limit_bytes: int,
        noted: Noted,
    ) -> None:
        self._authenticator = authenticator
        self._path = path
        self._hosts = hosts
        self.extra = extra
        self._batch_limit = batch_limit
        self.most_bytes = min(MOST_BYTES, body_limit_bytes)
        self.noted = noted
        self._routes = {
            f"{prefix}{route.path}{slash}".encode(): route
            for prefix in prefixes
            for route in (
                Route("/data", GYM, "Données reçues"),
                Route("/api/send/data", PROFILOMETRE, "Data received"),
                Route("/api/v1/readings", GENERIC, None),
            )
            for slash in ("", "/")
        }
        self.urls = frozenset(self._routes)
        self._settled: list[_Request] = []
        self._loop: AbstractEventLoop | None = None

    def is_usual(self, url: bytes, pairs: list[Header]) -> bool:
        """Whether a request with these headers may be answered directly once its body is there."""
        sender = self._sender(self._routes[url], pairs)
        if sender is None:
            return False
        try:
            self._path.admit(sender)  # who is to be refused is refused before its body is there
        except Problem:
            return False
        return True

    def take(self, url: bytes, pairs: list[Header], body: bytes, reply: Reply, *, is_first: bool) -> bool:
        """Take a whole request and answer it once its readings are durable; False leaves everything as it was."""
        route = self._routes[url]
        began_s = perf_counter()
        sender = self._sender(route, pairs)
        if sender is None:
            return False
        known_s = perf_counter()
        try:
            request = self._read(route, body, sender, reply)
            if request is None or not (is_first or request.is_independent()):
                return False
            self._path.hand_in(request.submission, request)
        except Problem:  # the other way has the words for it
            return False
        except Exception:  # noqa: BLE001 - a boundary: whatever broke here, the other way answers, and we have a trace
            _log.exception("direct way failed", path=route.path)
            return False
        self._path.counters.time("authenticate", known_s - began_s)
        return True

    def settle(self, request: "_Request") -> None:
        """It has its receipts, or a problem; it is answered with all others of its group."""
        if not self._settled:
            if self._loop is None:
                self._loop = get_running_loop()
            self._loop.call_soon(self._answer_all)
        self._settled.append(request)

    def _sender(self, route: Route, pairs: list[Header]) -> Sender | None:
        """Who sends it, if nothing about the headers is unusual and something of the sender's has room."""
        headers = dict(pairs)
        if len(headers) != len(pairs) or not _USUAL.issuperset(headers):
            return None
        host, length = headers.get(b"host"), headers.get(b"content-length", b"")
        if host is None or not self._hosts.has(host) or not length.isdigit() or int(length[:20]) > self.most_bytes:
            return None
        if route.takes_batches and format_of(headers.get(b"content-type", b"")) is not JSON:
            return None
        credential = credential_of(headers)
        sender = None if credential is None else self._authenticator.known(credential)
        return None if sender is None or sender.device_id is None else sender

    def _read(self, route: Route, body: bytes, sender: Sender, reply: Reply) -> "_Request | None":
        """The request, if it is nothing but single readings.

        Raises:
            Problem: It is refused, or not taken now.
        """
        self._path.admit(sender)
        submission = Submission("http")
        arrival = Arrival(time.time_ns() // 1000, "http")
        is_batch = False
        if route.takes_batches and body[:1] != b"{":
            shape = split(body, limit=self._batch_limit)
            is_batch = shape.is_batch
            if len(shape.payloads) > AT_ONCE:
                return None
            submission.read(shape, contract=route.contract, sender=sender, arrival=arrival)
        else:
            submission.read_one(body, contract=route.contract, sender=sender, arrival=arrival)
        if not _SINGLE.issuperset(map(type, submission.items)):
            return None
        return _Request(self, route, sender, submission, reply, is_batch=is_batch)

    def _answer_all(self) -> None:
        """Answer what was settled since the loop's last turn: one count, and one write a connection."""
        settled, self._settled = self._settled, []
        began_s = perf_counter()
        receipts: list[Receipt] = []
        for request in settled:
            receipts += request.receipts
            request.answer()
        self._path.count("http", receipts)
        for connection in {request.reply.connection for request in settled}:
            connection.write_replies()
        each_s = (perf_counter() - began_s) / len(settled)
        self._path.counters.times("answer", [each_s for request in settled if request.problem is None])


class _Request:
    """One request on its way through the group, where it stands as the future that nobody needs."""

    __slots__ = ("_direct", "_is_batch", "_route", "_sender", "problem", "receipts", "reply", "submission")

    def __init__(
        self, direct: Direct, route: Route, sender: Sender, submission: Submission, reply: Reply, *, is_batch: bool
    ) -> None:
        self._direct = direct
        self._route = route
        self._sender = sender
        self._is_batch = is_batch
        self.submission = submission
        self.reply = reply
        self.receipts: list[Receipt] = []
        self.problem: BaseException | None = None

    def is_independent(self) -> bool:
        """Whether it does not matter that what the connection sent earlier may not be stored yet."""
        return all(
            type(item) is Reading and not item.instant.follows_server and not item.keyed
            for item in self.submission.items
        )

    def done(self) -> bool:
        """Whether it has its receipts, or a problem."""
        return bool(self.receipts) or self.problem is not None

    def cancelled(self) -> bool:
        """Never: what was taken is kept, whether its sender is still there or not."""
        return False

    def set_result(self, receipts: list[Receipt], /) -> None:
        """All of it is durable."""
        self.receipts = receipts
        self._direct.settle(self)

    def set_exception(self, problem: BaseException, /) -> None:
        """The outcome is unknown."""
        self.problem = problem
        self._direct.settle(self)

    def answer(self) -> None:
        """Put the answer into its place."""
        try:
            if self.problem is not None:
                self._answer_problem(self.problem if isinstance(self.problem, Problem) else Broken())
            elif self._is_batch:
                self.reply.give(spelt_all(self.receipts), self._direct.extra)
            else:
                opening = self._route.opening(self._sender.name)
                self.reply.give(opening + spelt(self.receipts[0])[1:], self._direct.extra)
        except Exception:  # noqa: BLE001 - a boundary: the others of the group are to have their answers
            _log.exception("answer failed", path=self._route.path)
            self._answer_problem(Broken())

    def _answer_problem(self, problem: Problem) -> None:
        client = self.reply.connection.client
        request_id = self._direct.noted(problem, self._route.path, client[0] if client else None)
        body, headers = told_of(problem, problem.wire, ((b"x-request-id", request_id.encode()),))
        self.reply.give_other(problem.status, body, headers, self._direct.extra)


def extra_lines(*, has_origins: bool, is_https: bool) -> bytes:
    """What the cross-origin rules and the edge add to every answer without an `Origin`, in their order."""
    headers = [*([_VARY] if has_origins else []), *([HSTS] if is_https else [])]
    return b"".join([b"%b: %b\r\n" % header for header in headers])
