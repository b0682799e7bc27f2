"""What is committed on its way to whoever watches, in this worker and in its siblings; nothing is kept for the slow.

What is live is sent at most once: the readings themselves are in the database, and a reader that needs every one of
them asks there.
"""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from psycopg.rows import dict_row

from releve.ingest.submission import Value
from releve.live.feed import NOBODYS, Feed, Wanted
from releve.live.heard import Heard, News, Said
from releve.live.told import Told
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import Unavailable
from releve.protocol.reading import Reading
from releve.storage.pool import Pool
from releve.storage.queries import query

WAITING = 10_000  # readings and values that may wait to be sent; beyond that the oldest are left out
ASK_S = 1.0  # how often the siblings are looked at


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


class Streams(Protocol):
    """A part of this worker with people behind it who look at devices by their numbers."""

    @property
    def wanted(self) -> Wanted:
        """The devices whose readings anybody would hear; None for all."""

    def deliver(self, told: Told) -> None:
        """Send one to whoever may read it."""


class Hub:
    """Hears every commit of this worker and, while somebody here watches, of the others."""

    def __init__(self, pool: Pool, feed: Feed) -> None:
        self._pool = pool
        self._feed = feed
        self._listeners: list[Listener] = []
        self._watchers: list[Watcher] = []
        self._streams: list[Streams] = []
        self._waiting: deque[News] = deque(maxlen=WAITING)
        self._arrived = asyncio.Event()
        self._must_ask = True
        self._devices: dict[int, tuple[str, int] | None] = {}

    def add(self, listener: Listener) -> None:
        """Tell this one too."""
        self._listeners.append(listener)

    def add_watcher(self, watcher: Watcher) -> None:
        """Tell this one what cars say."""
        self._watchers.append(watcher)

    def add_streams(self, streams: Streams) -> None:
        """Tell these too, of the devices that they want."""
        self._streams.append(streams)

    def look_up(self) -> bool:
        """Ask the siblings now, not within the second: somebody has begun to watch; whether there are any."""
        self._must_ask = True
        self._arrived.set()
        return self._feed.has_siblings

    def kept(self, values: Sequence[Value]) -> None:
        """The newest texts of cars' topics were written down; costs nothing while nobody watches."""
        if self._is_watched() or self._feed.is_wanted_elsewhere:
            self._pass_on([Said(device_id, topic, text) for device_id, topic, text, _ in values])

    def committed(self, entries: Sequence[Any], receipts: Sequence[Receipt]) -> None:
        """A group was committed; costs nothing while nobody watches."""
        here, elsewhere = self._wanted(), self._feed.wanted_elsewhere
        if here is None or elsewhere is None:
            heard = _readings(entries, receipts)
        elif here or elsewhere:
            heard = _readings(entries, receipts, of=(here, elsewhere))
        else:
            return
        if heard:
            self._pass_on(heard)

    def changed(self, what: str | None) -> None:
        """A device's name or team may have changed."""
        if what is None or what.startswith("device:"):
            self._devices.clear()

    async def run(self) -> None:
        """Deliver until cancelled."""
        self._feed.open(self._take)
        asked_s = 0.0
        try:
            while True:
                if (
                    self._must_ask or time.monotonic() - asked_s > ASK_S
                ):  # to look into the folder costs more than a reading
                    self._must_ask, asked_s = False, time.monotonic()
                    self._feed.announce(self._wanted())
                try:
                    async with asyncio.timeout(ASK_S):
                        await self._arrived.wait()
                except TimeoutError:
                    continue
                self._arrived.clear()
                await self._deliver()
        finally:
            self._feed.close()

    def _wanted(self) -> Wanted:
        """The devices whose news somebody here would hear; None for all."""
        if self._is_watched():
            return None
        wishes = [streams.wanted for streams in self._streams]
        if len(wishes) == 1:
            return wishes[0]
        return None if None in wishes else NOBODYS.union(*[wish for wish in wishes if wish is not None])

    def _is_watched(self) -> bool:
        """Whether somebody here would hear everything."""
        has_listeners = any(listener.has_live_subscribers for listener in self._listeners)
        return has_listeners or any(watcher.has_watchers for watcher in self._watchers)

    def _pass_on(self, heard: list[News]) -> None:
        self._feed.tell(heard)
        here = self._wanted()
        if here is None:
            self._take(heard)
        elif here:
            self._take([news for news in heard if news.device_id in here])

    def _take(self, heard: list[News]) -> None:
        self._must_ask |= not heard  # a sibling that has begun to ask says no more than that
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
        told = Told(
            device_id=heard.device_id, device=device, team_id=team_id, time_us=heard.time_us, channels=heard.channels
        )
        for streams in self._streams:
            streams.deliver(told)
        for listener in self._listeners:
            if listener.has_live_subscribers:
                listener.deliver_live(device_id=heard.device_id, device=device, team_id=team_id, payload=told.payload)

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


def _readings(
    entries: Sequence[Any], receipts: Sequence[Receipt], *, of: tuple[Collection[int], Collection[int]] | None = None
) -> list[News]:
    """Those of a submission that are stored now; of all devices, or of some."""
    return [
        Heard(entry.device_id, receipt.time_us or entry.instant.time_us, entry.channels)
        for entry, receipt in zip(entries, receipts, strict=True)
        if (of is None or entry.device_id in of[0] or entry.device_id in of[1])
        and receipt.outcome is Outcome.STORED
        and isinstance(entry, Reading)
    ]
