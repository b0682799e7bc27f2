"""A glance at many devices in few statements: the latest number of some channels, and the least and greatest of a day.

Ladders tell it of segments, whose columns are decoded only where a span begins or ends in the midst of a rung, or where
it is not clear which of two numbers is the later one. What lies in two places does no harm here.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from releve.history.block import Block
from releve.history.segment import Holds, Segment
from releve.storage import segments
from releve.storage.page import columns_of
from releve.storage.queries import query
from releve.storage.reader import Reader, Row
from releve.storage.scan import EVER
from releve.storage.segments import Sealed

AT_ONCE = 100  # devices: their rows are some hundred each, and eight thousand at most
AT_ONCE_BYTES = 16_000_000  # of segments that are decoded
_CHANNEL = Holds.CHANNEL.value.decode()


class Looked(NamedTuple):
    """When it is looked at a device.

    Attributes:
        from_us: The first instant of the span in which the least and the greatest are looked for, such as the day.
        to_us: The instant behind it; nothing later is the latest either.
        since_us: Nothing before is looked at, such as what another team measured.
    """

    from_us: int
    to_us: int
    since_us: int = EVER.from_us


class Glance(NamedTuple):
    """What is seen of a channel.

    Attributes:
        last: The latest number before the end of the span; None where there is none in the span, in the newest row
            before it or in the newest segment.
        low: The least number within the span; None where there is none.
        high: The greatest.
    """

    last: float | None
    low: float | None
    high: float | None


class _Last(NamedTuple):
    """A number that may be the latest, and between which instants it was measured."""

    since_us: int
    until_us: int
    number: float
    sealed: Sealed | None = None


class _Seen:
    """What is known of a channel of a device so far."""

    def __init__(self) -> None:
        self.lasts: list[_Last] = []
        self.lows: list[float] = []
        self.highs: list[float] = []

    def unclear(self) -> set[Sealed]:
        """The segments that must be decoded to tell which number is the latest."""
        if not self.lasts:
            return set()
        begins_us = max(self.lasts, key=lambda each: each.until_us).since_us
        rivals = [each for each in self.lasts if each.until_us >= begins_us]
        return {each.sealed for each in rivals if each.sealed is not None} if len(rivals) > 1 else set()

    def glance(self) -> Glance:
        """The answer, once nothing is unclear."""
        last = max(self.lasts, key=lambda each: each.until_us).number if self.lasts else None
        return Glance(last, min(self.lows, default=None), max(self.highs, default=None))


_All = dict[int, dict[str, _Seen]]


async def glances(
    reader: Reader, looks: Mapping[int, Looked], channels: Collection[str]
) -> dict[int, dict[str, Glance]]:
    """What is seen of devices: by their numbers, the channels that have ever a number there.

    Args:
        reader: Answers.
        looks: When it is looked at each device.
        channels: Their names, the same of all.

    Raises:
        Damaged: A segment is not what was written.
        Replaced: A segment was taken away for a quarter of an hour already.
    """
    found: dict[int, dict[str, Glance]] = {}
    devices = sorted(looks)
    for start in range(0, len(devices), AT_ONCE):
        here = {device: looks[device] for device in devices[start : start + AT_ONCE]}
        seen = await _seen(reader, here, tuple(dict.fromkeys(channels)))
        for device, of_channels in seen.items():
            found[device] = {name: each.glance() for name, each in of_channels.items()}
    return found


async def _seen(reader: Reader, looks: Mapping[int, Looked], names: Sequence[str]) -> _All:
    values = {
        "devices": list(looks),
        "from_us": [max(look.from_us, look.since_us) for look in looks.values()],
        "to_us": [look.to_us for look in looks.values()],
        "since_us": [look.since_us for look in looks.values()],
        "names": list(names),
    }
    seen: _All = {device: {} for device in looks}
    # The rows first: what is sealed in between is then seen twice, and not missed.
    rows = await reader.ask(query("glance_rows"), values)
    await reader.work(_take_rows, seen, looks, rows, names)
    cut: set[tuple[int, Sealed]] = set()
    for row in await reader.ask(query("glance_segments"), values):
        if _take_ladder(seen, looks[row[0]], row):
            cut.add((row[0], Sealed(*row[1:6])))
    for device, of_channels in seen.items():
        cut |= {(device, sealed) for each in of_channels.values() for sealed in each.unclear()}
    for group in _groups(sorted(cut)):
        await _decode(reader, seen, looks, group, names)
    return seen


def _take_rows(seen: _All, looks: Mapping[int, Looked], rows: Sequence[Row], names: Sequence[str]) -> None:
    """Rows of all devices, which are read in one go: most have a few."""
    if not rows:
        return
    lines = "\n".join([channels for _, _, channels, _ in rows]).split("\n")
    columns = columns_of(lines, tuple(names), has_old=any(has_old for *_, has_old in rows))
    ends = np.cumsum([len(time_us) for _, time_us, _, _ in rows]).tolist()
    for (device, time_us, _, _), end in zip(rows, ends, strict=True):
        order = np.argsort(time_us, kind="stable")
        here = order + (end - len(time_us))
        block = Block(time_us[order], {name: column.take(here) for name, column in columns.items()})
        _take_block(seen[device], looks[device], block)


def _take_block(seen: dict[str, _Seen], look: Looked, block: Block) -> None:
    """Readings, and those before the span for the latest number alone."""
    block = block.within(look.since_us, look.to_us)
    first = int(np.searchsorted(block.time_us, look.from_us))
    for name, column in block.channels.items():
        places = np.flatnonzero(~np.isnan(column.numbers))
        if not len(places):
            continue
        of = seen.setdefault(name, _Seen())
        time_us = int(block.time_us[places[-1]])
        of.lasts.append(_Last(time_us, time_us, float(column.numbers[places[-1]])))
        inside = column.numbers[places[np.searchsorted(places, first) :]]
        if len(inside):
            of.lows.append(float(inside.min()))
            of.highs.append(float(inside.max()))


def _take_ladder(seen: dict[int, dict[str, _Seen]], look: Looked, row: Row) -> bool:
    """What a segment's ladder tells; whether it does not tell everything, and its columns must be decoded."""
    device, number, n, first_us, last_us, size, channel, width_us, low, high, last, start_us = row
    is_cut = first_us < look.from_us <= last_us and look.from_us % width_us
    if is_cut or first_us < look.since_us or last_us >= look.to_us:
        return True
    of = seen[device].setdefault(channel, _Seen())
    sealed = Sealed(number, n, first_us, last_us, size)
    of.lasts.append(_Last(max(first_us, start_us), min(last_us, start_us + width_us - 1), last, sealed))
    if low is not None:
        of.lows.append(low)
        of.highs.append(high)
    return False


