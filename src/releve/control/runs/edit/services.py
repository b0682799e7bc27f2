"""Everything that people change about runs; each change can be undone (its number is `run.revision`) and is audited."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from releve.control.accounts.models import Account
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.fleet.models import Asset, Device
from releve.control.runs.cut import infer
from releve.control.runs.edit import change, correction
from releve.control.runs.edit.correction import (
    correct_by_hand,
    exclude,
    exclude_reading,
    include,
    release_hand_values,
    runs_touched_by,
)
from releve.control.runs.lock import lock_device
from releve.control.runs.models import Change, Kind, Run
from releve.control.runs.problem import NotMergeable, OutsideRun, Overlaps
from releve.control.teams.models import Team
from releve.protocol.run.part import plainest

__all__ = [
    "assign",
    "attach",
    "close_run",
    "correct_by_hand",
    "delete",
    "end_race",
    "exclude",
    "exclude_reading",
    "include",
    "merge",
    "move_boundary",
    "open_race",
    "open_run",
    "release_hand_values",
    "rename",
    "reopen",
    "runs_touched_by",
    "split",
    "stretch",
    "undo",
]
ONE_MICROSECOND = timedelta(microseconds=1)
_KEEP: Any = object()


def open_run(  # noqa: PLR0913 - a run is all of this, and each is named
    *,
    team: Team,
    device: Device | None,
    asset: Asset | None,
    kind: str,
    name: str = "",
    started_at: datetime,
    ended_at: datetime | None = None,
    part: str = "",
    by: Account | None = None,
    origin: Origin = COMMAND_LINE,
) -> Run:
    """Open a run; without a device it waits for one (`attach`), and with an end it is closed already.

    Args:
        team: Whose run it is.
        device: Whose readings it holds.
        asset: What the device was mounted on.
        kind: `race`, `series` or `capture`.
        name: What people call it.
        started_at: Its first instant.
        ended_at: The first instant after it.
        part: Whose readings it holds where a device serves several, such as `machine_id=7` or `race=12`.
        by: Who says so.
        origin: Where the request came from.

    Raises:
        Overlaps: Another run of the device and part holds some of the readings.
        OutsideRun: It ends before it starts.
    """
    _refuse_backwards(started_at, ended_at)
    if not part and kind == Kind.SERIES and asset is not None and asset.kind == "machine" and asset.key:
        part = f"machine_id={asset.key}"
    fresh = Run(
        team=team,
        device=device,
        asset=asset,
        kind=kind,
        name=name,
        started_at=started_at,
        ended_at=ended_at,
        part=plainest(part),
    )
    with change.changing("open", team, by=by, origin=origin) as draft:
        return draft.add(fresh)


def open_race(
    *,
    team: Team,
    device: Device | None,
    asset: Asset,
    name: str,
    started_at: datetime,
    part: str = "",
    by: Account | None = None,
    origin: Origin = COMMAND_LINE,
) -> Run:
    """Open a race that what its car sends bounds: it is not cut by hand until a person does that.

    Raises:
        Overlaps: Another run of the device and part holds some of the readings.
    """
    fresh = Run(
        team=team,
        device=device,
        asset=asset,
        kind=Kind.RACE,
        name=name,
        started_at=started_at,
        part=plainest(part),
        is_hand_cut=False,
    )
    with change.changing("open", team, by=by, origin=origin) as draft:
        return draft.add(fresh)


def attach(
    run: Run, *, device: Device, part: str = "", by: Account | None = None, origin: Origin = COMMAND_LINE
) -> Run:
    """Say whose readings a run holds.

    Raises:
        Overlaps: Another run of the device and part holds some of them.
    """
    with change.changing("attach", run.team, by=by, origin=origin) as draft:
        held = draft.take(run)
        lock_device(device.pk)
        held.device, held.part = device, plainest(part)
    return held


def stretch(run: Run, time: datetime) -> Run:
    """Widen a run, if need be, so that it holds this instant; for readings that name their run themselves.

    Raises:
        Overlaps: Another run of the device and part holds the instant.
    """
    is_inside = run.started_at <= time and (run.ended_at is None or time < run.ended_at)
    if is_inside:
        return run
    with change.refusing_overlap(), transaction.atomic():
        lock_device(run.device_id)
        held = Run.objects.select_for_update().get(pk=run.pk)
        held.started_at = min(held.started_at, time)
        held.ended_at = None if held.ended_at is None else max(held.ended_at, time + ONE_MICROSECOND)
        held.save(update_fields=["started_at", "ended_at"])
    return held


def close_run(run: Run, *, ended_at: datetime, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Run:
    """End a run; a reading at that very instant is no longer its own.

    Raises:
        OutsideRun: It would end before it starts.
    """
    return move_boundary(run, ended_at=ended_at, by=by, origin=origin, kind="close")


def end_race(race: Run, *, ended_at: datetime) -> Run:
    """End a race where its car says so; no person cut it."""
    with change.changing("close", race.team, by=None, origin=COMMAND_LINE) as draft:
        held = draft.take(race)
        held.ended_at, held.rule_since = ended_at, None
        _refuse_backwards(held.started_at, held.ended_at)
    return held


def reopen(run: Run, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Run:
    """Let a run go on: an inferred one until its rule ends it again, any other until somebody closes it.

    Raises:
        Overlaps: A later run of the device and part is in the way.
    """
    return move_boundary(run, ended_at=None, by=by, origin=origin, kind="reopen")


def move_boundary(
    run: Run,
    *,
    started_at: datetime = _KEEP,
    ended_at: datetime | None = _KEEP,
    by: Account | None = None,
    origin: Origin = COMMAND_LINE,
    kind: str = "move",
) -> Run:
    """Move the start, the end, or both.

    Raises:
        Overlaps: Another run of the device and part holds some of the readings.
        OutsideRun: It would end before it starts.
    """
    with change.changing(kind, run.team, by=by, origin=origin) as draft:
        held = draft.take(run)
        end = held.ended_at if ended_at is _KEEP else ended_at
        is_reopened = end is None and not held.is_open
        held.rule_since = _rule_since(held, end)
        held.started_at = held.started_at if started_at is _KEEP else started_at
        held.ended_at = end
        held.is_hand_cut = True
        _refuse_backwards(held.started_at, held.ended_at)
        if is_reopened and infer.in_the_way(held).exists():
            raise Overlaps  # it would swallow every run since; one may be merged with the next
    return held


def rename(run: Run, *, name: str, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Run:
    """Call a run something else; inference may still cut it."""
    with change.changing("rename", run.team, by=by, origin=origin, detail={"name": name}) as draft:
        held = draft.take(run)
        held.name = name
    return held


def assign(run: Run, *, asset: Asset | None, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Run:
    """Say what the device was mounted on."""
    with change.changing("assign", run.team, by=by, origin=origin) as draft:
        held = draft.take(run)
        held.asset = asset
    return held


def delete(run: Run, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Run:
    """Delete a run; its readings stay, and are not cut into a run again unless this is undone."""
    with change.changing("delete", run.team, by=by, origin=origin, detail={"name": run.name}) as draft:
        held = draft.take(run)
        held.deleted_at, held.is_hand_cut = timezone.now(), True
    return held


def merge(run: Run, other: Run, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Run:
    """Make one run of two, with what lies between them; the first keeps its name and number.

    Raises:
        NotMergeable: They differ in kind, device or part.
        Overlaps: A run between them is in the way.
    """
    is_alike = (run.kind, run.device_id, run.part, run.team_id) == (
        other.kind,
        other.device_id,
        other.part,
        other.team_id,
    )
    if not is_alike or run.pk == other.pk:
        raise NotMergeable
    with change.changing("merge", run.team, by=by, origin=origin) as draft:
        first, second = sorted((run, other), key=lambda given: given.pk)
        held = {given.pk: draft.take(given) for given in (first, second)}
        kept, absorbed = held[run.pk], held[other.pk]
        ends = [kept.ended_at, absorbed.ended_at]
        kept.rule_since = next((_rule_since(each, None) for each in (kept, absorbed) if each.is_open), None)
        kept.started_at = min(kept.started_at, absorbed.started_at)
        kept.ended_at = None if None in ends else max(end for end in ends if end is not None)
        kept.is_hand_cut = True
        absorbed.deleted_at, absorbed.is_hand_cut = timezone.now(), False
    return kept


def split(run: Run, *, at: datetime, by: Account | None = None, origin: Origin = COMMAND_LINE) -> tuple[Run, Run]:
    """Cut a run in two; a reading at that very instant is the second's, which is a new run.

    Raises:
        OutsideRun: The instant is not inside the run.
    """
    with change.changing("split", run.team, by=by, origin=origin) as draft:
        held = draft.take(run)
        if at <= held.started_at or (held.ended_at is not None and at >= held.ended_at):
            raise OutsideRun(field="at")
        second = Run.objects.get(pk=held.pk)
        second.pk, second.created_at, second.started_at = None, timezone.now(), at
        second._state.adding = True  # noqa: SLF001 - Django's documented way to copy a row
        is_going_on = held.is_inferred and held.is_open and not held.is_hand_cut
        second.is_hand_cut = not is_going_on  # inference ends it, as it would have ended the whole
        held.is_hand_cut, held.rule_since = True, None
        held.ended_at = at
        draft.add(second)
    return held, second


def undo(which: Change, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> list[Run]:
    """Take a change back; answers the runs it was about.

    Raises:
        ChangedSince: It is undone already, or a later change stands on it.
        Overlaps: Another run holds some of the readings meanwhile.
    """
    take_back = correction.undo if which.kind in correction.CORRECTIONS else change.undo
    return take_back(which, by=by, origin=origin)


def _rule_since(was: Run, end: datetime | None) -> datetime | None:
    """From when on the rule ends a run whose bounds a person sets; None where the person says when it ends."""
    if end is not None:
        return was.rule_since if end == was.ended_at else None
    if not was.is_open:
        return timezone.now() if was.is_inferred or was.kind == Kind.RACE else None  # a race: its car's next word
    return was.rule_since or (was.started_at if was.is_inferred and not was.is_hand_cut else None)


def _refuse_backwards(started_at: datetime, ended_at: datetime | None) -> None:
    if ended_at is not None and ended_at < started_at:
        raise OutsideRun("the run would end before it starts", field="ended_at")
