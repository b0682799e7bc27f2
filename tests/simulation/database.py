"""A PostgreSQL of a few rules, which a test holds true beside the real one.

A key is unique; whoever writes one that another transaction has written waits for its end. A commit takes its time,
may be lost before it happened or after, is refused with an error of PostgreSQL's own, or ends with the warning that
nobody waited for the standby: then it is there, and a failover takes it away.
"""

import asyncio
import struct
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any, Self

from psycopg import errors

from releve.storage.copy_format import POSTGRES_EPOCH_US
from releve.storage.queries import query
from releve.storage.session import SEALABLE_US

Key = tuple[int, int, int]
Row = tuple[int, bytes, str | None]  # received, channels, sent
SEALS = 50  # of a thousand steps somewhere in the database: far more often than in any real one
POISON = b"poison"  # in channels: what PostgreSQL refuses for a reason that nobody foresaw
_STATEMENTS = {
    query(name): name
    for name in (
        "read_session", "create_staging", "copy_staging", "copy_reading", "store_staged", "keep_quarantined",
        "wait_for_commit", "register_machine", "lock_devices", "find_channel_names", "learn_channel_names",
        "learn_numeric_channels", "find_numeric_channels", "keep_strange_texts", "lock_history_late", "find_sealed",
        "find_expired", "find_same_key", "find_receipts", "find_anchors", "keep_receipts", "keep_anchors",
        "announce_counter",
    )
}  # fmt: skip


@dataclass
class Weather:
    """How the database fares: of a thousand commits so many end in each way."""

    lost_before: int = 0
    lost_after: int = 0
    deadlock: int = 0
    shut_down: int = 0
    cancelled_wait: int = 0
    refuses_connections: int = 0
    fsync_off: int = 0
    slow: int = 0


FAIR = Weather()


class Database:
    """The rows that are committed, and those that a failover would take away.

    Attributes:
        rows: What is committed, by device, instant in microseconds and id.
        quarantine: Devices and digests of what is kept there.
        weak: Keys whose commit nobody waited for.
        weather: What happens to commits from now on.
    """

    def __init__(self, random: Random) -> None:
        self.rows: dict[Key, Row] = {}
        self.sealed: dict[Key, Row] = {}
        self.quarantine: dict[tuple[int, bytes], bytes] = {}
        self.weak: set[Any] = set()
        self.weather = FAIR
        self.random = random
        self.holders: dict[Key, asyncio.Event] = {}
        self.era = 0
        self.names: set[tuple[int, str]] = set()
        self.locked: Counter[int] = Counter()  # devices whose history somebody keeps as it is

    def happens(self, of_a_thousand: int) -> bool:
        """Whether a misfortune happens now."""
        return of_a_thousand > 0 and self.random.randrange(1000) < of_a_thousand

    async def pause(self, least_s: float, most_s: float) -> None:
        """Take some time."""
        if self.happens(self.weather.slow):
            most_s *= 40
        await asyncio.sleep(self.random.uniform(least_s, most_s))
        if self.happens(SEALS):
            self.seal()

    async def connect(self, *_arguments: Any, **_options: Any) -> "Connection":
        """A connection, as `AsyncConnection.connect` makes one."""
        await self.pause(0.001, 0.01)
        if self.happens(self.weather.refuses_connections):
            raise errors.OperationalError("connection refused")
        return Connection(self)

    def fail_over(self) -> None:
        """The standby takes over: what nobody waited for is not there, and nobody is connected to it."""
        self.era += 1
        for key in self.weak:
            self.rows.pop(key, None)
            self.quarantine.pop(key, None)
        self.weak.clear()

    def is_durable(self, device_id: int, channels: bytes) -> bool:
        """Whether a reading is committed for good."""
        return any(
            key[0] == device_id and row[1] == channels and key not in self.weak
            for home in (self.rows, self.sealed)
            for key, row in home.items()
        )

    def seal(self) -> None:
        """What is old goes into the segments, but for what somebody just looks for."""
        before_us = int(asyncio.get_running_loop().time() * 1e6) - SEALABLE_US
        for key in [key for key in self.rows if key[1] < before_us and key not in self.weak]:
            if not self.locked[key[0]]:
                self.sealed[key] = self.rows.pop(key)

    async def sealed_at(
        self, _connection: Any, instants_us: Mapping[int, Collection[int]]
    ) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """In place of `releve.storage.late.sealed_at`: time and id of what is sealed, by device and instant."""
        await self.pause(0.0001, 0.001)
        found: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for device_id, time_us, number in self.sealed:
            if time_us in instants_us.get(device_id, ()):
                found[device_id, time_us].append((time_us, number))
        return found


