"""One universe: the data plane of one worker, clients that never give up, a database and a wire that fail by a seed.

After every answer the promises are held against what is in the database:

P1  what is acknowledged is committed, also after a failover
P2  what was sent is there once, and told stored once
P3  every reading has one verdict, the one that it deserves, in its place; nothing is lost in the end
"""

import asyncio
import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import uvicorn
from tests.simulation.database import FAIR, Database, Weather, copy_in, insert_one
from tests.simulation.virtual_loop import Clock, Stuck, VirtualLoop, clocks
from tests.simulation.wire import Answers, Packets, Wire, connect, publish
from uvicorn.server import ServerState

from releve.http.direct import directly
from releve.http.edge import Hosts
from releve.http.protocol import WRITE_S, bounded
from releve.ingest.batch import GroupCommit
from releve.ingest.counters import Counters
from releve.ingest.direct import Direct
from releve.ingest.http import IngestRoutes
from releve.ingest.mqtt.endpoint import Endpoint
from releve.ingest.mqtt.sign_in import Proof
from releve.ingest.mqtt.transport import TcpWire
from releve.ingest.path import Path
from releve.protocol.mqtt.limits import Limits
from releve.protocol.sender import Sender
from releve.serve.boundary import Boundary
from releve.settings import Settings
from releve.storage.link_store import Claim
from releve.storage.session import Session
from releve.storage.writer import Writer

STORM_S = 20.0
PATIENCE_S = 1000.0  # after the storm everything is acknowledged within this, also what is sent once more
LATER_S = (1, 350, 700)  # when it is: among fresh rows, at the seal, after it
MINUTE_US = 60_000_000
KEPT, QUARANTINED, REFUSED = "kept", "quarantined", "refused"


class Broken(AssertionError):
    """A promise does not hold."""


@dataclass
class Sent:
    """A reading that a client sends until it is answered.

    Attributes:
        number: Its own, in its channels.
        device: Whose.
        text: As it is sent.
        channels: As it is stored.
        deserves: How it has to end: kept, quarantined or refused.
        told: The outcomes that its sender was told.
    """

    number: int
    device: int
    text: str
    channels: bytes
    deserves: str
    told: Counter[str] = field(default_factory=Counter)
    is_done: bool = False


