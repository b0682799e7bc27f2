"""What time is cut into: buckets of one width, or of a calendar, whose days are true across daylight saving."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, Protocol, Self

import numpy as np

from releve.history.array import Integers

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MUCH = 8  # times as many instants as buckets: then the edges are looked up among them, and not each of them placed


class Grid(Protocol):
    """Buckets, each from its start to the next one's."""

    def starts_us(self, time_us: Integers) -> Integers:
        """The start of the bucket of each instant; the instants are in order."""

    def ends_us(self, starts_us: Integers) -> Integers:
        """The ends of the buckets that start there, in order."""


class Cut(NamedTuple):
    """Instants, in order, cut into buckets; those without an instant are left out.

    Attributes:
        starts_us: Where the buckets start.
        places: The first instant of each.
    """

    starts_us: Integers
    places: Integers


class Even(NamedTuple):
    """Buckets of one width, one of which starts at `origin_us`."""

    width_us: int
    origin_us: int = 0

    @classmethod
    def of(cls, from_us: int, to_us: int, points: int) -> Self:
        """As many buckets of the span [from, to) as there are points, or as it has microseconds.

        >>> Even.of(1_000, 2_001, 100)
        Even(width_us=11, origin_us=1000)
        """
        return cls(max(1, -((from_us - to_us) // points)), from_us)

    @classmethod
    def aligned(cls, from_us: int, to_us: int, points: int, *, step_us: int) -> Self:
        """At most so many buckets that cover the span, whose edges are multiples of a step: of a ladder's rungs.

        >>> Even.aligned(1_500, 9_000, 4, step_us=1_000)
        Even(width_us=2000, origin_us=1000)
        """
        origin_us = from_us - from_us % step_us
        steps = -((origin_us - to_us) // (points * step_us))
        return cls(max(1, steps) * step_us, origin_us)

    def starts_us(self, time_us: Integers) -> Integers:
        """The start of the bucket of each instant."""
        return time_us - (time_us - self.origin_us) % self.width_us

    def ends_us(self, starts_us: Integers) -> Integers:
        """The ends of buckets."""
        return starts_us + self.width_us


class Unit(Enum):
    """The buckets of a calendar, by their width in microseconds where that is short and always the same."""

    SECONDS_5 = "5s"
    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"
    WEEK = "1w"
    MONTH = "1month"

    @property
    def width_us(self) -> int | None:
        """Of those shorter than a day."""
        return _WIDTHS_US.get(self)


_WIDTHS_US = {Unit.SECONDS_5: 5 * _SECOND_US, Unit.MINUTE: 60 * _SECOND_US, Unit.HOUR: 3_600 * _SECOND_US}


def calendar(unit: Unit, zone: tzinfo) -> Grid:
    """The buckets of a calendar in a zone.

    A day lasts from midnight to midnight, 23 or 25 hours where clocks change. The hour that clocks repeat is two
    buckets, the hour that they skip is none. Weeks begin on Monday.
    """
    return _Dates(unit, zone) if unit.width_us is None else _Clock(unit.width_us, zone)


def cut(time_us: Integers, grid: Grid) -> Cut:
    """Cut instants, which are in order, into buckets."""
    if not len(time_us):
        return Cut(time_us, np.zeros(0, np.int64))
    if isinstance(grid, Even):
        first_us, last_us = grid.starts_us(time_us[[0, -1]]).tolist()
        if ((last_us - first_us) // grid.width_us + 1) * _MUCH < len(time_us):
            edges_us = np.arange(first_us, last_us + grid.width_us, grid.width_us)
            places = np.searchsorted(time_us, edges_us)
            is_held = np.diff(places, append=len(time_us)) > 0
            return Cut(edges_us[is_held], places[is_held])
    starts_us = grid.starts_us(time_us)
    places = np.flatnonzero(np.diff(starts_us, prepend=starts_us[0] - 1))
    return Cut(starts_us[places], places)


class _Stretch(NamedTuple):
    """A time without a change of clocks: from when on, and how far they are ahead of UTC."""

    from_us: int
    offset_us: int


class _Clock:
    """Buckets of the wall clock that are shorter than a day."""

    def __init__(self, width_us: int, zone: tzinfo) -> None:
        self._width_us = width_us
        self._zone = zone

    def starts_us(self, time_us: Integers) -> Integers:
        starts_us = np.empty_like(time_us)
        stretches = self._stretches(time_us)
        begins = np.searchsorted(time_us, [each.from_us for each in stretches]).tolist()
        before = stretches[0]
        for stretch, begin, end in zip(stretches, begins, [*begins[1:], len(time_us)], strict=True):
            here = self._label_us(time_us[begin:end] + stretch.offset_us) - stretch.offset_us
            first = stretch.from_us
            starts_us[begin:end] = np.where(here < first, self._start_across(before, stretch), here)
            before = stretch
        return starts_us

    def ends_us(self, starts_us: Integers) -> Integers:
        if not len(starts_us):
            return starts_us
        stretches = self._stretches(np.array([starts_us[0], starts_us[-1] + 2 * self._width_us]))
        changes = np.array([each.from_us for each in stretches])
        offsets = np.array([each.offset_us for each in stretches])
        place = np.searchsorted(changes, starts_us, side="right") - 1
        ends_us: Integers = self._label_us(starts_us + offsets[place]) + self._width_us - offsets[place]
        for number in range(1, len(stretches)):
            stretch = stretches[number]
            ends_here = (place == number - 1) & (ends_us >= stretch.from_us)
            ends_us[ends_here] = self._end_across(stretches[number - 1], stretch)
        return ends_us

    def _label_us(self, local_us: Integers) -> Integers:
        return local_us - local_us % self._width_us

    def _start_across(self, before: _Stretch, stretch: _Stretch) -> int:
        """Where the bucket of a change of clocks began: at the change, unless the clocks' label stayed the same."""
        old, new = self._labels_at_change(before, stretch)
        return old - before.offset_us if old == new else stretch.from_us

    def _end_across(self, before: _Stretch, stretch: _Stretch) -> int:
        old, new = self._labels_at_change(before, stretch)
        is_cut = old != new or (stretch.from_us + stretch.offset_us) % self._width_us == 0
        return stretch.from_us if is_cut else new + self._width_us - stretch.offset_us

    def _labels_at_change(self, before: _Stretch, stretch: _Stretch) -> tuple[int, int]:
        local = np.array([stretch.from_us - 1 + before.offset_us, stretch.from_us + stretch.offset_us])
        old, new = self._label_us(local).tolist()
        return old, new

    def _stretches(self, time_us: Integers) -> list[_Stretch]:
        """The stretches that hold the instants, and a day around them."""
        if not len(time_us):
            return [_Stretch(0, 0)]
        return _stretches(self._zone, int(time_us[0]) // _DAY_US - 1, int(time_us[-1]) // _DAY_US + 2)


class _Dates:
    """Buckets of whole days."""

    def __init__(self, unit: Unit, zone: tzinfo) -> None:
        self._unit = unit
        self._zone = zone

    def starts_us(self, time_us: Integers) -> Integers:
        edges_us = self._edges_us(time_us)
        found: Integers = edges_us[np.searchsorted(edges_us, time_us, side="right") - 1]
        return found

    def ends_us(self, starts_us: Integers) -> Integers:
        edges_us = self._edges_us(starts_us)
        found: Integers = edges_us[np.searchsorted(edges_us, starts_us, side="right")]
        return found

    def _edges_us(self, time_us: Integers) -> Integers:
        """Every midnight at which a bucket starts, from before the first instant to after the last."""
        if not len(time_us):
            return time_us
        ends = [_moment(us).astimezone(self._zone).date() for us in time_us[[0, -1]].tolist()]
        day, last = _first_day(self._unit, ends[0] - timedelta(days=2)), ends[1] + timedelta(days=2)
        days = [day]
        while days[-1] <= last:
            days.append(_next_day(self._unit, days[-1]))
        edges_us = sorted({_midnight_us(day, self._zone) for day in days})
        return np.array(edges_us, np.int64)


@lru_cache(maxsize=256)
def _stretches(zone: tzinfo, first_day: int, last_day: int) -> list[_Stretch]:
    """The stretches of some days, counted since 1970; clocks that change twice within one are not known since 1970."""
    found = [_Stretch(first_day * _DAY_US, _offset_us(first_day * _DAY_US, zone))]
    for day in range(first_day + 1, last_day + 1):
        offset_us = _offset_us(day * _DAY_US, zone)
        if offset_us != found[-1].offset_us:
            found.append(_Stretch(_change_us((day - 1) * _DAY_US, day * _DAY_US, zone), offset_us))
    return found


def _change_us(before_us: int, after_us: int, zone: tzinfo) -> int:
    """The first instant of the new offset; clocks change at a full second."""
    old = _offset_us(before_us, zone)
    while after_us - before_us > _SECOND_US:
        middle_us = (before_us + after_us) // 2 // _SECOND_US * _SECOND_US
        before_us, after_us = (middle_us, after_us) if _offset_us(middle_us, zone) == old else (before_us, middle_us)
    return after_us


def _offset_us(us: int, zone: tzinfo) -> int:
    offset = _moment(us).astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)


def _moment(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _midnight_us(day: date, zone: tzinfo) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=zone) - _EPOCH) // timedelta(microseconds=1)


def _first_day(unit: Unit, day: date) -> date:
    if unit is Unit.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit is Unit.MONTH else day


def _next_day(unit: Unit, day: date) -> date:
    if unit is Unit.MONTH:
        return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if unit is Unit.WEEK else 1)
