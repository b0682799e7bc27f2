"""A capture in stretches of equal length, by time or by distance: how rough the profile is on each, and its climate."""

from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np

from releve.history.array import Integers, Reals
from releve.history.block import Block

PROFILE, TEMPERATURE, HUMIDITY, DISTANCE = "accelerometre", "temperature", "humidite", "distance"
CHANNELS: Final = (PROFILE, TEMPERATURE, HUMIDITY, DISTANCE)
SECOND_US = 1_000_000
MOST_STRETCHES = 10_000  # beyond it the strip ends, and says so
WIDTHS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400)
SHOWN = 120  # about as many as a screen tells apart


class Along(StrEnum):
    """What a capture is cut by."""

    TIME = "time"
    DISTANCE = "distance"


class Stretch(NamedTuple):
    """One stretch; None of what it did not measure.

    Attributes:
        begin: Where it begins: seconds since the capture's first reading, or the distance since then.
        n: How many readings.
        time_us: The instant of its first reading.
        rms: The root mean square of the profile.
        peak: Its greatest distance from nought.
        low: Its least.
        high: Its greatest.
        temperature: In the mean.
        humidity: In the mean.
    """

    begin: float
    n: int
    time_us: int
    rms: float | None
    peak: float | None
    low: float | None
    high: float | None
    temperature: float | None
    humidity: float | None


def width_for(length: float, along: Along) -> float:
    """A round width that cuts a length into about as many stretches as a screen tells apart.

    >>> width_for(90.0, Along.TIME), width_for(3600.0, Along.TIME), width_for(1234.0, Along.DISTANCE)
    (1, 30, 20.0)
    """
    if along == Along.TIME:
        return next((width for width in WIDTHS_S if length / width <= SHOWN), WIDTHS_S[-1])
    least = max(length, 1e-9) / SHOWN
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(power * step for step in (1, 2, 5, 10) if power * step >= least))


class Stretches:
    """Collects the readings of a capture that count, in the order of time; of a block only sums stay.

    Args:
        width: Of a stretch, in seconds or in the unit of the distance.
        along: What is cut by.
    """

    def __init__(self, width: float, along: Along) -> None:
        self._width = width
        self._along = along
        self._begun: float | None = None
        self._at = np.nan  # the last distance: a reading that tells none lies where the one before did
        self._sums: dict[int, Reals] = {}
        self._times: dict[int, int] = {}
        self.is_cut_off = False

    def add(self, block: Block) -> None:
        """Take more of them."""
        position = self._position(block)
        known = ~np.isnan(position)
        if not known.any():
            return
        place = np.floor(position[known] / self._width + 1e-9).astype(np.int64)
        columns = [block.column(name).numbers[known] for name in (PROFILE, TEMPERATURE, HUMIDITY)]
        order = np.argsort(place, kind="stable")
        self._take(place[order], block.time_us[known][order], *(column[order] for column in columns))

    def answer(self) -> list[Stretch]:
        """The stretches that have readings, in order."""
        return [self._stretch(place) for place in sorted(self._sums)]

    def _position(self, block: Block) -> Reals:
        if self._along == Along.TIME:
            found: Reals = block.time_us / SECOND_US
        else:
            found = _carried(block.column(DISTANCE).numbers, self._at)
            self._at = found[-1] if len(found) else self._at
        if self._begun is None:
            known = np.flatnonzero(~np.isnan(found))
            if not len(known):
                return found
            self._begun = float(found[known[0]])
        return found - self._begun

    def _take(self, place: Integers, time_us: Integers, profile: Reals, temperature: Reals, humidity: Reals) -> None:
        starts = np.flatnonzero(np.concatenate([[True], np.diff(place) != 0]))
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(place)], strict=True):
            number, span = int(place[start]), slice(start, end)
            if number not in self._sums and len(self._sums) >= MOST_STRETCHES:
                self.is_cut_off = True
                continue
            new = _sums(profile[span], temperature[span], humidity[span])
            self._sums[number] = _merged(self._sums[number], new) if number in self._sums else new
            self._times[number] = min(self._times.get(number, int(time_us[start])), int(time_us[start]))

    def _stretch(self, place: int) -> Stretch:
        n, told, squares, low, high, warm_n, warm, wet_n, wet = self._sums[place].tolist()
        return Stretch(
            begin=place * self._width,
            n=int(n),
            time_us=self._times[place],
            rms=float(np.sqrt(squares / told)) if told else None,
            peak=max(abs(low), abs(high)) if told else None,
            low=low if told else None,
            high=high if told else None,
            temperature=warm / warm_n if warm_n else None,
            humidity=wet / wet_n if wet_n else None,
        )


def _sums(profile: Reals, temperature: Reals, humidity: Reals) -> Reals:
    told, warm, wet = (column[~np.isnan(column)] for column in (profile, temperature, humidity))
    ends = (told.min(), told.max()) if len(told) else (np.inf, -np.inf)
    found: Reals = np.array(
        [len(profile), len(told), (told**2).sum(), *ends, len(warm), warm.sum(), len(wet), wet.sum()], np.float64
    )
    return found


def _merged(before: Reals, new: Reals) -> Reals:
    found = before + new
    found[3], found[4] = min(before[3], new[3]), max(before[4], new[4])
    return found


def _carried(numbers: Reals, before: float) -> Reals:
    """Each number, or the last one before it."""
    whole = np.concatenate([[before], numbers])
    places = np.where(np.isnan(whole), 0, np.arange(len(whole)))
    found: Reals = whole[np.maximum.accumulate(places)][1:]
    return found