class Universe:
    """Made of a seed.

    Args:
        seed: Decides about everything.
        clients: At most so many.
        readings: Of each at most so many.
    """

    def __init__(self, seed: int, *, clients: int = 5, readings: int = 80) -> None:
        self.random = Random(seed)
        self._most_clients, self._most_readings = clients, readings
        self.clock = Clock()
        self.database = Database(self.random)
        self.counters = Counters()
        self.sent: list[Sent] = []
        self.verdicts = 0
        self._numbers = itertools.count(1)
        self._failures: list[BaseException] = []

    def run(self) -> None:
        """Live it to its end.

        Raises:
            Broken: With the promise that does not hold.
        """
        loop = VirtualLoop(self.clock)
        loop.set_exception_handler(lambda _, context: self._note(context))
        try:
            with (
                clocks(self.clock),
                connected_to(self.database),
                patch("releve.ingest.batch._log", _Log(self._failures)),
            ):
                loop.run_until_complete(self._live())
        except Stuck as error:
            raise Broken("everybody waits, and nothing is due") from error
        finally:
            with suppress(Stuck):
                loop.run_until_complete(_cancel_all())
            loop.close()
        if self._failures:
            raise Broken("something broke that nobody foresaw") from self._failures[0]

    def _note(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Broken):
            raise error
        if error is not None:
            self._failures.append(error)

    async def _live(self) -> None:
        self._build()
        clients = self._clients()
        tasks = [asyncio.create_task(client.run()) for client in clients]
        storm = asyncio.create_task(self._storm(clients))
        try:
            done, waiting = await asyncio.wait([*tasks], timeout=STORM_S + PATIENCE_S)
            for task in done:
                task.result()
            self._hold(not waiting, "P3: readings are never acknowledged, whatever their senders do")
            await self.group.drain()
            self.database.fail_over()
            for each in self.sent:
                self.acknowledged(each)
        finally:
            for task in (storm, *tasks):
                task.cancel()

    def _build(self) -> None:
        settings = Settings()
        writers = [
            Writer(Session("memory", application=f"writer {number}"), device_channels=settings.device_channels)
            for number in range(2)
        ]
        self.group = GroupCommit(
            writers,
            backlog=self.random.choice((60, 400, settings.backlog_readings)),
            device_backlog=self.random.choice((30, 200, settings.device_backlog_readings)),
            counters=self.counters,
        )
        self.group.start()
        people = _Everybody()
        self.path = Path(self.group, self.counters, values=_NoValues(), drivers=_NoDrivers())  # type: ignore[arg-type]
        routes = IngestRoutes(people, self.path, batch_limit=settings.batch_limit)  # type: ignore[arg-type]
        boundary = Boundary(settings, counters=self.counters, find=routes.handlers.get, otherwise=_nobody)
        numbers = iter(range(10**9))

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await boundary.answer(scope, receive, send, request_id=str(next(numbers)))

        deadlines = {"header_s": settings.header_timeout_s, "body_s": settings.body_timeout_s}
        direct = Direct(
            people,  # type: ignore[arg-type]
            self.path,
            hosts=Hosts((), machine="localhost"),
            extra=b"",
            prefixes={""},
            batch_limit=settings.batch_limit,
            body_limit_bytes=settings.body_limit_bytes,
            noted=lambda _problem, _path, _address: str(next(numbers)),
        )
        is_direct = self.random.random() < 0.7  # below ASGI, as in a worker; else all of it through ASGI
        protocol = directly(direct, **deadlines, write_s=WRITE_S) if is_direct else bounded(**deadlines)
        self._config = uvicorn.Config(application, http=protocol, log_config=None, access_log=False, lifespan="off")
        self._config.load()
        self._state = ServerState()
        self._endpoint = Endpoint(
            people,  # type: ignore[arg-type]
            self.path,
            _NoStore(),  # type: ignore[arg-type]
            people,  # type: ignore[arg-type]
            limits=Limits(),
            batch_limit=settings.batch_limit,
            most_links=1000,
        )

    def http(self, written: Any, ended: Any) -> Wire:
        """A connection to the HTTP port."""
        loop = asyncio.get_running_loop()
        protocol = self._config.http_protocol_class(
            config=self._config, server_state=self._state, app_state={}, _loop=loop
        )  # type: ignore[call-arg]
        return Wire(protocol, self.random, written=written, ended=ended)

    def mqtt(self, written: Any, ended: Any) -> Wire:
        """A connection to the MQTT port."""
        return Wire(TcpWire(self._endpoint), self.random, written=written, ended=ended)

    def _clients(self) -> "list[HttpClient | MqttClient]":
        chosen = self.random
        kinds = [
            chosen.choice((HttpClient, HttpClient, MqttClient)) for _ in range(chosen.randint(1, self._most_clients))
        ]
        return [kind(self, device, self._readings(device)) for device, kind in enumerate(kinds, 1)]

    def _readings(self, device: int) -> list[Sent]:
        found = [self._reading(device) for _ in range(min(self._most_readings, self.random.choice((1, 5, 30, 80))))]
        self.sent += found
        return found

    def _reading(self, device: int) -> Sent:
        number, random = next(self._numbers), self.random
        age_us = random.choice((0, 0, 0, 0, 4 * MINUTE_US, 6 * MINUTE_US, 30 * MINUTE_US))
        time_us = (int(self.clock.now_s) + random.randrange(3)) * 1_000_000 - age_us  # few instants: they coincide
        channels: dict[str, Any] = {"k": number}
        deserves = random.choices((KEPT, QUARANTINED, REFUSED, "poison"), (90, 4, 4, 2))[0]
        if deserves == QUARANTINED:
            time_us = 315_964_800_000_000  # 1980: a clock that was never set
        elif deserves == "poison":
            channels["t"], deserves = "poison", QUARANTINED
        text = json.dumps({"time": time_us, "channels": channels})
        if deserves == REFUSED:
            text = json.dumps({"time": time_us, "channels": {"k": number, "bad": []}})
        return Sent(number, device, text, json.dumps(channels, separators=(",", ":")).encode(), deserves)

    async def _storm(self, clients: "list[HttpClient | MqttClient]") -> None:
        """Bad weather that changes, cuts, failovers and seals; then fair weather for ever."""
        random, database = self.random, self.database
        end_s = self.clock.now_s + STORM_S
        kinds = [name for name in Weather.__dataclass_fields__ if random.random() < 0.4]
        while self.clock.now_s < end_s:
            database.weather = FAIR if random.random() < 0.3 else Weather(
                **{name: random.choice((20, 100, 400)) for name in kinds}
            )  # fmt: skip
            await asyncio.sleep(random.uniform(0.01, 1.5))
            if random.random() < 0.5:
                random.choice(clients).cut()
            if random.random() < 0.2:
                database.fail_over()
        database.weather = FAIR

    # What holds after every answer

    def told(self, sent: Sent, outcome: str) -> None:
        """A client was told how a reading ended."""
        self.verdicts += 1
        expected = {"stored", "duplicate"} if sent.deserves == KEPT else {sent.deserves}
        self._hold(outcome in expected, f"P3: {sent.text} ended {outcome}, but is to be {sent.deserves}")
        sent.told[outcome] += 1
        self._hold(sent.told["stored"] <= 1, f"P2: {sent.text} was stored twice")
        self.acknowledged(sent)

    def acknowledged(self, sent: Sent) -> None:
        """A client was told that a reading is kept."""
        sent.is_done = True
        if sent.deserves == KEPT:
            self._hold(
                self.database.is_durable(sent.device, sent.channels), f"P1: {sent.text} is acknowledged and not durable"
            )
            copies = sum(
                row[1] == sent.channels and key[0] == sent.device
                for home in (self.database.rows, self.database.sealed)
                for key, row in home.items()
            )
            self._hold(copies == 1, f"P2: {sent.text} is there {copies} times")
        elif sent.deserves == QUARANTINED:
            marks = b'"k":%d,' % sent.number, b'"k":%d}' % sent.number
            is_there = any(
                key[0] == sent.device
                and key not in self.database.weak
                and any(mark in payload.replace(b" ", b"") for mark in marks)
                for key, payload in self.database.quarantine.items()
            )
            self._hold(is_there, f"P3: {sent.text} is quarantined and not there")

    def _hold(self, holds: bool, promise: str) -> None:  # noqa: FBT001 - as of assert
        if not holds:
            raise Broken(promise)


