"""What does not count, and what a person knows better: readings left out, and statistics set by hand."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from releve.control.accounts.models import Account
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.runs.columns import FAR
from releve.control.runs.cut import infer
from releve.control.runs.edit import change
from releve.control.runs.lock import lock_device
from releve.control.runs.models import Change, Exclusion, HandStatistic, Run
from releve.control.runs.owner import owned, owners_of
from releve.control.runs.problem import ChangedSince, NoDevice, NotOwned, OutsideRun
from releve.control.teams.models import Team

ONE_MICROSECOND = timedelta(microseconds=1)
EXCLUDE, CORRECT, RELEASE = "exclude", "correct", "release"
FIGURES = frozenset({CORRECT, RELEASE})
CORRECTIONS = FIGURES | {EXCLUDE}  # changes of what counts, not of a run: each is taken back for itself


def exclude(
    run: Run,
    *,
    since: datetime,
    until: datetime,
    reason: str,
    reading_id: int | None = None,
    by: Account | None = None,
    origin: Origin = COMMAND_LINE,
) -> Exclusion:
    """Leave readings of the run's device and part out of every statistic, of every run.

    Args:
        run: Whose readings.
        since: The first instant left out.
        until: The first instant let in again.
        reason: Why, for those who wonder.
        reading_id: Only the reading of this identity.
        by: Who says so.
        origin: Where the request came from.

    Raises:
        NoDevice: The run has no readings.
        NotOwned: Another team owned the device then; of a span, only what is the run's team's is left out.
        OutsideRun: The span ends before it starts.
    """
    if run.device is None:
        raise NoDevice
    if until <= since:
        raise OutsideRun("must be after `since`", field="until")
    with transaction.atomic():
        lock_device(run.device_id)
        own = owned(owners_of(run.device), run.team_id, since, until)
        if not own:
            raise NotOwned("another team owned the device then")
        since, until = next(
            (each for each in own if each[0] < (run.ended_at or FAR) and each[1] > run.started_at), own[0]
        )
        exclusion = Exclusion.objects.create(
            device=run.device,
            part=run.part,
            since=since,
            until=until,
            reason=reason,
            reading_id=reading_id,
            by=by,
        )
        detail = {"since": since.isoformat(), "until": until.isoformat(), "reason": reason}
        touched = [each for each in runs_touched_by(exclusion) if each.team_id == run.team_id and each.pk != run.pk]
        done = Change.objects.create(
            team=run.team, kind=EXCLUDE, by=by, before={"exclusion": exclusion.pk, "detail": detail}
        )
        done.runs.set([run, *touched])
        _propagate(exclusion)  # an inferred run of which nothing counts is no more
        change.record(EXCLUDE, [run], run.team, by=by, origin=origin, detail={"reason": reason})
    return exclusion


def exclude_reading(
    run: Run,
    *,
    time: datetime,
    reading_id: int,
    reason: str,
    by: Account | None = None,
    origin: Origin = COMMAND_LINE,
) -> Exclusion:
    """Leave one reading out of every statistic."""
    until = time + ONE_MICROSECOND
    return exclude(run, since=time, until=until, reading_id=reading_id, reason=reason, by=by, origin=origin)


def include(exclusion: Exclusion, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Exclusion:
    """Let the readings in again; doing it twice changes nothing."""
    with transaction.atomic():
        lock_device(exclusion.device_id)
        exclusion = Exclusion.objects.select_for_update().get(pk=exclusion.pk)
        if exclusion.undone_at is None:
            exclusion.undone_at = timezone.now()
            exclusion.save(update_fields=["undone_at"])
            _propagate(exclusion)
            excluded = Change.objects.filter(kind=EXCLUDE, before__exclusion=exclusion.pk, undone_at=None)
            excluded.update(undone_at=exclusion.undone_at)
            owners = owners_of(exclusion.device)
            owner = next(each for each in owners if each.since <= exclusion.since < each.until)
            team = Team.objects.get(pk=owner.team_id)
            change.record("include", runs_touched_by(exclusion), team, by=by, origin=origin, detail={})
    return exclusion


def correct_by_hand(
    run: Run, values: Mapping[str, Any], *, by: Account | None = None, origin: Origin = COMMAND_LINE
) -> HandStatistic:
    """Set statistics of a run by hand; they win over the computed ones until released."""
    with transaction.atomic():
        kept, _ = HandStatistic.objects.select_for_update().get_or_create(run=run, defaults={"values": {}})
        before = kept.values
        kept.values, kept.by, kept.at = {**kept.values, **values}, by, timezone.now()
        kept.save()
        detail = {"statistics": ", ".join(values)}
        _keep(CORRECT, run, before, detail, by=by)
        change.record(CORRECT, [run], run.team, by=by, origin=origin, detail=detail)
    return kept


def release_hand_values(run: Run, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> None:
    """Show the computed statistics again."""
    with transaction.atomic():
        kept = HandStatistic.objects.select_for_update().filter(run=run).first()
        if kept is not None:
            kept.delete()
            _keep(RELEASE, run, kept.values, {"statistics": ", ".join(kept.values)}, by=by)
            change.record(RELEASE, [run], run.team, by=by, origin=origin, detail={})


def undo(which: Change, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> list[Run]:
    """Take a correction back; answers the runs that it was about.

    Raises:
        ChangedSince: It is taken back already, or later figures stand on it.
    """
    with transaction.atomic():
        which = Change.objects.select_for_update().select_related("team").get(pk=which.pk)
        runs = list(which.runs.select_related("team", "device", "asset"))
        if which.undone_at is not None:
            raise ChangedSince
        if which.kind == EXCLUDE:
            include(Exclusion.objects.get(pk=which.before["exclusion"]), by=by, origin=origin)
        else:
            _put_back(which, runs[0], by=by)
            detail = {"undone": which.kind}
            change.record("undo", runs, which.team, by=by, origin=origin, detail=detail)
        which.undone_at = timezone.now()
        which.save(update_fields=["undone_at"])
    return runs


def _put_back(which: Change, run: Run, *, by: Account | None) -> None:
    """The figures that a person had set before."""
    kept = HandStatistic.objects.select_for_update().filter(run=run)
    list(kept)
    if Change.objects.filter(runs=run, kind__in=FIGURES, undone_at=None, pk__gt=which.pk).exists():
        raise ChangedSince
    values = which.before["values"]
    if values:
        HandStatistic.objects.update_or_create(run=run, defaults={"values": values, "by": by, "at": timezone.now()})
    else:
        kept.delete()


def _keep(kind: str, run: Run, before: Mapping[str, Any], detail: Mapping[str, str], *, by: Account | None) -> None:
    kept = {"values": dict(before), "detail": dict(detail)}
    Change.objects.create(team=run.team, kind=kind, by=by, before=kept).runs.set([run])


def runs_touched_by(exclusion: Exclusion) -> list[Run]:
    """The runs that hold readings of the exclusion's span."""
    found = Run.objects.filter(device=exclusion.device_id, deleted_at=None, started_at__lt=exclusion.until)
    found = found.filter(Q(ended_at=None) | Q(ended_at__gt=exclusion.since))
    return list(found.filter(part__in=["", exclusion.part]) if exclusion.part else found)


def _propagate(exclusion: Exclusion) -> None:
    """What is left out cuts no run either."""
    span = exclusion.since, exclusion.until
    for part in {exclusion.part, *(run.part for run in runs_touched_by(exclusion))}:
        infer.recut(exclusion.device, part, span)
