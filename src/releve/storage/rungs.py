"""A long stretch of a device's history for charts: whole segments as their ladders, what lies between as readings.

A ladder stands in for its segment where that lies in the stretch with all of its readings, and nothing else lies in it:
no late row, no other segment, nothing that was left out. Every instant is read from one of both, and once.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from releve.history.bucket import Buckets
from releve.history.exclusion import Exclusion
from releve.history.gap import Silences, silences_of
from releve.history.ladder import Ladder
from releve.history.segment import Segment
from releve.protocol.run.completeness import FIRST_GAPS
from releve.storage import segments
from releve.storage.page import Span
from releve.storage.queries import query
from releve.storage.reader import Reader
from releve.storage.segments import Replaced, Sealed

AT_ONCE = 64  # segments whose ladders, or times, are loaded at once
REMEMBERED = 8_192  # segments: 14 MB
FEW = 200_000  # readings that are decoded in some milliseconds


class Laid(NamedTuple):
    """A segment, and how it lies.

    Attributes:
        sealed: The segment.
        since_us: When it was made; with its number that names it for ever.
        width_us: How wide the rungs of the channels asked for are; 0 where it has no number in them.
        is_alone: Whether nothing else lies in it, or between it and the one before.
    """

    sealed: Sealed
    since_us: int
    width_us: int
    is_alone: bool


class Plan(NamedTuple):
    """A stretch and its segments, by their first instant."""

    span: Span
    laid: Sequence[Laid]

    def whole(self, exclusions: Sequence[Exclusion] = ()) -> list[Laid]:
        """The segments that stand alone in the stretch, and of which nothing was left out."""
        return [each for each in self.laid if self.is_whole(each, exclusions)]

    def is_whole(self, laid: Laid, exclusions: Sequence[Exclusion]) -> bool:
        """Whether all of a segment's readings count, and no others between its first and its last."""
        first_us, last_us = laid.sealed.first_us, laid.sealed.last_us
        is_inside = self.span.from_us <= first_us and last_us < self.span.to_us
        return (laid.is_alone and is_inside) and not any(
            each.from_us <= last_us and first_us < each.to_us for each in exclusions
        )


class Summed(NamedTuple):
    """What stands in for a segment's readings.

    Attributes:
        n: How many there are.
        ladder: What their channels did.
        silences: When there were none.
    """

    n: int
    ladder: Ladder
    silences: Silences