class Connection:
    """What the writer uses of psycopg's."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._era = database.era
        self._is_closed = False
        self.is_weak = False  # it was seen with fsync off
        self._notice: list[Callable[[Any], None]] = []
        self._staged: list[tuple[Key, Row]] = []
        self._transaction: _Transaction | None = None

    @property
    def closed(self) -> bool:
        """Whether it can do nothing more."""
        return self._is_closed or self._era != self.database.era

    def add_notice_handler(self, handler: Callable[[Any], None]) -> None:
        self._notice.append(handler)

    def remove_notice_handler(self, handler: Callable[[Any], None]) -> None:
        self._notice.remove(handler)

    async def close(self) -> None:
        self._is_closed = True

    def cursor(self, **_: Any) -> "Cursor":
        return Cursor(self)

    async def execute(self, statement: str, values: Any = None) -> "Cursor":
        cursor = Cursor(self)
        await cursor.execute(statement, values)
        return cursor

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        if self._transaction is not None:
            yield
            return
        self._transaction = _Transaction(self.database)
        try:
            yield
            await self.commit(self._transaction)
        finally:
            self._transaction.end()
            self._transaction, self._staged = None, []

    async def copy_in(self, rows: bytes) -> None:
        """COPY in a transaction of its own: all of it, or none and an error."""
        self._must_be_open()
        transaction = _Transaction(self.database)
        try:
            await self.database.pause(0.0002, 0.002)
            for key, row in _parsed(rows):
                _taken(row)
                if not await transaction.insert(key, row):
                    raise errors.UniqueViolation("duplicate key value violates unique constraint")
            await self.commit(transaction)
        finally:
            transaction.end()

    async def commit(self, transaction: "_Transaction") -> None:
        """End a transaction as the weather lets it."""
        database, weather = self.database, self.database.weather
        if database.happens(weather.lost_before):
            await self.break_off()
        if database.happens(weather.deadlock):
            raise errors.DeadlockDetected("deadlock detected")
        if database.happens(weather.shut_down):
            self._is_closed = True
            raise errors.AdminShutdown("terminating connection due to administrator command")
        await database.pause(0.0005, 0.005)
        self._must_be_open()
        is_warned = database.happens(weather.cancelled_wait)
        transaction.apply(is_weak=is_warned or self.is_weak)
        if is_warned:
            diagnostic = SimpleNamespace(sqlstate="01000", message_primary="canceling wait for synchronous replication")
            for handler in self._notice:
                handler(diagnostic)
        elif transaction.waits and not self.is_weak:
            database.weak.clear()  # a commit that was waited for proves all earlier ones
        if database.happens(weather.lost_after):
            await self.break_off()

    async def break_off(self) -> None:
        await self.database.pause(0.001, 0.5)
        self._is_closed = True
        raise errors.OperationalError("server closed the connection unexpectedly")

    def stage(self, rows: list[tuple[Key, Row]]) -> None:
        for _, row in rows:
            _taken(row)
        self._staged = rows

    async def store_staged(self) -> list[Key]:
        assert self._transaction is not None
        return [key for key, row in sorted(self._staged) if await self._transaction.insert(key, row)]

    def note(self, statement: str, values: Any) -> None:
        """What a transaction does at its end besides storing rows."""
        if self._transaction is None:
            return
        if statement == "keep_quarantined":
            self._transaction.aside[values[0], bytes(values[6])] = bytes(values[7])
        elif statement == "lock_history_late":
            self._transaction.lock(values["devices"])
        self._transaction.waits |= statement == "wait_for_commit"

    def _must_be_open(self) -> None:
        if self.closed:
            raise errors.OperationalError("the connection is closed")


class _Transaction:
    """What is written and not committed yet; nobody else writes its keys meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._new: dict[Key, Row] = {}
        self._ended = asyncio.Event()
        self._locked: list[int] = []
        self.aside: dict[tuple[int, bytes], bytes] = {}
        self.waits = False

    def lock(self, devices: Collection[int]) -> None:
        """Nobody seals these devices' readings until the end."""
        self._locked += devices
        self._database.locked.update(devices)

    async def insert(self, key: Key, row: Row) -> bool:
        """Whether the key was free; waits for whoever holds it."""
        while (holder := self._database.holders.get(key)) is not None and holder is not self._ended:
            await holder.wait()
        if key in self._new or key in self._database.rows:
            return False
        self._database.holders[key] = self._ended
        self._new[key] = row
        return True

    def apply(self, *, is_weak: bool) -> None:
        self._database.rows |= self._new
        aside = {key: payload for key, payload in self.aside.items() if key not in self._database.quarantine}
        self._database.quarantine |= aside
        self.waits |= bool(self._new or aside)
        if is_weak:
            self._database.weak |= {*self._new, *aside}

    def end(self) -> None:
        for key in self._new:
            if self._database.holders.get(key) is self._ended:
                del self._database.holders[key]
        self._new = {}
        self._database.locked.subtract(self._locked)
        self._locked = []
        self._ended.set()


