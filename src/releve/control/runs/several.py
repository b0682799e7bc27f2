"""Many runs at once: those of a car that lie near each other are read in one go, however many a list has."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from releve.control.runs import measure
from releve.control.runs.columns import instant
from releve.control.runs.measure import Extent
from releve.control.runs.models import Run
from releve.history.array import Integers, Reals
from releve.history.bucket import Buckets


class Band(NamedTuple):
    """The mean of a channel over a run, and what it lay between."""

    mean: float
    low: float
    high: float


class Split(NamedTuple):
    """What a race was for five seconds from `start` on; 0 of what the car did not measure."""

    run: int
    start: datetime
    distance: float
    speed: float
    battery: float
    track: float


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What a run with readings was."""

    extent: Extent
    channels: dict[str, Band]


def totals_of(runs: Sequence[Run], channels: Collection[str]) -> dict[int, Totals]:
    """By the number of the run, what those with readings, none of them deleted, were, as far as these channels go."""
    return {
        number: Totals(
            extent=found.extent,
            channels={
                name: Band(each.mean, each.low, each.high) for name, each in found.channels.items() if name in channels
            },
        )
        for number, found in measure.measured_of(runs, channels).items()
        if found.extent.received and not found.is_cut_short
    }


def splits_of(runs: Sequence[Run]) -> Iterator[Split]:
    """What the races were every five seconds, by their number and by time: the last distance, the mean speed."""
    for number, found in sorted(measure.five_seconds_of(runs, ("distance", "speed", "battery", "track")).items()):
        starts_us, buckets = found.starts_us, found.answer()
        values = (
            _at(starts_us, buckets.get(name), function)
            for name, function in (("distance", "last"), ("speed", "mean"), ("battery", "mean"), ("track", "last"))
        )
        for start_us, *told in zip(starts_us.tolist(), *values, strict=True):
            yield Split(number, instant(start_us), *told)


def _at(starts_us: Integers, found: Buckets | None, function: str) -> list[float]:
    """A function of the buckets that start there, 0 where the channel has none."""
    values: Reals = np.zeros(len(starts_us))
    if found is not None:
        own = np.clip(found.mean, found.low, found.high) if function == "mean" else found.last
        values[np.searchsorted(starts_us, found.start_us)] = own
    told: list[float] = values.tolist()
    return told