def least(seed: int) -> tuple[dict[str, int], Broken] | None:
    """The smallest universe of a seed in which a promise breaks, and how; None when none does."""
    for size in (
        {"clients": 1, "readings": 1},
        {"clients": 1, "readings": 5},
        {"clients": 2, "readings": 5},
        {"clients": 2, "readings": 30},
        {},
    ):
        try:
            Universe(seed, **size).run()
        except Broken as broken:
            return size, broken
    return None


class HttpClient:
    """Sends single readings and batches, several requests at a time, and again whatever had no answer."""

    def __init__(self, universe: Universe, device: int, readings: list[Sent]) -> None:
        self._universe = universe
        self._device = device
        self._left = readings
        self._wire: Wire | None = None
        self._asked: list[tuple[list[Sent], bool]] = []
        self._answers = Answers()
        self._wait_s = 0.0
        self._refusals = 0
        self._changed = asyncio.Event()
        self._failure: BaseException | None = None

    async def run(self) -> None:
        """Until everything is answered."""
        random = self._universe.random
        again = [each for each in self._left if random.random() < 0.2]
        while True:
            if self._failure is not None:
                raise self._failure
            self._left = [each for each in self._left if not each.is_done]
            if not self._left and not self._asked:
                if not again:
                    return
                self._left, again = again, []
                await asyncio.sleep(random.choice(LATER_S))
                for sent in self._left:
                    sent.is_done = False
            if self._wire is None:
                self._answers, self._asked = Answers(), []
                self._wire = self._universe.http(self._written, self._ended)
            while self._left and len(self._asked) < 3 and self._wire is not None:
                self._ask(random)
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(60):
                    await self._changed.wait()
            await asyncio.sleep(self._wait_s or random.choice((0.0, 0.0, 0.001, 0.05)))
            self._wait_s = 0.0

    def cut(self) -> None:
        if self._wire is not None:
            self._wire.cut()

    def _ask(self, random: Random) -> None:
        members = random.sample(self._left, min(len(self._left), random.choice((1, 1, 3, 20))))
        if random.random() < 0.1:
            members.append(members[0])
        is_batch = len(members) > 1 or random.random() < 0.2
        body = f"[{','.join(each.text for each in members)}]" if is_batch else members[0].text
        head = (
            f"POST /api/v1/readings HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {self._device}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._asked.append((members, is_batch))
        assert self._wire is not None
        self._wire.send((head + body).encode())

    def _ended(self) -> None:
        self._wire = None
        self._asked = []
        self._changed.set()

    def _written(self, data: bytes) -> None:
        try:
            for status, body in self._answers.take(data):
                self._take(status, json.loads(body))
        except BaseException as error:  # noqa: BLE001 - it is told where the client is waited for
            self._failure = error
        self._changed.set()

    def _take(self, status: int, document: Any) -> None:
        members, is_batch = self._asked.pop(0)
        if status in (429, 503):
            self._refusals += 1
            self._wait_s = self._universe.random.uniform(0.05, 0.1) * 2 ** min(self._refusals, 8)
            return
        self._refusals = 0
        if status == 200 and is_batch != ("readings" in document):
            raise Broken("P3: the answer of another request")
        if is_batch and "readings" in document:
            outcomes = [each["outcome"] for each in document["readings"]]
            if len(outcomes) != len(members):
                raise Broken(f"P3: {len(members)} readings have {len(outcomes)} verdicts")
            for sent, outcome in zip(members, outcomes, strict=True):
                self._universe.told(sent, outcome)
        else:
            self._universe.told(members[0], document["outcome"] if status == 200 else REFUSED)


class MqttClient:
    """Publishes at QoS 1, and again, after connecting again, whatever had no PUBACK."""

    def __init__(self, universe: Universe, device: int, readings: list[Sent]) -> None:
        self._universe = universe
        self._device = device
        self._left = readings
        self._wire: Wire | None = None
        self._packets = Packets()
        self._is_in = False
        self._under_way: dict[int, Sent] = {}
        self._next = 0
        self._changed = asyncio.Event()
        self._failure: BaseException | None = None

    async def run(self) -> None:
        """Until everything is acknowledged."""
        random = self._universe.random
        while True:
            if self._failure is not None:
                raise self._failure
            self._left = [each for each in self._left if not each.is_done]
            if not self._left:
                return
            if self._wire is None:
                self._packets, self._is_in, self._under_way = Packets(), False, {}
                self._wire = self._universe.mqtt(self._written, self._ended)
                self._wire.send(connect(f"device{self._device}"))
            under_way = {id(each) for each in self._under_way.values()}
            for sent in self._left if self._is_in else ():
                if len(self._under_way) < 10 and id(sent) not in under_way and self._wire is not None:
                    self._publish(sent)
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(60):
                    await self._changed.wait()
            await asyncio.sleep(random.choice((0.0, 0.0, 0.001, 0.05)))

    def cut(self) -> None:
        if self._wire is not None:
            self._wire.cut()

    def _publish(self, sent: Sent) -> None:
        self._next = self._next % 60_000 + 1
        self._under_way[self._next] = sent
        topic = f"releve/device{self._device}/readings"
        assert self._wire is not None
        self._wire.send(publish(topic, sent.text.encode(), self._next, is_again=False))

    def _ended(self) -> None:
        self._wire = None
        self._changed.set()

    def _written(self, data: bytes) -> None:
        try:
            for kind, content in self._packets.take(data):
                if kind == 2:
                    self._is_in = content[1] == 0
                elif kind == 4:
                    self._acknowledged(int.from_bytes(content[:2], "big"))
        except BaseException as error:  # noqa: BLE001 - it is told where the client is waited for
            self._failure = error
        self._changed.set()

    def _acknowledged(self, identifier: int) -> None:
        sent = self._under_way.pop(identifier, None)
        if sent is None:
            raise Broken(f"P1: a PUBACK for {identifier}, which nobody sent")
        if sent.deserves == REFUSED:
            sent.deserves = QUARANTINED  # MQTT 3.1.1 has no word for it
        self._universe.told(sent, "duplicate" if sent.deserves == KEPT else QUARANTINED)


class _Everybody:
    """Lets everybody in: whose a token is is not what is simulated."""

    class feed:  # noqa: N801 - an attribute of the authenticator
        is_cut = False

    def on_revoked(self, _callback: Any) -> None: ...

    def known(self, token: str) -> Sender:
        return sender(int(token))

    async def sender(self, token: str, *, address: str | None = None) -> Sender:
        return sender(int(token))

    async def check(self, connected: Any, _peer: Any) -> tuple[Sender, Proof]:
        return sender(int(connected.client_id.removeprefix("device"))), Proof()

    async def again(self, _proof: Proof, device_id: int | None = None) -> Sender:
        return sender(device_id or 0)


def sender(device: int) -> Sender:
    return Sender(
        principal=f"device:{device}", sign_in="0" * 32, name=f"device{device}", device_id=device, team_id=1,
        contract="generic", zone=ZoneInfo("UTC"), roles={}, is_device=True, expires_s=9e9,
    )  # fmt: skip


class _Log:
    """Hears of commits that broke for a reason that nobody foresaw; misfortunes are foreseen."""

    def __init__(self, failures: list[BaseException]) -> None:
        self._failures = failures

    def exception(self, event: str, **_: Any) -> None:
        error = sys.exc_info()[1]
        if event == "commit broke" and error is not None:
            self._failures.append(error)

    def warning(self, _event: str, **_: Any) -> None: ...

    error = warning


class _NoStore:
    """What the MQTT endpoint asks the database beside readings; it answers that there is nothing."""

    async def claim(self, _client_id: str, **_: Any) -> Claim:
        return Claim(None, None)

    async def waiting_commands(self, _device: int) -> list[Any]:
        return []

    async def _nothing(self, *_arguments: Any, **_options: Any) -> None: ...

    def __getattr__(self, _name: str) -> Any:
        return self._nothing


class _NoValues:
    async def flush(self) -> None: ...


class _NoDrivers:
    async def named(self, _race: Any, _sender: Any) -> None: ...


async def _nobody(_request: Any, _send: Any) -> None:
    raise Broken("a request that is nobody's")


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def connected_to(database: Database) -> Iterator[None]:
    """While within, a session's connection is one to this database."""
    with ExitStack() as stack:
        stack.enter_context(patch("releve.storage.session.AsyncConnection.connect", database.connect))
        stack.enter_context(patch("releve.storage.writer.copy_in", copy_in))
        stack.enter_context(patch("releve.storage.writer.insert_one", insert_one))
        stack.enter_context(patch("releve.storage.late.sealed_at", database.sealed_at))
        yield
