"""The data plane's HTTP, from the parser to a database in memory, with or without the way below ASGI.

Two worlds of the same state are given the same bytes; what they answer and what they keep is to be the same.
"""

import asyncio
import itertools
import re
import time
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import uvicorn
from uvicorn.server import ServerState

from releve.access.secret import InvalidToken
from releve.http.cross_origin import CrossOrigin
from releve.http.direct import directly
from releve.http.edge import Edge, Hosts
from releve.http.protocol import bounded
from releve.ingest.batch import GroupCommit
from releve.ingest.counters import Counters
from releve.ingest.direct import Direct, extra_lines
from releve.ingest.http import IngestRoutes
from releve.ingest.path import Path
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import Unauthenticated, Unavailable
from releve.protocol.reading import Reading
from releve.protocol.sender import Sender
from releve.serve.boundary import Boundary

ORIGIN = "https://board.example.com"
HOSTS = Hosts(["testserver"], machine="pi")
BATCH_LIMIT = 50
BODY_LIMIT = 20_000
BACKLOG = 60
DEVICE_BACKLOG = 40
_DATE = re.compile(rb"date: [^\r]+\r\n")
_REQUEST_ID = re.compile(rb"x-request-id: [^\r]+\r\n")
_RETRY = re.compile(rb"retry-after: \d+\r\n")


def sender(number, *, contract="generic", **fields):
    return Sender(
        principal=f"device:{number}",
        sign_in="",
        name=f"pi {number} é",
        device_id=number,
        team_id=1,
        contract=contract,
        zone=ZoneInfo("Europe/Paris"),
        roles={},
        is_device=True,
        expires_s=time.time() + 36_000,
        **fields,
    )


class Memory:
    """A writer that keeps in memory what PostgreSQL would, when it may."""

    def __init__(self):
        self.rows = {}
        self.quarantine = set()
        self.may_commit = asyncio.Event()
        self.may_commit.set()
        self.asked = asyncio.Event()
        self.problem = None
        self.groups = []

    async def commit(self, entries):
        self.asked.set()
        await self.may_commit.wait()
        self.groups.append(len(entries))
        if self.problem is not None:
            raise self.problem
        return [self._keep(entry) for entry in entries]

    def _keep(self, entry):
        if not isinstance(entry, Reading):
            self.quarantine.add((entry.device_id, entry.field, entry.reason, entry.payload))
            return Receipt(Outcome.QUARANTINED, field=entry.field, reason=entry.reason)
        key = entry.device_id, entry.instant.time_us, entry.id
        outcome = Outcome.DUPLICATE if key in self.rows else Outcome.STORED
        self.rows.setdefault(key, (entry.channels, entry.sent, entry.machine))
        return Receipt(outcome, entry.instant.time_us, entry.instant.rule, None, None, entry.notices)


class Tokens:
    """Senders by their tokens: some are remembered, `slow` has to be looked up each time."""

    def __init__(self):
        self.senders = {f"token-{number}": sender(number) for number in range(1, 5)}
        self.slow = {"slow": sender(9)}
        self.is_cut = False

    def known(self, token):
        return None if self.is_cut else self.senders.get(token)

    async def sender(self, token, *, address=None):
        if self.is_cut:
            raise Unavailable("revocations cannot be checked")
        await asyncio.sleep(0)
        found = self.senders.get(token) or self.slow.get(token)
        if found is None:
            raise InvalidToken("Token is invalid")
        return found

    async def with_device(self, known, token, *, contract):
        raise Unauthenticated


class Transport(asyncio.Transport):
    """The server's end of a connection in memory; what was written, write by write."""

    def __init__(self):
        super().__init__({"peername": ("192.0.2.1", 4711), "sockname": ("192.0.2.2", 80)})
        self.writes = []
        self.is_closed = False
        self.is_reading = True

    def write(self, data):
        assert not self.is_closed
        self.writes.append(bytes(data))

    def close(self):
        self.is_closed = True

    abort = close

    def is_closing(self):
        return self.is_closed

    def get_write_buffer_size(self):
        return 0

    def pause_reading(self):
        self.is_reading = False

    def resume_reading(self):
        self.is_reading = True

    def set_protocol(self, protocol):
        raise AssertionError("no request of these tests is upgraded")


