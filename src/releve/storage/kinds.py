"""What a device's channels are called and which hold numbers, so that a number which comes as text is not lost.

What a device has sent is remembered in the database, so that it is the same on every worker and after a restart; that a
layout holds nothing new is remembered here, so that a reading of numbers is asked about once.
"""

from collections.abc import Sequence

import msgspec
from psycopg import AsyncConnection

from releve.protocol.channel import Layout
from releve.protocol.identity import canonical
from releve.protocol.numeral import number_of
from releve.protocol.outcome import Notice
from releve.protocol.reading import Quarantined, Reading
from releve.storage import names
from releve.storage.queries import query

MOST_SETTLED = 100_000  # then everything is forgotten, and asked again
REASON = "text in a channel that held numbers; it is stored as text and counts in no sum"
Channel = tuple[int, str]


class Kinds:
    """What one writer knows of its devices' channels.

    Args:
        most_names: How many names the channels of one device may have.
    """

    def __init__(self, *, most_names: int) -> None:
        self._most_names = most_names
        self._settled: set[tuple[int, Layout]] = set()
        self._learnt: set[tuple[int, Layout]] = set()  # these too, and those with text, which are never settled

    def is_settled(self, reading: Reading) -> bool:
        """Whether there is nothing to ask about a reading's channels; about text there always is."""
        layout = reading.layout
        return layout is None or (reading.device_id, layout) in self._settled

    async def settle(self, connection: AsyncConnection, readings: Sequence[Reading]) -> dict[int, Quarantined]:
        """Learn what channels there are; numeric text among numbers becomes its number, and changes the identity.

        Args:
            connection: An idle connection in autocommit mode.
            readings: Those that are not settled.

        Returns:
            Those that have a name too many: `id()` of the reading object to what is kept of it.
        """
        aside = await self._put_aside(connection, readings)
        readings = [reading for reading in readings if id(reading) not in aside]
        layouts = {(reading.device_id, reading.layout) for reading in readings if reading.layout is not None}
        texts = sorted({(device, channel) for device, layout in layouts for channel in layout.texts})
        if texts:
            await _respell_all(connection, readings, await _numeric(connection, texts))
        await self._learn(connection, layouts - self._learnt)
        if len(self._learnt) > MOST_SETTLED:
            self._settled.clear()
            self._learnt.clear()
        self._learnt |= layouts
        self._settled.update((device, layout) for device, layout in layouts if not layout.texts)
        return aside

    async def _put_aside(self, connection: AsyncConnection, readings: Sequence[Reading]) -> dict[int, Quarantined]:
        new = dict.fromkeys(
            (reading.device_id, reading.layout)
            for reading in readings
            if reading.layout is not None and (reading.device_id, reading.layout) not in self._learnt
        )
        beyond = await names.admit(connection, new, most=self._most_names) if new else {}
        if not beyond:
            return {}
        aside: dict[int, Quarantined] = {}
        for reading in readings:
            problem = None if reading.layout is None else beyond.get((reading.device_id, reading.layout))
            if problem is not None:
                aside[id(reading)] = reading.aside(problem.detail, field=problem.field)
        return aside

    async def _learn(self, connection: AsyncConnection, layouts: set[tuple[int, Layout]]) -> None:
        fresh = {(device, channel) for device, layout in layouts for channel in layout.numbers}
        if fresh:
            devices, channels = zip(*sorted(fresh), strict=True)
            await connection.execute(query("learn_numeric_channels"), [list(devices), list(channels)])


async def _respell_all(connection: AsyncConnection, readings: Sequence[Reading], numeric: set[Channel]) -> None:
    """In their order: a channel counts as one of numbers from its first number on."""
    strange: dict[Channel, tuple[str, int]] = {}
    for reading in readings:
        _respell(reading, numeric, strange)
        if reading.layout is not None:
            numeric.update((reading.device_id, channel) for channel in reading.layout.numbers)
    if strange:
        rows = [(*channel, *last) for channel, last in strange.items()]
        await connection.execute(query("keep_strange_texts"), [list(column) for column in zip(*rows, strict=True)])


async def _numeric(connection: AsyncConnection, channels: Sequence[Channel]) -> set[Channel]:
    devices, names = zip(*channels, strict=True)
    cursor = await connection.execute(query("find_numeric_channels"), [list(devices), list(names)])
    return set(await cursor.fetchall())


def _respell(reading: Reading, numeric: set[Channel], strange: dict[Channel, tuple[str, int]]) -> None:
    reading.notices = ()
    texts = () if reading.layout is None else reading.layout.texts
    mixed = [channel for channel in texts if (reading.device_id, channel) in numeric]
    is_export = reading.keyed and reading.key is None  # comes back as it was
    if not mixed or is_export:
        return
    channels = msgspec.json.decode(reading.channels)
    for channel in mixed:
        text = channels[channel]
        number = number_of(text) if isinstance(text, str) else text
        if number is not None:
            channels[channel] = number
        else:
            strange[reading.device_id, channel] = text, reading.received_us
            reading.notices = (*reading.notices, Notice(channel, REASON))
    spelt = canonical(channels)
    if spelt != reading.channels:
        reading.channels = spelt
        reading.identify()
