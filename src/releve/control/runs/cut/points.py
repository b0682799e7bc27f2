"""The readings that a rule cuts, one by one."""

from collections.abc import Iterator

from releve.control.runs.columns import counted, instant
from releve.control.runs.models import Kind, Run
from releve.history.effort import REPETITIONS
from releve.protocol.run.cut import Point


def points_of(run: Run) -> Iterator[Point]:
    """The instants of the readings that count, and for a series their repetitions so far."""
    names = [REPETITIONS] if run.kind == Kind.SERIES else []
    for block in counted(run, names):
        times = map(instant, block.time_us.tolist())
        if not names:
            yield from map(Point, times)
            continue
        for time, repetitions in zip(times, block.column(REPETITIONS).numbers.tolist(), strict=True):
            yield Point(time, None if repetitions != repetitions else repetitions)  # noqa: PLR0124 - NaN is none
