"""What is committed on its way to whoever watches, in this worker and in its siblings; nothing is kept for the slow.

What is live is sent at most once: the readings themselves are in the database, and a reader that needs every one of
them asks there.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from psycopg.rows import dict_row

from releve.ingest.submission import Value
from releve.live.feed import Feed
from releve.live.heard import Heard, News, Said
from releve.protocol.instant import iso
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import Unavailable
from releve.protocol.reading import Reading
from releve.storage.pool import Pool
from releve.storage.queries import query

WAITING = 10_000  # readings and values that may wait to be sent; beyond that the oldest are left out
_encode = msgspec.json.Encoder().encode


class Listener(Protocol):
    """A part of this worker with people behind it."""

    @property
    def has_live_subscribers(self) -> bool:
        """Whether anybody would hear a committed reading."""

    def deliver_live(self, *, device_id: int, device: str, team_id: int, payload: bytes) -> None:
        """Send one to whoever may read it."""


class Watcher(Protocol):
    """A part of this worker with people behind it who look at cars."""

    @property
    def has_watchers(self) -> bool:
        """Whether anybody would hear a value."""

    def deliver_value(self, *, device: str, team_id: int, topic: str, text: str) -> None:
        """Send one to whoever may read it."""


class Hub:
    """Hears every commit of this worker and, while somebody here watches, of the others."""

    def __init__(self, pool: Pool, feed: Feed) -> None:
        self._pool = pool
        self._feed = feed
        self._listeners: list[Listener] = []
        self._watchers: list[Watcher] = []
        self._waiting: deque[News] = deque(maxlen=WAITING)
        self._arrived = asyncio.Event()
        self._devices: dict[int, tuple[str, int] | None] = {}

    def add(self, listener: Listener) -> None:
        """Tell this one too."""
        self._listeners.append(listener)

    def add_watcher(self, watcher: Watcher) -> None:
        """Tell this one what cars say."""
        self._watchers.append(watcher)

    def look_up(self) -> None:
        """Ask the siblings now, not within the second: somebody has begun to watch."""
        self._arrived.set()

    def kept(self, values: Sequence[Value]) -> None:
        """The newest texts of cars' topics were written down; costs nothing while nobody watches."""
        if self._is_watched() or self._feed.is_wanted_elsewhere:
            self._pass_on([Said(device_id, topic, text) for device_id, topic, text, _ in values])

    def committed(self, entries: Sequence[Any], receipts: Sequence[Receipt]) -> None:
        """A group was committed; costs nothing while nobody watches."""
        if not self._is_watched() and not self._feed.is_wanted_elsewhere:
            return
        self._pass_on([
            Heard(entry.device_id, receipt.time_us or entry.instant.time_us, entry.channels)
            for entry, receipt in zip(entries, receipts, strict=True)
            if receipt.outcome is Outcome.STORED and isinstance(entry, Reading)
        ])  # fmt: skip

    def changed(self, what: str | None) -> None:
        """A device's name or team may have changed."""
        if what is None or what.startswith("device:"):
            self._devices.clear()

    async def run(self) -> None:
        """Deliver until cancelled."""
        self._feed.open(self._take)
        try:
            while True:
                self._feed.announce(is_wanted=self._is_watched())
                try:
                    async with asyncio.timeout(1):
                        await self._arrived.wait()
                except TimeoutError:
                    continue
                self._arrived.clear()
                await self._deliver()
        finally:
            self._feed.close()

    def _is_watched(self) -> bool:
        has_listeners = any(listener.has_live_subscribers for listener in self._listeners)
        return has_listeners or any(watcher.has_watchers for watcher in self._watchers)

    def _pass_on(self, heard: list[News]) -> None:
        self._feed.tell(heard)
        if self._is_watched():
            self._take(heard)

    def _take(self, heard: list[News]) -> None:
        self._waiting.extend(heard)
        self._arrived.set()

    async def _deliver(self) -> None:
        while self._waiting:
            heard = self._waiting.popleft()
            device = await self._device(heard.device_id)
            if device is None:
                continue
            name, team_id = device
            if isinstance(heard, Said):
                for watcher in self._watchers:
                    watcher.deliver_value(device=name, team_id=team_id, topic=heard.topic, text=heard.text)
            else:
                self._deliver_reading(heard, device=name, team_id=team_id)
            await asyncio.sleep(0)

    def _deliver_reading(self, heard: Heard, *, device: str, team_id: int) -> None:
        document = {
            "device": device,
            "device_id": heard.device_id,
            "time": iso(heard.time_us),
            "channels": msgspec.Raw(heard.channels),
        }
        payload = _encode(document)
        for listener in self._listeners:
            listener.deliver_live(device_id=heard.device_id, device=device, team_id=team_id, payload=payload)

    async def _device(self, device_id: int) -> tuple[str, int] | None:
        if device_id not in self._devices:
            try:
                async with (
                    self._pool.connection() as connection,
                    connection.cursor(row_factory=dict_row) as cursor,
                ):
                    await cursor.execute(query("find_device"), {"device": device_id})
                    row = await cursor.fetchone()
            except Unavailable:
                return None
            self._devices[device_id] = None if row is None else (row["name"], row["team_id"])
        return self._devices[device_id]
