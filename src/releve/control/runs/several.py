"""Many runs at once: a list of a thousand races takes as many statements as a list of two."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from releve.control.runs import blocks
from releve.control.runs.measure import MICROSECOND, Extent
from releve.control.runs.models import Run
from releve.control.runs.statement import EPOCH, plain
from releve.protocol.run.statistic import within


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
    """By the number of the run, what those with readings were, as far as these channels go."""
    blocks.follow_all(runs)
    found = {
        run_id: Totals(extent=Extent(received=received, first=first, last=last), channels={})
        for run_id, received, first, last in plain("received_of_runs", **_named(runs))
    }
    for run_id, channel, mean, low, high in plain("channels_of_runs", **_named(runs), channels=list(channels)):
        found[run_id].channels[channel] = Band(within(mean, low, high), low, high)
    return found


def splits_of(runs: Sequence[Run]) -> Iterator[Split]:
    """What the races were every five seconds, by their number and by time."""
    blocks.follow_all(runs)
    for run_id, start_us, *values in plain("splits_of_runs", **_named(runs)):
        yield Split(run_id, EPOCH + start_us * MICROSECOND, *values)


def _named(runs: Sequence[Run]) -> dict[str, Any]:
    known = [run for run in runs if run.device_id is not None]
    return {"ids": [run.pk for run in known], "devices": [run.device_id for run in known]}
