"""Sets on gym machines in figures: each from its readings that count, with what a person set by hand above them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from releve.control.runs import columns
from releve.control.runs.columns import instant
from releve.control.runs.models import HandStatistic, Run
from releve.control.runs.queries import SESSION_PAUSE
from releve.history.block import Block
from releve.history.effort import ASYMMETRY, AXES, REPETITIONS, TOTAL
from releve.history.repetition import Repetitions
from releve.history.summary import Summary
from releve.history.working import REST_WATCH, WATCH
from releve.protocol.run import series

CHANNELS: Final = (REPETITIONS, WATCH, REST_WATCH, ASYMMETRY, TOTAL, *AXES)
BY_HAND: Final = {
    "repetitions": "repetitions",
    "series_time_s": "time_s",
    "tempo_s": "tempo_s",
    "rest_before_s": "rest_before_s",
    "acceleration_peak": "acceleration_peak",
    "acceleration_rms": "acceleration_rms",
    "asymmetry": "asymmetry",
}


@dataclass(frozen=True, kw_only=True)
class Series:
    """One set in figures; None of what its readings do not tell.

    Attributes:
        run: Its number, None while background work has not cut it yet.
        started_at: Its first reading.
        ended_at: Its last one so far.
        repetitions: How many.
        time_s: How long it was worked.
        tempo_s: Seconds per repetition, in the mean.
        tempo_loss_percent: How much longer the last two repetitions took than the first two.
        tempo_change_percent: How much longer a repetition took than in the first set of the same session.
        rest_before_s: The rest before it.
        acceleration_peak: The highest acceleration, gravity included, in m/s².
        acceleration_rms: Its root mean square, in m/s².
        asymmetry: As the machine itself tells it, in the mean.
        sideways_percent: How much of the movement lies off its main line.
        odd_even_percent: How much stronger the odd repetitions are than the even ones.
    """

    run: int | None
    started_at: datetime
    ended_at: datetime
    repetitions: float
    time_s: float
    tempo_s: float | None
    tempo_loss_percent: float | None
    tempo_change_percent: float | None = None
    rest_before_s: float | None
    acceleration_peak: float | None
    acceleration_rms: float | None
    asymmetry: float | None
    sideways_percent: float | None
    odd_even_percent: float | None


class Collector:
    """Takes the readings of one set that count, in the order of time."""

    def __init__(self) -> None:
        self._summary = Summary(derives_total=True)
        self._repetitions = Repetitions()

    def add(self, block: Block) -> None:
        """Take more of them."""
        self._summary.add(block)
        self._repetitions.add(block)

    def answer(self, run: Run | None = None, by_hand: Mapping[str, Any] | None = None) -> Series | None:
        """The set; None of no reading."""
        gaps, channels = self._summary.gaps, self._summary.channels.answer()
        if gaps.first_us is None or gaps.last_us is None:
            return None
        worked = series.series_time(channels, elapsed_s=(gaps.last_us - gaps.first_us) / 1_000_000)
        acceleration, asymmetry = channels.get(TOTAL), channels.get(ASYMMETRY)
        found = Series(
            run=run.pk if run else None,
            started_at=instant(gaps.first_us),
            ended_at=instant(gaps.last_us),
            repetitions=worked.repetitions,
            time_s=worked.work_s,
            tempo_s=worked.tempo_s,
            tempo_loss_percent=self._repetitions.tempo_loss_percent,
            rest_before_s=series.rest_s(channels, pause_s=None),
            acceleration_peak=acceleration.peak if acceleration else None,
            acceleration_rms=acceleration.rms if acceleration else None,
            asymmetry=asymmetry.mean if asymmetry else None,
            sideways_percent=self._repetitions.sideways_percent,
            odd_even_percent=self._repetitions.odd_even_percent,
        )
        said = {BY_HAND[name]: value for name, value in (by_hand or {}).items() if name in BY_HAND}
        return replace(found, **said)


def series_of(runs: Sequence[Run]) -> list[Series]:
    """The sets of one machine that have readings, in the order of time; those near each other are read in one go."""
    collectors = {run.pk: Collector() for run in runs}
    for run, block, counts in columns.judged_of(runs, CHANNELS):
        collectors[run.pk].add(block if counts is None else block.take(counts))
    by_hand = dict(HandStatistic.objects.filter(run__in=runs).values_list("run", "values"))
    told = (collectors[run.pk].answer(run, by_hand.get(run.pk)) for run in runs)
    return in_sessions(sorted((each for each in told if each is not None), key=lambda each: each.started_at))


def in_sessions(found: Sequence[Series]) -> list[Series]:
    """The same, each held against the set before it and the first set of its session.

    A session is sets between which no pause is longer than a quarter of an hour.
    """
    told: list[Series] = []
    first: Series | None = None
    for each in found:
        pause = each.started_at - told[-1].ended_at if told else None
        if pause is None or pause > SESSION_PAUSE:
            first, pause = each, None
        rest_s = each.rest_before_s
        if rest_s is None and pause is not None:
            rest_s = max(0.0, pause.total_seconds())
        told.append(replace(each, rest_before_s=rest_s, tempo_change_percent=_change_percent(first, each)))
    return told


def _change_percent(first: Series | None, each: Series) -> float | None:
    if first is None or first is each or not first.tempo_s or each.tempo_s is None:
        return None
    return 100 * (each.tempo_s - first.tempo_s) / first.tempo_s
