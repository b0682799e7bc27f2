"""How a race is going, from its columns: the lap under way against a reference, what a lap takes from the battery."""

from typing import NamedTuple

import numpy as np

from releve.history.array import Integers, Reals
from releve.history.block import Block, joined
from releve.history.lap import DISTANCE, TRACK
from releve.protocol.run.race import Lap

SPEED, BATTERY = "speed", "battery"
CHANNELS = (SPEED, BATTERY, DISTANCE, TRACK)
SECOND_US = 1_000_000
AVERAGED = 3  # laps: what the battery of the last ones went for is what the next one will


class Way(NamedTuple):
    """A lap as it was driven: how far at which time since it began.

    Attributes:
        time_s: Seconds since the lap began, rising.
        distance: Since the lap began, in the car's own unit, never falling.
    """

    time_s: Reals
    distance: Reals

    def time_at(self, distance: float) -> float | None:
        """When the car was there first, between two readings by even speed; None where it never was."""
        if not len(self.distance) or not 0 <= distance <= self.distance[-1]:
            return None
        place = int(np.searchsorted(self.distance, distance, side="left"))
        if place == 0:
            return float(self.time_s[0])
        low, high = self.distance[place - 1], self.distance[place]
        share = (distance - low) / (high - low)
        return float(self.time_s[place - 1] + share * (self.time_s[place] - self.time_s[place - 1]))


class Race:
    """Collects the readings of a race that count, in the order of time."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []

    def add(self, block: Block) -> None:
        """Take more of them."""
        columns = {name: block.column(name) for name in CHANNELS}
        self._blocks.append(Block(block.time_us, columns))

    @property
    def whole(self) -> Block:
        """All of them."""
        return joined(self._blocks) if self._blocks else Block(np.zeros(0, np.int64), {})


def last_of(block: Block, name: str) -> float | None:
    """The channel's latest number."""
    numbers = block.column(name).numbers
    known = np.flatnonzero(~np.isnan(numbers))
    return float(numbers[known[-1]]) if len(known) else None


def way(block: Block, from_us: int, to_us: int) -> Way:
    """The lap between two instants, from the distance that the car counts up."""
    lap = block.within(from_us, to_us)
    distance = lap.column(DISTANCE).numbers
    known = ~np.isnan(distance)
    time_us, distance = lap.time_us[known], distance[known]
    if not len(distance):
        return Way(np.zeros(0), np.zeros(0))
    gone: Reals = np.maximum.accumulate(distance - distance[0])
    return Way(_seconds(time_us, from_us), gone)


def delta_s(under_way: Way, reference: Way) -> float | None:
    """How much later the car is where it is now than it was there on the reference; less than nought is quicker.

    >>> under_way = Way(np.array([0.0, 2.0]), np.array([0.0, 30.0]))
    >>> delta_s(under_way, Way(np.array([0.0, 1.0, 2.0]), np.array([0.0, 20.0, 40.0])))
    0.5
    """
    if not len(under_way.distance):
        return None
    there = reference.time_at(float(under_way.distance[-1]))
    return None if there is None else float(under_way.time_s[-1]) - there


def used_in(block: Block, from_us: int, to_us: int) -> float | None:
    """How much the battery fell between two instants, each by its first number from there on; None if it has none."""
    start, end = _at(block, BATTERY, from_us), _at(block, BATTERY, to_us)
    return None if start is None or end is None else start - end


def per_lap(used: list[float | None]) -> float | None:
    """What a lap takes, in the mean of the last three that tell it; None of none."""
    told = [each for each in used if each is not None][-AVERAGED:]
    return sum(told) / len(told) if told else None


def laps_left(battery: float | None, energy_per_lap: float | None) -> float | None:
    """How many laps the battery still holds; None where it is not known, or no lap takes anything.

    >>> laps_left(30.0, 4.0)
    7.5
    """
    if battery is None or energy_per_lap is None or energy_per_lap <= 0:
        return None
    return max(0.0, battery / energy_per_lap)


def best(laps: list[Lap]) -> Lap | None:
    """The quickest of laps that are whole; the earlier of two that are as quick."""
    return min(laps, key=lambda lap: lap.time_s, default=None)


def _seconds(time_us: Integers, from_us: int) -> Reals:
    found: Reals = (time_us - from_us) / SECOND_US
    return found


def _at(block: Block, name: str, instant_us: int) -> float | None:
    """The channel's number at an instant: the first at or after it, within the block."""
    numbers = block.column(name).numbers
    known = np.flatnonzero(~np.isnan(numbers) & (block.time_us >= instant_us))
    return float(numbers[known[0]]) if len(known) else None
