"""Computes a chart from blocks of readings, one after the other; loads numpy, so only who draws one imports this."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

import numpy as np

from releve.history.block import Block
from releve.history.column import Column
from releve.history.conversion import Conversion, conversions_of, converted, converted_ladder
from releve.history.exclusion import Exclusion, named_channels
from releve.history.gap import Gap, Gaps
from releve.history.grid import Even, Grid, Unit, calendar
from releve.history.ladder import Ladder
from releve.history.scan import Wanted, scan
from releve.history.series import Series
from releve.history.statistic import Statistics
from releve.protocol.problem import BadRequest
from releve.query.series.along import Along
from releve.query.series.asked import SHAPE, Asked
from releve.query.series.source import Source
from releve.storage.rungs import Summed

MOST_STATES = 32
MOST_TEXT = 8_000_000  # characters of readings that are answered as they are
DURATION = "duration"


class Line(NamedTuple):
    """One channel's part of a chart.

    Attributes:
        channel: Its name.
        columns: By name, an array or a list each, all of one length.
        states: For `duration`: by state an array of seconds, as long.
    """

    channel: str
    columns: Mapping[str, Any]
    states: Mapping[str, Any] | None = None


class Drawn(NamedTuple):
    """What becomes of a device's or a run's readings.

    Attributes:
        is_raw: Whether the lines hold the readings themselves.
        width: Of the buckets: microseconds, None where it changes with the calendar; or the unit of the channel `by`.
        lines: One for each channel.
        gaps: Where readings are missing.
    """

    is_raw: bool
    width: float | None
    lines: Sequence[Line]
    gaps: Sequence[Gap]


class _Collector(Protocol):
    """Takes blocks in order and answers lines."""

    width: float | None

    def add(self, block: Block) -> None:
        """Take readings that count."""

    def answer(self) -> tuple[bool, list[Line]]:
        """Whether they are the readings themselves, and the lines."""


class Chart:
    """Collects one device's or run's chart.

    Args:
        asked: What was asked for.
        source: Whose readings.
        from_us: Where the grid begins.
        to_us: Where it ends.
        places: For a chart along a channel: the least and the greatest place on it.
        step_us: For a chart of which ladders make a part: how wide rungs its buckets are made of.
    """

    def __init__(
        self,
        asked: Asked,
        source: Source,
        *,
        from_us: int,
        to_us: int,
        places: tuple[float, float] | None = None,
        step_us: int | None = None,
    ) -> None:
        self._wanted = wanted_of(source)
        self._conversions = _conversions(_asked_for(asked), source)
        self._gaps = Gaps()
        self._collector: _Collector
        if places is not None:
            self._collector = _AlongChannel(asked, places)
        elif asked.may_be_raw:
            self._collector = _Shape(asked, from_us, to_us, step_us)
        else:
            self._collector = _Computed(asked, from_us, to_us)

    def add(self, block: Block) -> None:
        """Take readings in the order of time, none of them earlier than those before.

        Raises:
            BadRequest: A channel has more states than durations are told of, or the readings more text than is told.
        """
        for counted in scan([block], wanted=self._wanted):
            self._gaps.add(counted.time_us)
            self._collector.add(converted(counted, self._conversions))

    def add_summed(self, segments: Sequence[Summed]) -> None:
        """Take what stands in for segments in order, all of whose readings count; see `add`.

        Raises:
            ValueError: The chart is not made of rungs as wide as theirs, or of none.
        """
        if not isinstance(self._collector, _Shape):
            raise ValueError("no ladder tells what this chart shows")  # noqa: TRY004 - of a value, not of its type
        self._gaps.add_silences([each.silences for each in segments])
        for each in segments:
            self._collector.add_ladder(converted_ladder(each.ladder, self._conversions), each.n)

    def add_bygone(self, ladder: Ladder) -> None:
        """Take what is left of readings that were deleted, before all others; when there were none is not known.

        Raises:
            ValueError: The chart is not made of rungs as wide as these.
        """
        if not isinstance(self._collector, _Shape):
            raise ValueError("no ladder tells what this chart shows")  # noqa: TRY004 - of a value, not of its type
        self._collector.add_ladder(converted_ladder(ladder, self._conversions), 1)

    def drawn(self) -> Drawn:
        """The chart."""
        is_raw, lines = self._collector.answer()
        return Drawn(is_raw, self._collector.width, lines, self._gaps.longer())


class Places:
    """Finds the least and the greatest place of a run's readings on a channel."""

    def __init__(self, by: str, source: Source) -> None:
        self._by = by
        self._wanted = wanted_of(source)
        self._conversions = _conversions([by], source)
        self._low, self._high = np.inf, -np.inf

    def add(self, block: Block) -> None:
        """Take readings."""
        for counted in scan([block], wanted=self._wanted):
            numbers = converted(counted, self._conversions).column(self._by).numbers
            known = numbers[~np.isnan(numbers)]
            if len(known):
                self._low = min(self._low, float(known.min()))
                self._high = max(self._high, float(known.max()))

    def answer(self) -> tuple[float, float]:
        """The least and the greatest.

        Raises:
            BadRequest: No reading has that channel as a number.
        """
        if self._high < self._low:
            raise BadRequest(f"no reading has the numeric channel {self._by}", field="by")
        return self._low, self._high


def _asked_for(asked: Asked) -> list[str]:
    return [*asked.channels, *([asked.by] if asked.by else [])]


def _conversions(names: Sequence[str], source: Source) -> dict[str, Conversion]:
    return conversions_of({name: source.description(name) for name in names})


