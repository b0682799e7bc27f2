"""Reads about runs: what an account may see, and a run's statistics as they are at this moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import QuerySet
from django.http import Http404

from releve.control.accounts.models import Account
from releve.control.fleet.models import Device
from releve.control.fleet.queries import refuse_unless
from releve.control.runs import columns, described, measure
from releve.control.runs.columns import FAR, instant
from releve.control.runs.cut import car, infer
from releve.control.runs.edit.correction import CORRECTIONS
from releve.control.runs.measure import Channels, Deleted, Extent, Measured
from releve.control.runs.models import Change, Exclusion, HandStatistic, Kind, Run
from releve.control.teams.models import Team
from releve.control.teams.queries import EDITORS, role_in, teams_of
from releve.history.bucket import Buckets
from releve.protocol.contract import RACING
from releve.protocol.described import Description
from releve.protocol.run import capture, race, series
from releve.protocol.run.completeness import Completeness
from releve.protocol.run.figure import seconds_of
from releve.protocol.run.race import Lap
from releve.protocol.run.statistic import FUNCTIONS

WORK = ("series_time", "repetitions")  # what tells how long a series was worked
SESSION_PAUSE = timedelta(minutes=15)
SESSION_SERIES = 20


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run was.

    Attributes:
        by_hand: The statistics that a person set.
        described: What its channels are.
        deleted: What is not there any more.
    """

    run: Run
    channels: Channels
    extent: Extent
    completeness: Completeness
    statistics: dict[str, Any]
    laps: list[Lap]
    by_hand: list[str]
    described: dict[str, Description]
    deleted: tuple[Deleted, ...] = ()

    @property
    def units(self) -> dict[str, str]:
        """The units of the channels that have one."""
        return {name: each.unit for name, each in self.described.items() if each.unit}


def runs_of(account: Account) -> QuerySet[Run]:
    """The runs of the account's teams."""
    return _shown().filter(team__in=teams_of(account))


def runs_of_team(team: Team) -> QuerySet[Run]:
    """The runs of one team."""
    return _shown().filter(team=team)


def run_for(account: Account, run_id: int) -> Run:
    """One run of the account's teams, as background work last cut it.

    Raises:
        Http404: There is none, or it is another team's; which of them is not said.
    """
    run = runs_of(account).filter(pk=run_id).first()
    if run is None:
        raise Http404
    return run


def editable_run(account: Account, run_id: int) -> Run:
    """One run that the account may change, cut by what has arrived up to now: people change what there really is.

    Raises:
        Http404: There is none, or it is another team's.
        PermissionDenied: The account only views.
    """
    run = run_for(account, run_id)
    refuse_unless(role_in(account, run.team), EDITORS)
    return run_for(account, run_id) if _catch_up(run) else run


def undoable_change(account: Account, run_id: int, change_id: int | None) -> Change:
    """A change that the account may take back: where none is named, the last of the run's bounds or name that stands.

    Raises:
        Http404: There is none, or it is another team's.
        PermissionDenied: The account only views.
    """
    changes = changes_for(account, run_id)
    of_the_run = changes.filter(undone_at=None).exclude(kind__in=CORRECTIONS)
    change = (of_the_run if change_id is None else changes.filter(pk=change_id)).first()
    if change is None:
        raise Http404
    refuse_unless(role_in(account, change.team), EDITORS)
    return change


def changes_for(account: Account, run_id: int) -> QuerySet[Change]:
    """What people did to a run, the latest first; a deleted run still has its history.

    Raises:
        Http404: There is no such run, or it is another team's.
    """
    if not Run.objects.filter(pk=run_id, team__in=teams_of(account)).exists():
        raise Http404
    return Change.objects.filter(runs=run_id).select_related("by", "team").order_by("-id")


def last_time(run: Run) -> datetime | None:
    """The instant of the run's last reading that counts."""
    return columns.last_of(run) if run.device_id is not None else None


def exclusions_of(run: Run) -> QuerySet[Exclusion]:
    """The exclusions that stand and touch the run's time, the latest first."""
    found = Exclusion.objects.filter(device=run.device_id, undone_at=None, until__gt=run.started_at)
    found = found.filter(since__lt=run.ended_at or FAR)
    return (found.filter(part__in=["", run.part]) if run.part else found).select_related("by").order_by("-id")


def summary(run: Run) -> Summary:
    """What the run was, from every reading that counts at this moment."""
    found = measure.measured(run)
    values = _by_hand(run)
    told = described.describe(run, found.channels)
    return Summary(
        run=run,
        channels=found.channels,
        extent=found.extent,
        completeness=found.completeness,
        statistics={**_statistics(run, found, told), **values},
        laps=found.laps,
        by_hand=sorted(values),
        described=told,
        deleted=found.deleted,
    )


def race_statistics(run: Run) -> dict[str, Any] | None:
    """The statistics of a race without the rest of its summary; None of one without a reading and a correction."""
    found, values = measure.measured(run, race.CHANNELS), _by_hand(run)
    if (found.deleted or not found.extent.received) and not values:
        return None
    return {**_statistics(run, found, {}), **values}


def units(run: Run, names: Iterable[str]) -> dict[str, str]:
    """The units of channels of a run, of those that have one."""
    return {name: each.unit for name, each in described.describe(run, names).items() if each.unit}