def _groups(cut: Iterable[tuple[int, Sealed]]) -> Iterator[list[tuple[int, Sealed]]]:
    group: list[tuple[int, Sealed]] = []
    for device, sealed in cut:
        if group and sum(each.size for _, each in group) + sealed.size > AT_ONCE_BYTES:
            yield group
            group = []
        group.append((device, sealed))
    if group:
        yield group


async def _decode(
    reader: Reader, seen: _All, looks: Mapping[int, Looked], group: Sequence[tuple[int, Sealed]], names: Sequence[str]
) -> None:
    values = {
        "devices": [device for device, _ in group],
        "segments": [sealed.id for _, sealed in group],
        "names": list(names),
    }
    rows = await reader.ask(query("glance_columns"), values)
    columns = {key: list(found) for key, found in groupby(sorted(rows, key=itemgetter(0, 1)), key=itemgetter(0, 1))}
    await reader.work(_take_columns, seen, looks, group, columns)


def _take_columns(
    seen: _All,
    looks: Mapping[int, Looked],
    group: Sequence[tuple[int, Sealed]],
    columns: Mapping[tuple[int, int], Sequence[Row]],
) -> None:
    for device, sealed in group:
        own: dict[Holds, bytes] = {}
        channels: dict[str, bytes] = {}
        for _, _, holds, name, content in columns.get((device, sealed.id), ()):
            if holds == _CHANNEL:
                channels[name] = content
            else:
                own[Holds(holds.encode())] = content
        if not own:
            raise segments.Replaced
        segment = Segment(sealed.n, sealed.first_us, sealed.last_us, own, channels)
        for each in seen[device].values():  # what its ladder said is now told exactly
            each.lasts = [last for last in each.lasts if last.sealed != sealed]
        _take_block(seen[device], looks[device], segments.decoded(segment, channels))
