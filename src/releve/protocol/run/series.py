"""What people look at in a series: repetitions, tempo, work against rest, acceleration, asymmetry, fatigue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from releve.protocol.run.statistic import Statistic

WATCHES = ("series_time", "rest_time")  # by which a machine tells how long it was worked, and rested before
LEAST_S = 1.0  # a rest, or a time to grow in, that is shorter makes any number of anything


class SeriesPoint(NamedTuple):
    """One reading of a machine."""

    time: datetime
    repetitions: float | None
    asymmetry: float | None


@dataclass(frozen=True, kw_only=True)
class SeriesTime:
    """How long a series was worked, in seconds, and in how many repetitions."""

    work_s: float
    repetitions: float

    @property
    def tempo_s(self) -> float | None:
        """Seconds per repetition."""
        return self.work_s / self.repetitions if self.repetitions else None


def series_time(channels: Mapping[str, Statistic], *, elapsed_s: float) -> SeriesTime:
    """By the machine's own watch where it sends one, else from its first reading to its last."""
    watch, counted = channels.get("series_time"), channels.get("repetitions")
    work_s = watch.high if watch and watch.high > 0 else elapsed_s
    return SeriesTime(work_s=work_s, repetitions=counted.high if counted else 0.0)


def rest_s(channels: Mapping[str, Statistic], *, pause_s: float | None) -> float | None:
    """The rest before, by the machine's own watch where it sends one, else since the series before.

    The watch counts as it stood at the first reading: a machine may let it run again in the rest that follows.
    """
    watch = channels.get("rest_time")
    return watch.first if watch and watch.first > 0 else pause_s


def work_rest_ratio(*, work_s: float, rest_s: float | None) -> float | None:
    """Work against rest; None where there was hardly any rest, of which a ratio would say nothing.

    >>> work_rest_ratio(work_s=30.0, rest_s=60.0)
    0.5
    """
    return work_s / rest_s if rest_s is not None and rest_s >= LEAST_S else None


def tempos_s(points: Sequence[SeriesPoint]) -> list[float]:
    """Seconds per repetition, from each rise of the count to the next; several at once share their time."""
    rises: list[tuple[datetime, float]] = []
    for point in points:
        if point.repetitions and (not rises or point.repetitions > rises[-1][1]):
            rises.append((point.time, point.repetitions))
    return [
        (later - earlier).total_seconds() / (after - before) for (earlier, before), (later, after) in pairwise(rises)
    ]


def trend(values: Sequence[tuple[float, float]]) -> float | None:
    """The slope of the straight line nearest to the points (least squares); None where there is none.

    >>> trend([(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)])
    2.0
    """
    if not values:
        return None
    middle_x = sum(x for x, _ in values) / len(values)
    middle_y = sum(y for _, y in values) / len(values)
    spread = sum((x - middle_x) ** 2 for x, _ in values)
    if spread == 0:
        return None
    return sum((x - middle_x) * (y - middle_y) for x, y in values) / spread


def asymmetry_trend_per_min(points: Sequence[SeriesPoint]) -> float | None:
    """How much the asymmetry grows in a minute."""
    told = [(point.time, point.asymmetry) for point in points if point.asymmetry is not None]
    if not told or (told[-1][0] - told[0][0]).total_seconds() < LEAST_S:
        return None
    return trend([((time - told[0][0]).total_seconds() / 60, asymmetry) for time, asymmetry in told])
