"""One change of runs by a person: all of it or nothing, in the audit trail, with what it replaced kept to undo it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from releve.control.accounts import audit
from releve.control.accounts.models import Account, AuditKind
from releve.control.accounts.origin import Origin
from releve.control.runs.cut import infer
from releve.control.runs.lock import lock_device
from releve.control.runs.models import Change, Kind, Run
from releve.control.runs.problem import ChangedSince, NotOwned, Overlaps
from releve.control.teams.models import Team

INSTANTS = frozenset({"started_at", "ended_at", "deleted_at", "rule_since"})
KEPT = ("name", "is_hand_cut", "device_id", "part", "asset_id", *sorted(INSTANTS))
_OVERLAP = "runs_run_never_overlap"
_OWNED = "runs_run_owned"


class Draft:
    """The runs that a change is about, each as it was and as it becomes."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.was: dict[int, dict[str, Any]] = {}
        self.created: list[Run] = []
        self.more: dict[str, Any] = {}

    def take(self, run: Run) -> Run:
        """The run as it is now, held until the change is done.

        Raises:
            ChangedSince: It was deleted meanwhile.
        """
        lock_device(run.device_id)
        held = Run.objects.select_for_update().select_related(None).get(pk=run.pk)
        if held.deleted_at is not None:
            raise ChangedSince("the run is deleted; undo that first")
        self.was[held.pk] = state(held)
        self.runs.append(held)
        return held

    def add(self, run: Run) -> Run:
        """A run that the change makes."""
        lock_device(run.device_id)
        self.created.append(run)
        return run


@contextmanager
def changing(
    kind: str, team: Team, *, by: Account | None, origin: Origin, detail: Mapping[str, str] | None = None
) -> Iterator[Draft]:
    """Collect a change and carry it out at the end of the block.

    Raises:
        Overlaps: Another run holds some of the readings.
    """
    draft = Draft()
    with refusing_overlap(), transaction.atomic():
        yield draft
        _carry_out(draft, kind, team, by=by, origin=origin, detail=detail)


def undo(change: Change, *, by: Account | None, origin: Origin) -> list[Run]:
    """Put the runs back as they were before the change; answers them.

    Raises:
        ChangedSince: The change is undone already, or a later one stands on it.
        Overlaps: Another run holds some of the readings meanwhile.
    """
    with refusing_overlap(), transaction.atomic():
        for device_id in change.runs.values_list("device_id", flat=True).distinct():
            lock_device(device_id)
        change = Change.objects.select_for_update().get(pk=change.pk)
        runs = list(change.runs.select_for_update())
        if change.undone_at is not None or any(run.revision != change.pk for run in runs):
            raise ChangedSince
        was = {run.pk: state(run) for run in runs}
        for run in runs:
            _restore(run, change.before["runs"][str(run.pk)])
            _overrule(run, was[run.pk], change)
        change.undone_at = timezone.now()
        change.save(update_fields=["undone_at"])
        _settle(runs, was)
        record("undo", runs, change.team, by=by, origin=origin, detail={"undone": change.kind})
    return runs


def state(run: Run) -> dict[str, Any]:
    """What of a run a change may replace, as JSON keeps it."""
    kept = {name: getattr(run, name) for name in (*KEPT, "revision")}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in kept.items()}


@contextmanager
def refusing_overlap() -> Iterator[None]:
    """Say in our words what PostgreSQL's constraint refuses.

    Raises:
        Overlaps: It refused.
        NotOwned: The run would reach beyond the time in which its team owned the device.
    """
    try:
        yield
    except IntegrityError as error:
        if _OWNED in str(error):
            raise NotOwned from error
        if _OVERLAP not in str(error):
            raise
        raise Overlaps from error


def _carry_out(
    draft: Draft,
    kind: str,
    team: Team,
    *,
    by: Account | None,
    origin: Origin,
    detail: Mapping[str, str] | None,
) -> None:
    changed = {run.pk: _difference(draft.was[run.pk], state(run)) for run in draft.runs}
    change = Change.objects.create(team=team, kind=kind, by=by, before={})
    _save_deferred(draft, change)
    created = {run.pk: {"created": True} for run in draft.created}
    change.before = {"runs": {**changed, **created}, **draft.more}
    change.save(update_fields=["before"])
    runs = [*draft.runs, *draft.created]
    change.runs.set(runs)
    _settle(runs, draft.was)
    record(kind, runs, team, by=by, origin=origin, detail=detail)


def _save_deferred(draft: Draft, change: Change) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS {_OVERLAP} DEFERRED")
    for run in (*draft.runs, *draft.created):
        run.revision = change.pk
        run.save()


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in before.items() if value != after[name] or name == "revision"}


def _restore(run: Run, before: Mapping[str, Any]) -> None:
    if "created" in before:
        run.deleted_at, run.is_hand_cut, run.revision = timezone.now(), False, 0
    for name, value in before.items():
        if name in INSTANTS and value is not None:
            setattr(run, name, datetime.fromisoformat(value))
        elif name != "created":
            setattr(run, name, value)
    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS {_OVERLAP} DEFERRED")
    run.save()


def _overrule(run: Run, was: Mapping[str, Any], change: Change) -> None:
    """A race whose closing is taken back stays open until its car says something new: what it said before closed it."""
    if run.kind == Kind.RACE and run.is_open and was["ended_at"] is not None and run.deleted_at is None:
        closed = max(change.at, datetime.fromisoformat(was["ended_at"]))
        run.rule_since = max(closed, run.rule_since or closed)
        run.save(update_fields=["rule_since"])


def _settle(runs: list[Run], was: Mapping[int, Mapping[str, Any]]) -> None:
    """Let inferred runs give way to what a person said."""
    before = [datetime.fromisoformat(kept[name]) for kept in was.values() for name in INSTANTS if kept[name]]
    moved = [
        run
        for run in runs
        if run.pk not in was or any(was[run.pk][name] != state(run)[name] for name in (*INSTANTS, "device_id", "part"))
    ]
    given = infer.give_way(moved)
    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS {_OVERLAP} IMMEDIATE")
    if moved:
        infer.fill(moved, before, given)


def record(
    kind: str,
    runs: list[Run],
    team: Team,
    *,
    by: Account | None,
    origin: Origin,
    detail: Mapping[str, str] | None,
) -> None:
    """Put a change of runs into the audit trail."""
    device = next((run.device for run in runs if run.device is not None), None)
    facts = {"change": kind, "runs": ", ".join(str(run.pk) for run in runs), **(detail or {})}
    audit.record(AuditKind.RUN_CHANGED, origin, device, team=team, by=by, detail=facts)
