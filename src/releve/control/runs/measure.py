"""What a run was as it is now, computed from its columns: one pass over its readings, whatever is asked.

Numbers are converted here as the run's team describes their channels, so every reader is told the same.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from releve.control.runs import columns, described
from releve.control.runs.columns import MICROSECOND, instant, us
from releve.control.runs.models import Kind, Run
from releve.history.bucket import Buckets
from releve.history.conversion import converted
from releve.history.gap import Gaps
from releve.history.grid import Even
from releve.history.summary import Pieces, Summary, with_total
from releve.protocol.run import completeness
from releve.protocol.run.completeness import Completeness, Gap
from releve.protocol.run.race import Lap
from releve.protocol.run.statistic import Statistic
from releve.storage.scan import Span

SECOND_US = 1_000_000
Channels = dict[str, Statistic]


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How many readings count, and the instants of the first and the last."""

    received: int
    first: datetime | None
    last: datetime | None

    @classmethod
    def of(cls, gaps: Gaps) -> "Extent":
        """Of instants that were collected."""
        first, last = (None if at is None else instant(at) for at in (gaps.first_us, gaps.last_us))
        return cls(received=gaps.n, first=first, last=last)

    @property
    def elapsed_s(self) -> float:
        """From the first to the last, in seconds."""
        return (self.last - self.first).total_seconds() if self.first and self.last else 0.0


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """A stretch of a run of which readings were deleted, as its team asked.

    Attributes:
        channel: Of which only this channel was; empty for whole readings.
        since: Its first instant.
        until: The instant behind its last.
    """

    channel: str
    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Everything that a run's readings tell; of a channel that is not whole any more, nothing.

    Attributes:
        deleted: What is not there any more.
        extent: How many, from when to when.
        channels: What each numeric channel did.
        completeness: Whether any are missing.
        laps: Of a race.
        asymmetry_trend_per_min: Of a series.
        tempo_trend_s: Of a series: how much longer each repetition took than the one before.
    """

    extent: Extent
    channels: Channels
    completeness: Completeness
    laps: list[Lap]
    asymmetry_trend_per_min: float | None
    tempo_trend_s: float | None
    deleted: tuple[Deleted, ...] = ()

    @property
    def is_cut_short(self) -> bool:
        """Whether whole readings are not there any more, so that nothing can be said of the run."""
        return any(not each.channel for each in self.deleted)


def measured(run: Run, names: Collection[str] | None = None) -> Measured:
    """What the run was.

    Args:
        run: Which.
        names: Which channels; None for all of them.
    """
    found = _collector(run)
    if run.device_id is not None:
        asked = columns.names_of(run, columns.span_of(run)) if names is None else list(names)
        conversions = described.conversions_of([run])[run.pk]
        for block, counts in columns.judged(run, asked):
            found.add(converted(block, conversions), counts)
    return _without_deleted(_told(run, found), columns.deleted_of([run]).get(run.pk, ()))


def measured_of(runs: Sequence[Run], names: Collection[str]) -> dict[int, Measured]:
    """By their numbers what many runs were, as far as these channels go, without laps and effort."""
    found = {run.pk: (run, Summary()) for run in runs}
    conversions = described.conversions_of(runs)
    for run, block, counts in columns.judged_of(runs, list(names)):
        found[run.pk][1].add(converted(block, conversions[run.pk]), counts)
    gone = columns.deleted_of(runs)
    return {
        number: _without_deleted(_told(run, summary), gone.get(number, ())) for number, (run, summary) in found.items()
    }


def pieces_of(
    run: Run, width: timedelta, span: tuple[datetime, datetime] | None, *, with_squares: bool
) -> dict[str, Buckets]:
    """What each channel did in every bucket that has readings; buckets start at multiples of their width since 1970.

    Args:
        run: Which.
        width: Of a bucket.
        span: In whole buckets; None for all of the run.
        with_squares: Whether deviations are asked for.
    """
    whole = columns.span_of(run)
    wanted = whole if span is None else Span(max(whole.from_us, us(span[0])), min(whole.to_us, us(span[1])))
    found = Pieces(Even(width // MICROSECOND), with_squares=with_squares)
    conversions = described.conversions_of([run])[run.pk]
    for block in columns.counted(run, columns.names_of(run, wanted), wanted):
        shown = converted(block, conversions)
        found.add(with_total(shown) if run.kind == Kind.SERIES else shown)
    return found.answer()


def five_seconds_of(runs: Sequence[Run], names: Collection[str]) -> dict[int, Pieces]:
    """By their numbers what many runs were every five seconds, as far as these channels go."""
    found = {run.pk: Pieces(Even(5 * SECOND_US)) for run in runs}
    conversions = described.conversions_of(runs)
    for run, block, counts in columns.judged_of(runs, list(names)):
        found[run.pk].add(converted(block if counts is None else block.take(counts), conversions[run.pk]))
    return found


def _collector(run: Run) -> Summary:
    is_series = run.kind == Kind.SERIES
    return Summary(derives_total=is_series, tells_effort=is_series, tells_laps=run.kind == Kind.RACE)


def _told(run: Run, found: Summary) -> Measured:
    extent = Extent.of(found.gaps)
    return Measured(
        extent=extent,
        channels=found.channels.answer(),
        completeness=_completeness(run, extent, found.gaps),
        laps=found.laps.answer() if found.laps else [],
        asymmetry_trend_per_min=found.effort.asymmetry_trend_per_min if found.effort else None,
        tempo_trend_s=found.effort.tempo_trend_s if found.effort else None,
    )


def _without_deleted(measured: Measured, gone: Sequence[tuple[str, Span]]) -> Measured:
    """What can be said truly of a run of which readings were deleted."""
    if not gone:
        return measured
    deleted = tuple(
        Deleted(channel=channel, since=instant(span.from_us), until=instant(span.to_us)) for channel, span in gone
    )
    names = {each.channel for each in deleted}
    channels = {} if "" in names else {name: own for name, own in measured.channels.items() if name not in names}
    left = measured.extent.received
    return replace(
        measured,
        channels=channels,
        laps=[],
        asymmetry_trend_per_min=None,
        tempo_trend_s=None,
        completeness=Completeness(received=left, expected=left, rhythm_s=None, gaps=[])
        if "" in names
        else measured.completeness,
        deleted=deleted,
    )


def _completeness(run: Run, extent: Extent, gaps: Gaps) -> Completeness:
    """Whether readings are missing, from the run's start to its end, or to the last reading while it is open."""
    rhythm_s = None if gaps.rhythm_us is None else gaps.rhythm_us / SECOND_US
    if not rhythm_s or extent.last is None:
        return Completeness(received=extent.received, expected=extent.received, rhythm_s=rhythm_s, gaps=[])
    end = max(extent.last, run.ended_at - MICROSECOND) if run.ended_at else extent.last
    span_s = (end - run.started_at).total_seconds()
    return Completeness(
        received=extent.received,
        expected=completeness.expected(received=extent.received, span_s=span_s, rhythm_s=rhythm_s),
        rhythm_s=rhythm_s,
        gaps=[
            Gap(since=instant(since_us), until=instant(until_us))
            for since_us, until_us in gaps.longer(edges_us=(us(run.started_at), us(end)))
        ],
    )
