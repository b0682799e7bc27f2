"""A run as its page shows it: its figures, a picture and the statistic of each channel, gaps, laps and splits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import get_language

from releve.control.pages.run import band
from releve.control.pages.run.band import Frame, Mark, Piece
from releve.control.pages.run.figure import Figure, figures
from releve.control.runs import queries
from releve.control.runs.models import Exclusion, Kind, Run
from releve.control.runs.queries import Summary
from releve.protocol.described import ChannelKind, Description
from releve.protocol.run.completeness import PATIENCE
from releve.protocol.run.part import split_part
from releve.protocol.run.statistic import Statistic

WIDTHS_S = (5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400, 604_800)
NARROW_S, SHORT = 1, timedelta(seconds=60)  # five seconds would tell nothing of so short a run
MOST_BUCKETS = 240
MOST_PICTURES = 24
FIRST = {
    Kind.RACE: ["speed", "distance", "battery", "track"],
    Kind.SERIES: ["repetitions", "acceleration_total"],
    Kind.CAPTURE: ["accelerometre", "temperature", "humidite"],
}
_CURVES = (ChannelKind.GAUGE, ChannelKind.COUNTER)
FUNCTIONS = ("low", "high", "mean", "last")


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One channel of the run."""

    name: str
    described: Description
    statistic: Statistic
    pieces: list[Piece]

    @property
    def title(self) -> str:
        """What it is called."""
        return self.described.called(self.name, get_language() or "")


@dataclass(frozen=True, kw_only=True)
class Split:
    """One bucket of a race: when it began after the start, and what the car did in it."""

    after_s: float
    distance: float | None
    gained: float | None
    speed: float | None
    speed_high: float | None
    battery: float | None

    @property
    def cells(self) -> list[float | None]:
        """Its values in the order of the table's columns."""
        return [self.distance, self.gained, self.speed, self.speed_high, self.battery]


@dataclass(frozen=True, kw_only=True)
class Look:
    """Everything about a run that its page shows to whoever may read it."""

    summary: Summary
    figures: list[Figure]
    channels: list[Channel]
    splits: list[Split]
    width_s: int
    frame: Frame | None
    gaps: list[Mark]
    left_out: list[Mark]


def look(run: Run, exclusions: Sequence[Exclusion]) -> Look:
    """The run as it is at this moment."""
    summary = queries.summary(run)
    frame = _frame(run, summary)
    width_s = _width_s(frame)
    buckets = queries.buckets(run, width_s, FUNCTIONS) if frame else []
    spans = [(gap.since, gap.until) for gap in summary.completeness.gaps]
    return Look(
        summary=summary,
        figures=figures(run.kind, summary.statistics, summary.by_hand, summary.described),
        channels=_channels(run, summary, buckets, frame, width_s),
        splits=_splits(buckets, run.started_at) if run.kind == Kind.RACE else [],
        width_s=width_s,
        frame=frame,
        gaps=[frame.mark(span) for span in spans] if frame else [],
        left_out=[frame.mark((each.since, each.until)) for each in exclusions] if frame else [],
    )


def _frame(run: Run, summary: Summary) -> Frame | None:
    """From the run's start to its end, or to its last reading while it goes on."""
    last = summary.extent.last
    if last is None:
        return None
    shortest = run.started_at + timedelta(seconds=NARROW_S)
    return Frame(since=run.started_at, until=max(run.ended_at or last, last, shortest))


def _width_s(frame: Frame | None) -> int:
    """Buckets so wide that a picture tells them apart."""
    if frame is None:
        return WIDTHS_S[0]
    span = frame.until - frame.since
    if span <= SHORT:
        return NARROW_S
    return next((width for width in WIDTHS_S if span / timedelta(seconds=width) <= MOST_BUCKETS), WIDTHS_S[-1])


def _channels(
    run: Run, summary: Summary, buckets: Sequence[dict[str, Any]], frame: Frame | None, width_s: int
) -> list[Channel]:
    own = split_part(run.part)[0]  # the same in every reading: it says whose they are
    first = FIRST[Kind(run.kind)]  # what its people look at; the rest by their names
    names = [name for name in first if name in summary.channels]
    names += [name for name in sorted(summary.channels) if name not in (*first, own)]
    names = [name for name in names if not summary.described[name].is_hidden]
    width, patience = timedelta(seconds=width_s), timedelta(seconds=PATIENCE * (summary.completeness.rhythm_s or 0))
    return [
        Channel(
            name=name,
            described=summary.described[name],
            statistic=summary.channels[name],
            pieces=band.pieces(_of(name, buckets), frame=frame, width=width, patience=patience)
            if frame and place < MOST_PICTURES and summary.described[name].kind in _CURVES
            else [],
        )
        for place, name in enumerate(names)
    ]


def _of(name: str, buckets: Sequence[dict[str, Any]]) -> list[band.Bucket]:
    return [
        band.Bucket(start=bucket["start"], low=found["low"], high=found["high"], mean=found["mean"])
        for bucket in buckets
        if (found := bucket["channels"].get(name))
    ]


def _splits(buckets: Sequence[dict[str, Any]], start: datetime) -> list[Split]:
    found: list[Split] = []
    before: float | None = None
    for bucket in buckets:
        channels = bucket["channels"]
        distance, speed = channels.get("distance", {}).get("last"), channels.get("speed", {})
        found.append(
            Split(
                after_s=max((bucket["start"] - start).total_seconds(), 0.0),
                distance=distance,
                gained=None if distance is None or before is None else distance - before,
                speed=speed.get("mean"),
                speed_high=speed.get("high"),
                battery=channels.get("battery", {}).get("mean"),
            )
        )
        before = distance if distance is not None else before
    return found
