"""Identity of readings whose instant depends on when we received them: a repeat has a receipt (promise P2)."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from psycopg import AsyncConnection

from releve.protocol import clock
from releve.protocol.clock import Anchor, Rule
from releve.protocol.reading import Reading
from releve.storage.queries import query

Identity = tuple[int, int]
Submission = tuple[int, int]


class Repeats:
    """What one transaction knows of receipts and anchors, and what it adds to them."""

    def __init__(self) -> None:
        self._receipts: dict[Identity, tuple[int, int]] = {}
        self._anchors: dict[int, Anchor] = {}
        self._kept: dict[Identity, tuple[int, int]] = {}
        self._moved: set[int] = set()
        self._instants: dict[int, int] = {}

    async def settle(self, connection: AsyncConnection, readings: list[Reading]) -> dict[int, int]:
        """Give each reading that needs a receipt its instant, within the caller's transaction.

        Answers the repeats among them: `id()` of the reading object to the instant of the first one, in microseconds.
        """
        wanting = [reading for reading in readings if reading.needs_receipt]
        if not wanting:
            return {}
        await self._load(connection, wanting)
        submissions: defaultdict[Submission, list[Reading]] = defaultdict(list)
        for reading in wanting:
            submissions[reading.device_id, reading.received_us].append(reading)
        for (device_id, received_us), members in submissions.items():
            self._settle_submission(device_id, received_us, members)
        await self._keep(connection)
        return self._instants

    async def _load(self, connection: AsyncConnection, readings: list[Reading]) -> None:
        devices = sorted({reading.device_id for reading in readings})
        await connection.execute(query("lock_devices"), [devices])
        cursor = await connection.execute(
            query("find_receipts"),
            [[reading.device_id for reading in readings], [reading.id for reading in readings]],
        )
        self._receipts = {
            (device, identity): (time, received) for device, identity, time, received in await cursor.fetchall()
        }
        cursor = await connection.execute(query("find_anchors"), [devices])
        self._anchors = {device: Anchor(*anchor) for device, *anchor in await cursor.fetchall()}

    def _settle_submission(self, device_id: int, received_us: int, members: list[Reading]) -> None:
        fresh: dict[int, Reading] = {}
        twins: list[Reading] = []
        for reading in members:
            known = self._receipts.get((device_id, reading.id))
            if known is not None and _is_repeat(reading, first_received_us=known[1]):
                self._instants[id(reading)] = known[0]
            elif reading.id in fresh:
                twins.append(reading)
            else:
                fresh[reading.id] = reading
        self._place(device_id, received_us, list(fresh.values()))
        for identity, reading in fresh.items():
            kept = reading.instant.time_us, received_us
            self._receipts[device_id, identity] = self._kept[device_id, identity] = kept
        for reading in twins:
            self._instants[id(reading)] = fresh[reading.id].instant.time_us

    def _place(self, device_id: int, received_us: int, readings: list[Reading]) -> None:
        anchor = self._anchors.get(device_id)
        timed = [
            (reading, reading.instant.uptime_ms)
            for reading in readings
            if reading.instant.uptime_ms is not None
            and (
                reading.instant.rule is Rule.UPTIME
                or clock.continues_uptime(reading.instant.uptime_ms, anchor, received_us=received_us)
            )
        ]
        if not timed:
            return
        instants, self._anchors[device_id] = clock.place(
            [uptime_ms for _, uptime_ms in timed], anchor, received_us=received_us
        )
        self._moved.add(device_id)
        for (reading, _), time_us in zip(timed, instants, strict=True):
            reading.instant = msgspec.structs.replace(reading.instant, time_us=time_us, rule=Rule.UPTIME)

    async def _keep(self, connection: AsyncConnection) -> None:
        if self._kept:
            rows = [(*identity, *kept) for identity, kept in self._kept.items()]
            await connection.execute(query("keep_receipts"), _columns(rows))
        if self._moved:
            rows = [(device, *msgspec.structs.astuple(self._anchors[device])) for device in sorted(self._moved)]
            await connection.execute(query("keep_anchors"), _columns(rows))


def _is_repeat(reading: Reading, *, first_received_us: int) -> bool:
    """Whether a reading with a receipt is the same again; an uptime comes round at each boot, so not for ever."""
    if reading.keyed or reading.instant.uptime_ms is None:
        return True
    return reading.received_us - first_received_us <= clock.REPEAT_US


def _columns(rows: Sequence[tuple[int, ...]]) -> list[list[int]]:
    return [list(column) for column in zip(*rows, strict=True)]
