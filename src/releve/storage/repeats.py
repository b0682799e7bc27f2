"""Identity of readings whose instant depends on when we received them: a repeat has a receipt (promise P2)."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from psycopg import AsyncConnection

from releve.protocol import clock
from releve.protocol.clock import Anchor, Rule
from releve.protocol.pace import Pace, learn
from releve.protocol.reading import Quarantined, Reading
from releve.storage.late import sealed_at
from releve.storage.queries import query
from releve.storage.same_key import warn

Identity = tuple[int, int]
Submission = tuple[int, int]


class Repeats:
    """What one transaction knows of receipts and anchors, and what it adds to them.

    Attributes:
        instants: The repeats: `id()` of the reading object to the instant of the first one, in microseconds.
        aside: The readings whose time cannot be right after all: `id()` of the object to what is kept of it.
    """

    def __init__(self) -> None:
        self.instants: dict[int, int] = {}
        self.aside: dict[int, Quarantined] = {}
        self._receipts: dict[Identity, tuple[int, int]] = {}
        self._of_key: defaultdict[Identity, set[int]] = defaultdict(set)
        self._anchors: dict[int, Anchor] = {}
        self._paces: dict[int, Pace] = {}
        self._kept: dict[Identity, tuple[int | None, int, int]] = {}
        self._moved: set[int] = set()
        self._announced: set[int] = set()

    async def settle(self, connection: AsyncConnection, readings: list[Reading]) -> None:
        """Give each reading that needs a receipt its instant, within the caller's transaction."""
        wanting = [reading for reading in readings if reading.needs_receipt]
        if not wanting:
            return
        await self._load(connection, wanting)
        submissions: defaultdict[Submission, list[Reading]] = defaultdict(list)
        for reading in wanting:
            submissions[reading.device_id, reading.received_us].append(reading)
        for (device_id, received_us), members in submissions.items():
            self._settle_submission(device_id, received_us, members)
        await self._keep(connection)

    async def _load(self, connection: AsyncConnection, readings: list[Reading]) -> None:
        devices = sorted({reading.device_id for reading in readings})
        await connection.execute(query("lock_devices"), [devices])
        cursor = await connection.execute(
            query("find_receipts"),
            {
                "devices": [reading.device_id for reading in readings],
                "ids": [reading.id for reading in readings],
                "keys": [None if reading.key is None else reading.key.hash for reading in readings],
                "channels": [reading.channels.decode() for reading in readings],
            },
        )
        found = await cursor.fetchall()
        unknown = [(device_id, key, time_us) for device_id, _, key, time_us, _, is_same in found if is_same is None]
        contents = await _sealed_contents(connection, unknown) if unknown else {}
        channels = {(reading.device_id, reading.id): reading.channels for reading in readings}
        for device_id, identity, key, time_us, received_us, is_same in found:
            if is_same is None and contents.get((device_id, time_us, key)) != channels[device_id, identity]:
                continue
            self._receipts[device_id, identity] = time_us, received_us
            if key is not None:
                self._of_key[device_id, key].add(identity)
        cursor = await connection.execute(query("find_anchors"), [devices])
        for device_id, boot_us, count, received_us, tick_us, base, base_us in await cursor.fetchall():
            self._anchors[device_id] = Anchor(boot_us, count, received_us)
            self._paces[device_id] = Pace(tick_us, None if base is None else (base, base_us))

    def _settle_submission(self, device_id: int, received_us: int, members: list[Reading]) -> None:
        fresh: dict[int, Reading] = {}
        twins: list[Reading] = []
        for reading in members:
            known = self._receipts.get((device_id, reading.id))
            if known is not None and _is_repeat(reading, first_received_us=known[1]):
                self.instants[id(reading)] = known[0]
            elif reading.id in fresh:
                twins.append(reading)
            else:
                fresh[reading.id] = reading
        self._place(device_id, received_us, list(fresh.values()))
        for identity, reading in fresh.items():
            if id(reading) not in self.aside:
                self._keep_receipt(identity, reading)
        for reading in twins:
            first = fresh[reading.id]
            if id(first) in self.aside:
                self.aside[id(reading)] = self.aside[id(first)]
            else:
                self.instants[id(reading)] = first.instant.time_us

    def _keep_receipt(self, identity: int, reading: Reading) -> None:
        key = None if reading.key is None else reading.key.hash
        kept = reading.instant.time_us, reading.received_us
        self._receipts[reading.device_id, identity] = kept
        self._kept[reading.device_id, identity] = (key, *kept)
        if key is not None:
            others = self._of_key[reading.device_id, key]
            warn(reading, is_used=bool(others - {identity}))
            others.add(identity)

    def _place(self, device_id: int, received_us: int, readings: list[Reading]) -> None:
        """Give counts their instants, and put aside what turns out to be no likely time."""
        anchor, pace = self._anchors.get(device_id), self._paces.get(device_id)
        presumed_us = (pace or Pace()).presumed_us
        timed: list[tuple[Reading, float]] = []
        for reading in readings:
            count = reading.instant.count
            if count is None:
                continue
            if reading.instant.rule is Rule.UPTIME or clock.continues(
                count, anchor, received_us=received_us, tick_us=presumed_us
            ):
                timed.append((reading, count))
            else:
                self._judge(reading)
        if timed:
            self._count(device_id, received_us, timed)

    def _count(self, device_id: int, received_us: int, timed: list[tuple[Reading, float]]) -> None:
        anchor, pace = self._anchors.get(device_id), self._paces.get(device_id)
        last = timed[-1][1]
        learnt, problem = learn(pace, last, received_us=received_us)
        self._paces[device_id] = learnt
        self._moved.add(device_id)
        if pace is None or pace.tick_us != learnt.tick_us:
            self._announced.add(device_id)
        if problem is not None and anchor is not None:
            self.aside.update((id(reading), reading.aside(problem)) for reading, _ in timed)
            return
        if pace is not None and pace.presumed_us != learnt.presumed_us:
            anchor = None  # it was placed by another unit
        instants, placed = clock.place(
            [count for _, count in timed], anchor, received_us=received_us, tick_us=learnt.presumed_us
        )
        if anchor is not None and placed.boot_us > anchor.boot_us:
            self._paces[device_id] = learnt.rebooted(last, received_us=received_us)
        self._anchors[device_id] = placed
        for (reading, _), time_us in zip(timed, instants, strict=True):
            reading.instant = msgspec.structs.replace(reading.instant, time_us=time_us, rule=Rule.UPTIME)

    def _judge(self, reading: Reading) -> None:
        """A number of the size of an epoch that does not continue the device's counter is an epoch."""
        original = reading.original
        reason = clock.implausible(
            reading.instant.time_us,
            received_us=reading.received_us,
            added_us=0 if original is None else original.added_us,
        )
        if reason is not None:
            self.aside[id(reading)] = reading.aside(reason)

    async def _keep(self, connection: AsyncConnection) -> None:
        if self._kept:
            rows = [(*identity, *kept) for identity, kept in self._kept.items()]
            await connection.execute(query("keep_receipts"), _columns(rows))
        if self._moved:
            await connection.execute(
                query("keep_anchors"), _columns([self._anchor_row(device) for device in sorted(self._moved)])
            )
        if self._announced:
            await connection.execute(query("announce_counter"), [sorted(self._announced)])

    def _anchor_row(self, device_id: int) -> tuple[int | None, ...]:
        anchor, pace = self._anchors[device_id], self._paces[device_id]
        return device_id, *msgspec.structs.astuple(anchor), pace.tick_us, *(pace.base or (None, None))


async def _sealed_contents(
    connection: AsyncConnection, wanted: Sequence[tuple[int, int, int]]
) -> dict[tuple[int, int, int], bytes]:
    """The channels of what was stored under these (device, identity, instant) before identities held content."""
    instants: defaultdict[int, set[int]] = defaultdict(set)
    for device_id, _, time_us in wanted:
        instants[device_id].add(time_us)
    sealed = await sealed_at(connection, instants)
    return {(device, time_us, row.id): row.channels for (device, time_us), rows in sealed.items() for row in rows}


def _is_repeat(reading: Reading, *, first_received_us: int) -> bool:
    """Whether a reading with a receipt is the same again.

    A count comes round at each boot, and the hour that clocks repeat comes twice: without a message id neither is the
    same for ever.
    """
    return reading.keyed or reading.received_us - first_received_us <= clock.REPEAT_US


def _columns(rows: Sequence[tuple[int | None, ...]]) -> list[list[int | None]]:
    return [list(column) for column in zip(*rows, strict=True)]