def buckets(
    run: Run,
    width_s: float,
    functions: Iterable[str] = FUNCTIONS,
    *,
    span: tuple[datetime, datetime] | None = None,
) -> list[dict[str, Any]]:
    """What each channel did in every `width_s` seconds that have numbers, in the order of time.

    Args:
        run: Which.
        width_s: Of a bucket; buckets start at multiples of it since 1970.
        functions: Which of `FUNCTIONS`.
        span: In whole buckets; None for all of the run.
    """
    if run.device_id is None:
        return []
    wanted = tuple(functions)
    pieces = measure.pieces_of(run, timedelta(seconds=width_s), span, with_squares="deviation" in wanted)
    found: dict[int, dict[str, Any]] = {}
    for name, each in pieces.items():
        values = zip(*(_function(each, function) for function in wanted), strict=True)
        for start_us, told in zip(each.start_us.tolist(), values, strict=True):
            found.setdefault(start_us, {})[name] = dict(zip(wanted, told, strict=True))
    return [{"start": instant(start_us), "channels": found[start_us]} for start_us in sorted(found)]


def _function(found: Buckets, name: str) -> list[float]:
    """A function of each bucket; a mean lies between the least and the greatest, whatever rounding made of it."""
    values = np.clip(found.mean, found.low, found.high) if name == "mean" else getattr(found, name)
    told: list[float] = values.tolist()
    return told


def _by_hand(run: Run) -> dict[str, Any]:
    by_hand = HandStatistic.objects.filter(run=run).first()
    return by_hand.values if by_hand else {}


def _shown() -> QuerySet[Run]:
    runs = Run.objects.filter(deleted_at=None, device__deleted_at=None)  # a run that waits for a device has none
    return runs.select_related("team", "device", "asset").order_by("id")


def _catch_up(run: Run) -> bool:
    """Let the run be what its readings make of it; answers whether they have a say."""
    if run.device is None:
        car.follow_cars([run.team_id])  # one of them may have joined it
        return run.kind == Kind.RACE
    infer.infer(run.device)
    car.follow(Device.objects.filter(pk=run.device.pk))
    return infer.cutting_of(run.device) is not None or run.device.contract == RACING.name


def _statistics(run: Run, found: Measured, told: Mapping[str, Description]) -> dict[str, Any]:
    if found.deleted:  # what is left would tell of a shorter run, or of other channels
        return {}
    if run.kind == Kind.RACE:
        return {**race.statistics(found.channels, time_s=found.extent.elapsed_s), "date": run.started_at}
    if run.kind == Kind.CAPTURE:
        return dict(capture.statistics(found.channels))
    return _series(run, found, told)


def _series(run: Run, found: Measured, told: Mapping[str, Description]) -> dict[str, Any]:
    channels = _watches_in_seconds(found.channels, told)
    before = measure.measured_of(_series_before(run), WORK)
    worked = series.series_time(channels, elapsed_s=found.extent.elapsed_s)
    rest_s = series.rest_s(channels, pause_s=_pause_s(list(before.values())[-1:], found.extent))
    tempos = [
        series.series_time(_watches_in_seconds(one.channels, told), elapsed_s=one.extent.elapsed_s).tempo_s
        for one in before.values()
    ]
    over = [tempo for tempo in (*tempos, worked.tempo_s) if tempo is not None]
    acceleration, asymmetry = channels.get("acceleration_total"), channels.get("asymmetry")
    return {
        "repetitions": worked.repetitions,
        "series_time_s": worked.work_s,
        "rest_before_s": rest_s,
        "work_rest_ratio": series.work_rest_ratio(work_s=worked.work_s, rest_s=rest_s),
        "tempo_s": worked.tempo_s,
        "acceleration_peak": acceleration.peak if acceleration else None,
        "acceleration_rms": acceleration.rms if acceleration else None,
        "asymmetry": asymmetry.mean if asymmetry else None,
        "asymmetry_trend_per_min": found.asymmetry_trend_per_min,
        "fatigue_within_s": found.tempo_trend_s,
        "fatigue_over_s": series.trend(list(enumerate(over))),
    }


def _watches_in_seconds(channels: Channels, told: Mapping[str, Description]) -> Channels:
    """The channels, with those in seconds by which a machine tells how long it was worked, and rested before."""
    factors = {name: seconds_of(told[name].unit) for name in series.WATCHES if name in channels and name in told}
    return {**channels, **{name: channels[name].times(factor) for name, factor in factors.items()}}


def _series_before(run: Run) -> list[Run]:
    """The series of the same session before this one, in order: no pause between them is longer than a quarter hour."""
    alike = Run.objects.filter(device=run.device_id, team=run.team_id, part=run.part, kind=Kind.SERIES)
    earlier = alike.filter(deleted_at=None, started_at__lt=run.started_at).order_by("-started_at")
    found: list[Run] = []
    start = run.started_at
    for other in earlier[:SESSION_SERIES]:
        if other.ended_at is None or start - other.ended_at > SESSION_PAUSE:
            break
        found.insert(0, other)
        start = other.started_at
    return found


def _pause_s(before: list[Measured], extent: Extent) -> float | None:
    """From the last reading of the series before to the first of this one."""
    if not before or extent.first is None:
        return None
    last = before[0].extent.last
    return None if last is None else (extent.first - last).total_seconds()