class World:
    """One worker's HTTP, direct or not."""

    def __init__(self, *, is_direct, origins=(), is_https=False):
        self.tokens, self.memory, self.counters = Tokens(), Memory(), Counters()
        self.group = GroupCommit([self.memory], backlog=BACKLOG, device_backlog=DEVICE_BACKLOG, counters=self.counters)
        self.path = Path(self.group, self.counters, values=None, drivers=None)
        self.ids = map(str, itertools.count())
        settings = SimpleNamespace(body_limit_bytes=BODY_LIMIT, body_timeout_s=20, root_path="/prod")
        routes = IngestRoutes(self.tokens, self.path, batch_limit=BATCH_LIMIT).handlers
        self.boundary = Boundary(settings, counters=self.counters, find=routes.get, otherwise=self._otherwise)
        served = CrossOrigin(self._application, frozenset(origins)) if origins else self._application
        direct = Direct(
            self.tokens,
            self.path,
            hosts=HOSTS,
            extra=extra_lines(has_origins=bool(origins), is_https=is_https),
            prefixes=("", "/prod"),
            batch_limit=BATCH_LIMIT,
            body_limit_bytes=BODY_LIMIT,
            noted=self._noted,
        )
        deadlines = {"header_s": 20, "body_s": 20, "write_s": 20}
        self.direct_takes = 0
        take = direct.take

        def counted(*arguments, **options):
            is_taken = take(*arguments, **options)
            self.direct_takes += is_taken
            return is_taken

        direct.take = counted
        self.config = uvicorn.Config(
            Edge(served, HOSTS, is_https=is_https),
            http=directly(direct, **deadlines) if is_direct else bounded(**deadlines),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        self.config.load()
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"Mon, 01 Jun 2026 12:00:00 GMT")]
        self.group.start()

    async def _application(self, scope, receive, send):
        await self.boundary.answer(scope, receive, send, request_id=next(self.ids))

    async def _otherwise(self, request, send):
        await request.strangers_body()
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    def _noted(self, problem, path, address):
        request_id = next(self.ids)
        self.boundary.note(problem, path=path, request_id=request_id, address=address)
        return request_id

    def connect(self):
        """A new connection."""
        return Connection(self)

    @property
    def is_quiet(self):
        """Whether nothing is under way but what waits for its client."""
        return not self.group._depth

    def ended(self):
        """How all readings ended: what is in the database, and what was counted."""
        return self.memory.rows, self.memory.quarantine, self.counters.outcomes

    async def end(self):
        """Stop its writers."""
        self.memory.may_commit.set()
        await self.group.drain()


class Connection:
    """A client's side of one connection."""

    def __init__(self, world):
        self.world = world
        self.transport = Transport()
        self.protocol = world.config.http_protocol_class(
            config=world.config, server_state=world.state, app_state={}, _loop=asyncio.get_running_loop()
        )
        self.protocol.connection_made(self.transport)

    def send(self, data):
        """What a client sends arrives, as long as somebody reads."""
        if not self.transport.is_closed:
            self.protocol.data_received(data)

    def hang_up(self):
        """The client goes away."""
        self.transport.is_closed = True
        self.protocol.connection_lost(None)

    @property
    def answers(self):
        """All that was written, without what differs from moment to moment."""
        return plain(b"".join(self.transport.writes)), self.transport.is_closed


def plain(data):
    for pattern in (_DATE, _REQUEST_ID, _RETRY):
        data = pattern.sub(b"", data)
    return data


async def settled(*worlds, turns=12):
    """Let the loop turn until nothing moves any more."""
    still, before = 0, None
    for _ in range(4_000):
        await asyncio.sleep(0)
        now = [(world.state.total_requests, world.group._depth, len(world.state.tasks)) for world in worlds]
        still = still + 1 if now == before else 0
        before = now
        if still >= turns and all(world.is_quiet for world in worlds):
            return
    raise AssertionError("it never came to rest")


def request(body, *, path="/data", token="token-1", method="POST", version="HTTP/1.1", headers=(), host="testserver"):
    """A request's bytes."""
    lines = [f"{method} {path} {version}", *([f"Host: {host}"] if host else [])]
    if token is not None:
        lines.append(f"token: {token}" if path.endswith("data") else f"Authorization: Bearer {token}")
    lines += [f"{name}: {value}" for name, value in headers]
    if not any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