class Silent:
    """Remembers when segments were silent, of which nothing else tells but all of their instants."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int, int], Silences] = OrderedDict()

    def find(self, device_id: int, laid: Laid) -> Silences | None:
        """What is known of a segment."""
        key = (device_id, laid.sealed.id, laid.since_us)
        if key in self._known:
            self._known.move_to_end(key)
        return self._known.get(key)

    def keep(self, device_id: int, laid: Laid, found: Silences) -> None:
        """Remember it, and forget what was asked for longest ago."""
        self._known[device_id, laid.sealed.id, laid.since_us] = found
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


async def plan(reader: Reader, device_id: int, channels: Sequence[str], span: Span) -> Plan:
    """How the segments of a span lie."""
    values = {"device": device_id, "names": list(channels), "from_us": span.from_us, "to_us": span.to_us}
    ids, n, first, last, size, since, width, alone = (await reader.ask(query("segment_plan"), values))[0]
    if ids is None:
        return Plan(span, [])
    columns = [column.tolist() for column in (ids, n, first, last, size, since, width, alone)]
    return Plan(
        span,
        [
            Laid(Sealed(*sealed), since_us, width_us, bool(is_alone))
            for *sealed, since_us, width_us, is_alone in zip(*columns, strict=True)
        ],
    )


def step_us(whole: Sequence[Laid], width_us: int) -> int | None:
    """Of which rungs buckets are best made: the narrowest that leave few readings to decode; None where none fit.

    Args:
        whole: Segments whose ladders may stand in for them.
        width_us: How wide buckets are to be at least.
    """
    widths = sorted({max(1, each.width_us) for each in whole if each.width_us <= width_us})
    left = {width: sum(each.sealed.n for each in whole if each.width_us > width) for width in widths}
    return next((width for width in widths if left[width] - left[widths[-1]] <= FEW), None)


async def pieces(
    reader: Reader,
    device_id: int,
    channels: Sequence[str],
    planned: Plan,
    *,
    step: int,
    exclusions: Sequence[Exclusion],
    silent: Silent,
) -> AsyncIterator[Span | list[Summed]]:
    """A stretch in order: what must be read, and between that what stands in for segments.

    The first thousand readings are to be read, since a device's rhythm is theirs.

    Args:
        reader: Answers.
        device_id: Whose readings.
        channels: Whose ladders are wanted.
        planned: The stretch.
        step: Rungs may be as wide, in microseconds; a divisor of the width of the buckets.
        exclusions: What was left out.
        silent: What is known of segments.

    Raises:
        Damaged: A segment is not what was written.
    """
    at, following = planned.span.from_us, 0
    chosen = _chosen(planned, step, exclusions)
    for group in [chosen[start : start + AT_ONCE] for start in range(0, len(chosen), AT_ONCE)]:
        found = await _summed(reader, device_id, channels, [planned.laid[place] for place in group], silent)
        ready: list[Summed] = []
        for place in group:
            sealed = planned.laid[place].sealed
            if sealed.id not in found:  # merged with others meanwhile: it is read
                continue
            if place != following:  # otherwise there is nothing before it that did not come
                if ready:
                    yield ready
                yield Span(at, sealed.first_us)
                ready = []
            ready.append(found[sealed.id])
            at, following = sealed.last_us + 1, place + 1
        if ready:
            yield ready
    yield Span(at, planned.span.to_us)


def _chosen(planned: Plan, step: int, exclusions: Sequence[Exclusion]) -> list[int]:
    """The places of the segments that ladders stand in for."""
    found, read = [], 0
    for place, each in enumerate(planned.laid):
        if not planned.is_whole(each, exclusions):
            continue
        if read > FIRST_GAPS and each.width_us <= step:
            found.append(place)
        else:
            read += each.sealed.n
    return found


async def _summed(
    reader: Reader, device_id: int, channels: Sequence[str], laid: Sequence[Laid], silent: Silent
) -> dict[int, Summed]:
    """What stands in for segments, by their numbers, but for those that were replaced meanwhile."""
    numbers = [each.sealed.id for each in laid]
    values = {"device": device_id, "names": list(channels), "segments": numbers}
    rungs: dict[int, dict[str, Buckets]] = {}
    for number, channel, *arrays in await reader.ask(query("segment_ladders"), values):
        of = rungs.setdefault(number, {})
        if channel is not None:
            of[channel] = Buckets._make([*arrays, np.zeros(len(arrays[0]))])
    there = [each for each in laid if each.sealed.id in rungs]
    silences = await _silences(reader, device_id, there, silent)
    return {
        each.sealed.id: Summed(
            each.sealed.n, Ladder(max(1, each.width_us), rungs[each.sealed.id]), silences[each.sealed.id]
        )
        for each in there
        if each.sealed.id in silences
    }


async def _silences(reader: Reader, device_id: int, laid: Sequence[Laid], silent: Silent) -> dict[int, Silences]:
    """When segments were silent, by their numbers; nothing of those whose columns are gone."""
    known = {each.sealed.id: silent.find(device_id, each) for each in laid}
    unknown = [each for each in laid if known[each.sealed.id] is None]
    try:
        loaded = await segments.load(reader, device_id, [each.sealed for each in unknown], ()) if unknown else {}
    except Replaced:  # of one: the others are looked at when they are asked for again
        loaded = {}
    found = {number: each for number, each in known.items() if each is not None}
    found |= await reader.work(_told, loaded)
    for each in unknown:
        if each.sealed.id in found:
            silent.keep(device_id, each, found[each.sealed.id])
    return found


def _told(loaded: Mapping[int, Segment]) -> dict[int, Silences]:
    return {number: silences_of(segments.decoded(segment, ()).time_us) for number, segment in loaded.items()}
