"""What does not count, and what a person knows better: readings left out, and statistics set by hand."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from releve.control.accounts.models import Account
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.runs import blocks
from releve.control.runs.cut import infer
from releve.control.runs.edit import change
from releve.control.runs.models import Exclusion, HandStatistic, Run
from releve.control.runs.problem import NoDevice, OutsideRun

ONE_MICROSECOND = timedelta(microseconds=1)


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
        OutsideRun: The span ends before it starts.
    """
    if run.device is None:
        raise NoDevice
    if until <= since:
        raise OutsideRun("must be after `since`", field="until")
    with transaction.atomic():
        blocks.lock_device(run.device_id)
        exclusion = Exclusion.objects.create(
            device=run.device,
            part=run.part,
            since=since,
            until=until,
            reason=reason,
            reading_id=reading_id,
            by=by,
        )
        _propagate(exclusion)
        change.record("exclude", [run], run.team, by=by, origin=origin, detail={"reason": reason})
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
        blocks.lock_device(exclusion.device_id)
        exclusion = Exclusion.objects.select_for_update().get(pk=exclusion.pk)
        if exclusion.undone_at is None:
            exclusion.undone_at = timezone.now()
            exclusion.save(update_fields=["undone_at"])
            _propagate(exclusion)
            team = exclusion.device.team
            change.record("include", runs_touched_by(exclusion), team, by=by, origin=origin, detail={})
    return exclusion


def correct_by_hand(
    run: Run, values: Mapping[str, Any], *, by: Account | None = None, origin: Origin = COMMAND_LINE
) -> HandStatistic:
    """Set statistics of a run by hand; they win over the computed ones until released."""
    with transaction.atomic():
        kept, _ = HandStatistic.objects.select_for_update().get_or_create(run=run, defaults={"values": {}})
        kept.values, kept.by, kept.at = {**kept.values, **values}, by, timezone.now()
        kept.save()
        names = ", ".join(values)
        change.record("correct", [run], run.team, by=by, origin=origin, detail={"statistics": names})
    return kept


def release_hand_values(run: Run, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> None:
    """Show the computed statistics again."""
    with transaction.atomic():
        if HandStatistic.objects.filter(run=run).delete()[0]:
            change.record("release", [run], run.team, by=by, origin=origin, detail={})


def runs_touched_by(exclusion: Exclusion) -> list[Run]:
    """The runs that hold readings of the exclusion's span."""
    found = Run.objects.filter(device=exclusion.device_id, deleted_at=None, started_at__lt=exclusion.until)
    found = found.filter(Q(ended_at=None) | Q(ended_at__gt=exclusion.since))
    return list(found.filter(part__in=["", exclusion.part]) if exclusion.part else found)


def _propagate(exclusion: Exclusion) -> None:
    """What is left out cuts no run either."""
    span = exclusion.since, exclusion.until
    blocks.remake(runs_touched_by(exclusion), span)
    for part in {exclusion.part, *(run.part for run in runs_touched_by(exclusion))}:
        infer.recut(exclusion.device, part, span)
