"""A run's statistics as they are now: brings its blocks up to date and merges them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter

from releve.control.runs import blocks, columns
from releve.control.runs.models import Run
from releve.control.runs.statement import EPOCH, FAR, Row, rows, rows_left_out_too, standing_exclusions
from releve.protocol.run import completeness
from releve.protocol.run.completeness import Completeness, Gap
from releve.protocol.run.race import Lap, TrackPoint, changes, lap
from releve.protocol.run.statistic import Statistic, within

MOST_LAP_BLOCKS = 1000
MICROSECOND = timedelta(microseconds=1)
_BEGINNING = datetime.min.replace(tzinfo=UTC)
Channels = dict[str, Statistic]


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """What the channels did from `start` for as long as the buckets are wide."""

    start: datetime
    channels: Channels


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How many readings count, and the instants of the first and the last."""

    received: int
    first: datetime | None
    last: datetime | None

    @property
    def elapsed_s(self) -> float:
        """From the first to the last, in seconds."""
        return (self.last - self.first).total_seconds() if self.first and self.last else 0.0


def channels_of(run: Run) -> Channels:
    """What each numeric channel did over the whole run."""
    blocks.follow(run)
    found = _gathered(rows("whole", run))
    return found[0].channels if found else {}


def extent_of(run: Run) -> Extent:
    """How many readings the run has, and from when to when."""
    blocks.follow(run)
    return extent_known(run)


def extent_known(run: Run) -> Extent:
    """The same as of the last look: for who has just looked."""
    received, first, last = rows("received", run)[0]
    return Extent(received=received or 0, first=first, last=last)


def buckets_of(run: Run, width: timedelta, *, span: tuple[datetime, datetime] = (_BEGINNING, FAR)) -> list[Bucket]:
    """What the channels did in each bucket that has readings; buckets start at multiples of their width since 1970.

    The span is in whole buckets.
    """
    if width % blocks.WIDTH:
        return _from_readings(run, width, span)
    blocks.follow(run)
    statement = "blocks" if width == blocks.WIDTH else "merged"
    return _gathered(rows(statement, run, width=width, **{"from": span[0], "to": span[1]}))


def completeness_of(run: Run, extent: Extent) -> Completeness:
    """Whether readings are missing, from the run's start to its end, or to the last reading while it is open."""
    rhythm_s = rows("rhythm", run)[0][0]
    if not rhythm_s or extent.first is None or extent.last is None:
        return Completeness(received=extent.received, expected=extent.received, rhythm_s=rhythm_s, gaps=[])
    end = max(extent.last, run.ended_at - timedelta(microseconds=1)) if run.ended_at else extent.last
    span_s = (end - run.started_at).total_seconds()
    edges = completeness.gaps_of([run.started_at, extent.first], longer_than_s=completeness.PATIENCE * rhythm_s)
    edges += completeness.gaps_of([extent.last, end], longer_than_s=completeness.PATIENCE * rhythm_s)
    return Completeness(
        received=extent.received,
        expected=completeness.expected(received=extent.received, span_s=span_s, rhythm_s=rhythm_s),
        rhythm_s=rhythm_s,
        gaps=completeness.longest([*edges, *_gaps(run, completeness.PATIENCE * rhythm_s)]),
    )


def laps_of(run: Run, channels: Channels, extent: Extent) -> list[Lap]:
    """The laps, where `track` tells them apart; only the blocks in which it changes are read."""
    track = channels.get("track")
    if track is None or track.low == track.high or extent.last is None:
        return []
    begun = changes(_lap_points(run))
    distance = channels["distance"].last if "distance" in channels else None
    ends = [*begun[1:], TrackPoint(extent.last, track.last, distance)]
    spans = [(each.since, each.until) for each in standing_exclusions(run)]
    return [
        lap(point, _lap_end(run, point, end, spans, is_last=end is ends[-1]))
        for point, end in zip(begun, ends, strict=True)
    ]


def _lap_end(
    run: Run, begun: TrackPoint, end: TrackPoint, left_out: Sequence[tuple[datetime, datetime]], *, is_last: bool
) -> TrackPoint:
    """Where a lap ended: with the first reading of another lap, be that left out or not, so that it is never longer."""
    until = run.ended_at or FAR if is_last else end.time
    if not any(since < until and last > begun.time for since, last in left_out):
        return end
    about = {"until": until, "lap": begun.track}
    (time, distance), *_ = rows("last_of_lap", run, since=begun.time, **about)
    other = rows_left_out_too("other_lap", run, since=time, **about)
    return TrackPoint(other[0][0], end.track, distance) if other else end


def _lap_points(run: Run) -> list[TrackPoint]:
    if run.lap_points is None:
        starts = [start for (start,) in rows("lap_blocks", run, limit=MOST_LAP_BLOCKS)]
        found = rows("track", run, starts=starts)
        run.lap_points = [[time.isoformat(), track, distance] for time, track, distance in found]
        Run.objects.filter(pk=run.pk, followed=run.followed).update(lap_points=run.lap_points)
    return [TrackPoint(datetime.fromisoformat(time), track, distance) for time, track, distance in run.lap_points]


def _gaps(run: Run, longer_than_s: float) -> list[Gap]:
    """The longest gaps: between blocks from their edges, within blocks from the readings of those that have some."""
    asked = {"longer_than_s": longer_than_s, "limit": completeness.MOST_GAPS}
    found = [Gap(since=since, until=until) for since, until in rows("gaps_between", run, **asked)]
    starts = [start for (start,) in rows("gaps_within", run, **asked)]
    for _, times in groupby(rows("times", run, starts=starts) if starts else [], key=itemgetter(0)):
        found += completeness.gaps_of([time for _, time in times], longer_than_s=longer_than_s)
    return found


def _from_readings(run: Run, width: timedelta, span: tuple[datetime, datetime]) -> list[Bucket]:
    clipped = {"since": max(span[0], run.started_at), "until": min(span[1], run.ended_at or FAR)}
    starts_us = [start_us for (start_us,) in rows("starts", run, width=width, **clipped)]
    return _gathered(columns.stretches(run, starts_us, width=width, **clipped))


def _gathered(found: Iterable[Row]) -> list[Bucket]:
    """Rows that tell a bucket's start in microseconds since 1970, its channel, and what that did."""
    gathered: dict[int, Channels] = {}
    for start_us, channel, n, low, high, mean, squares, first, last in found:
        gathered.setdefault(start_us, {})[channel] = Statistic(
            n=n, low=low, high=high, mean=within(mean, low, high), squares=squares, first=first, last=last
        )
    return [Bucket(start=EPOCH + start_us * MICROSECOND, channels=channels) for start_us, channels in gathered.items()]