class Cursor:
    """What is used of psycopg's cursor."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def execute(self, statement: str, values: Any = None) -> Self:
        connection, database = self._connection, self._connection.database
        connection._must_be_open()
        name = _STATEMENTS[statement]
        await database.pause(0.0001, 0.001)
        if name == "read_session":
            connection.is_weak = database.happens(database.weather.fsync_off)
            fsync = "off" if connection.is_weak else "on"
            now_us = int(asyncio.get_running_loop().time() * 1e6)
            self._rows = [(fsync, "on", "on", "warning", True, now_us, False)]
        elif name == "store_staged":
            self._rows = list(await connection.store_staged())
        elif name == "find_channel_names":
            self._rows = sorted(each for each in database.names if each[0] in values[0])
        elif name == "learn_channel_names":
            database.names |= set(zip(*values, strict=True))
        else:
            connection.note(name, values)
        return self

    async def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    async def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows[0] if self._rows else None

    @asynccontextmanager
    async def copy(self, _statement: str) -> AsyncIterator["_Staging"]:
        self._connection._must_be_open()
        staging = _Staging()
        yield staging
        await self._connection.database.pause(0.0001, 0.001)
        self._connection.stage(list(_parsed(staging.data)))


class _Staging:
    def __init__(self) -> None:
        self.data = b""

    async def write(self, data: bytes) -> None:
        self.data += data


async def copy_in(connection: Any, _statement: bytes, rows: bytes) -> None:
    """In place of `releve.storage.copy_in.copy_in`."""
    await connection.copy_in(rows)


async def insert_one(connection: Any, _statement: bytes, values: Sequence[bytes | None], _types: Any) -> None:
    """In place of `releve.storage.copy_in.insert_one`."""
    length = struct.Struct(">i").pack
    row = b"".join(length(-1) if each is None else length(len(each)) + each for each in values)
    await connection.copy_in(bytes(19) + struct.pack(">h", len(values)) + row + b"\xff\xff")


def _taken(row: Row) -> None:
    if POISON in row[1] or b"\0" in row[1]:
        raise errors.DataError("unsupported Unicode escape sequence")


def _parsed(stream: bytes) -> Iterator[tuple[Key, Row]]:
    """The rows of a binary COPY of (device_id, time, id, received, channels, sent)."""
    at = 19
    while struct.unpack_from(">h", stream, at)[0] == 6:
        _, _, device, _, time_us, _, number, _, received_us, length = struct.unpack_from(">hiiiqiqiqi", stream, at)
        at += 50
        channels, at = stream[at : at + length], at + length
        (length,) = struct.unpack_from(">i", stream, at)
        sent, at = (None, at + 4) if length < 0 else (stream[at + 4 : at + 4 + length].decode(), at + 4 + length)
        yield (device, time_us + POSTGRES_EPOCH_US, number), (received_us + POSTGRES_EPOCH_US, channels, sent)