def wanted_of(source: Source) -> Wanted:
    """Which of the source's readings count."""
    return Wanted(source.from_us, source.to_us, source.part, [Exclusion(*each) for each in source.left_out])


def channels_of(asked: Asked, source: Source) -> list[str]:
    """The channels that must be read for the chart."""
    others = named_channels(source.part, wanted_of(source).exclusions)
    return list(dict.fromkeys([*asked.channels, *([asked.by] if asked.by else ()), *sorted(others)]))


class _Shape:
    """Buckets of one width, or the readings themselves."""

    def __init__(self, asked: Asked, from_us: int, to_us: int, step_us: int | None) -> None:
        grid = Even.of(from_us, to_us, asked.points)
        if step_us is not None:
            grid = Even.aligned(from_us, to_us, asked.points, step_us=step_us)
        self.width: float | None = grid.width_us
        self._channels = asked.channels
        self._series = Series(asked.channels, grid, asked.points)
        self._text = _Text(asked.channels)

    def add(self, block: Block) -> None:
        self._series.add(block)
        if self._series.is_raw:
            self._text.add(block)

    def add_ladder(self, ladder: Ladder, n: int) -> None:
        self._series.add_ladder(ladder, n)

    def answer(self) -> tuple[bool, list[Line]]:
        if self._series.is_raw:
            return True, [self._raw(channel) for channel in self._channels]
        return False, [self._buckets(channel) for channel in self._channels]

    def _raw(self, channel: str) -> Line:
        raw = self._series.raw(channel)
        return Line(channel, {"time": raw.time_us, "value": raw.column.values()})

    def _buckets(self, channel: str) -> Line:
        buckets = self._series.buckets(channel)
        return Line(channel, {"time": buckets.start_us, **{name: getattr(buckets, name) for name in SHAPE}})


class _Computed:
    """Any functions of buckets of one width, or of a calendar's."""

    def __init__(self, asked: Asked, from_us: int, to_us: int) -> None:
        even = Even.of(from_us, to_us, asked.points)
        grid: Grid = even
        self.width: float | None = even.width_us
        if asked.bucket:
            unit = Unit(asked.bucket)
            grid, self.width = calendar(unit, ZoneInfo(asked.zone)), unit.width_us
        self._functions = asked.shape
        self._of = {channel: Statistics(channel, grid, list(asked.shape)) for channel in asked.channels}

    def add(self, block: Block) -> None:
        for channel, statistics in self._of.items():
            statistics.add(block)
            if statistics.states > MOST_STATES:
                raise BadRequest(f"{channel} has more than {MOST_STATES} states; duration is of few", field="fn")

    def answer(self) -> tuple[bool, list[Line]]:
        return False, [self._line(channel, statistics) for channel, statistics in self._of.items()]

    def _line(self, channel: str, statistics: Statistics) -> Line:
        start_us, columns = statistics.answer()
        if DURATION not in self._functions:
            return Line(channel, {"time": start_us, **columns})
        of_states_us, seconds = statistics.durations()
        times_us = np.union1d(start_us, of_states_us)
        here, there = np.searchsorted(times_us, start_us), np.searchsorted(times_us, of_states_us)
        placed = {name: _placed(column, here, len(times_us)) for name, column in columns.items()}
        states: dict[str, Any] = {}
        for state, held in seconds.items():
            name = state if isinstance(state, str) else str(state).lower()
            states[name] = states.get(name, 0.0) + _placed(held, there, len(times_us), nothing=0.0)
        return Line(channel, {"time": times_us, **placed}, states)


class _AlongChannel:
    """Buckets along another channel, or the readings themselves, in the order of time."""

    def __init__(self, asked: Asked, places: tuple[float, float]) -> None:
        self._asked = asked
        self._along = Along(asked.by, asked.channels, places, points=asked.points, is_raw=asked.may_be_raw)
        self.width: float | None = self._along.width
        self._text = _Text(asked.channels)

    def add(self, block: Block) -> None:
        self._along.add(block)
        if self._along.is_raw:
            self._text.add(block)

    def answer(self) -> tuple[bool, list[Line]]:
        if self._along.is_raw:
            return True, [self._raw(channel) for channel in self._asked.channels]
        return False, [self._buckets(channel) for channel in self._asked.channels]

    def _raw(self, channel: str) -> Line:
        at, column = self._along.raw(channel)
        return Line(channel, {"at": at, "value": column.values()})

    def _buckets(self, channel: str) -> Line:
        at, buckets = self._along.buckets(channel)
        return Line(channel, {"at": at, **{name: getattr(buckets, name) for name in self._asked.shape}})


class _Text:
    """Sees to it that readings which are answered as they are hold no more text than fits into memory."""

    def __init__(self, channels: Sequence[str]) -> None:
        self._channels = channels
        self._length = 0

    def add(self, block: Block) -> None:
        self._length += sum(_length(block.column(channel)) for channel in self._channels)
        if self._length > MOST_TEXT:
            raise BadRequest(f"the readings hold more than {MOST_TEXT} characters of text", field="points")


def _length(column: Column) -> int:
    """How many characters of text a column holds."""
    if column.coded is None:
        return 0
    lengths = np.array([*map(len, column.coded.words), 0])  # the last one is what -1 names
    return int(lengths[column.coded.code].sum())


def _placed(column: Any, places: Any, n: int, *, nothing: float = np.nan) -> Any:
    if len(column) == n:
        return column
    found = np.full(n, nothing)
    found[places] = column
    return found
