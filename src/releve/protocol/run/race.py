"""What people look at in a race: distance, speeds, battery, time, laps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from releve.protocol.run.statistic import Statistic

CHANNELS = ("distance", "speed", "battery")  # whose statistics are a race's


class TrackPoint(NamedTuple):
    """A reading that tells the lap, and the distance so far if it tells that too."""

    time: datetime
    track: float
    distance: float | None


@dataclass(frozen=True, kw_only=True)
class Lap:
    """One time round: the readings in a row that name the same lap."""

    track: float
    started_at: datetime
    ended_at: datetime
    distance: float | None

    @property
    def time_s(self) -> float:
        """How long it took, in seconds."""
        return (self.ended_at - self.started_at).total_seconds()


def statistics(channels: Mapping[str, Statistic], *, time_s: float) -> dict[str, float]:
    """The statistics of a race from those of its channels; what the car did not measure is missing.

    `distance` is the last one sent: cars count it up from the start.
    """
    found: dict[str, float] = {"time": time_s}
    if distance := channels.get("distance"):
        found["distance"] = distance.last
    if speed := channels.get("speed"):
        found |= {"speed_max": speed.high, "speed_average": speed.mean}
    if battery := channels.get("battery"):
        used = battery.first - battery.last
        found |= {"battery_max": battery.high, "battery_min": battery.low, "battery_used": used}
    return found


def laps(points: Iterable[TrackPoint], *, last: TrackPoint) -> list[Lap]:
    """The laps that the points tell, which hold the first reading of the race and each that changes the lap."""
    begun = changes(points)
    return [lap(point, ended) for point, ended in pairwise([*begun, last])]


def changes(points: Iterable[TrackPoint]) -> list[TrackPoint]:
    """The points at which a lap begins."""
    found: list[TrackPoint] = []
    for point in points:
        if not found or point.track != found[-1].track:
            found.append(point)
    return found


def lap(begun: TrackPoint, ended: TrackPoint) -> Lap:
    """A lap from its first point to the one that ends it."""
    is_known = begun.distance is not None and ended.distance is not None
    distance = (ended.distance or 0.0) - (begun.distance or 0.0) if is_known else None
    return Lap(track=begun.track, started_at=begun.time, ended_at=ended.time, distance=distance)
