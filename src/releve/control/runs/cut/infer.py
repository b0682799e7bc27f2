"""Cuts a device's readings into runs by the rule of its kind, and again only where readings arrived since.

What a person cut stays: inference works in the free time between such runs. It may be asked at any time, and twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from releve.control.fleet.models import Asset, Device
from releve.control.fleet.queries import last_heard
from releve.control.runs.columns import FAR, last_of
from releve.control.runs.cut.arrival import BEGINNING, EVER, arrived, look_back
from releve.control.runs.cut.ending import end_by_rule
from releve.control.runs.cut.points import points_of
from releve.control.runs.lock import lock_device
from releve.control.runs.models import Inference, Kind, Run
from releve.control.runs.owner import owners_of
from releve.protocol.contract import GYM, PROFILOMETRE
from releve.protocol.run.cut import CaptureRule, Rule, SeriesRule, Stretch
from releve.protocol.run.part import part_of, split_part

ONE_MICROSECOND = timedelta(microseconds=1)
NEAR = timedelta(minutes=10)
MANY = 50
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Cutting:
    """How the runs of a contract's devices are found."""

    kind: Kind
    rule: Rule
    part_channel: str = ""


CUTTINGS = {
    GYM.name: Cutting(Kind.SERIES, SeriesRule(), "machine_id"),
    PROFILOMETRE.name: Cutting(Kind.CAPTURE, CaptureRule()),
}


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A piece of one owner's free time to cut again: its readings, and when the run that they begin in started."""

    since: datetime
    until: datetime
    begun: datetime | None
    is_last: bool
    team_id: int


def cutting_of(device: Device | None) -> Cutting | None:
    """How the device's runs are found; None where they are only opened by hand."""
    return None if device is None else CUTTINGS.get(device.contract)


def infer(device: Device, now: datetime | None = None) -> None:
    """Cut what arrived since the last time, and close what has ended since."""
    cutting = cutting_of(device)
    if cutting is None:
        return
    instant = now or timezone.now()
    with transaction.atomic():
        lock_device(device.pk)
        looked_at = timezone.now()
        known = Inference.objects.filter(device=device).first()
        since, is_far = look_back(known.followed, looked_at) if known else (BEGINNING, True)
        touched = list(_touched(device, cutting, since))
        _end_by_rule(device, cutting, touched, now=instant)
        for part, span in touched:
            recut(device, part, span, now=instant)
        still = {part for part, _ in touched}
        for run in _inferred(device).filter(ended_at=None).exclude(part__in=still):
            recut(device, run.part, (instant, instant), now=instant)
        if is_far:
            Inference.objects.update_or_create(device=device, defaults={"followed": looked_at})


def infer_all(now: datetime | None = None) -> int:
    """Cut every device's readings, for background work; of many, those heard since the last time. Answers how many."""
    devices = list(Device.objects.filter(contract__in=CUTTINGS).order_by("id"))
    if len(devices) > MANY:
        devices = _heard_since(devices)
    for device in devices:
        infer(device, now)
    return len(devices)


def recut(device: Device, part: str, span: Span, *, now: datetime | None = None) -> None:
    """Cut the runs around a span again, in the time that people left free."""
    cutting = cutting_of(device)
    if cutting is None or bool(part) != bool(cutting.part_channel):
        return
    instant = now or timezone.now()
    for free in _free(device, part, span):
        for owner in owners_of(device):
            own = max(free[0], owner.since), min(free[1], owner.until)
            if own[0] >= own[1] or own[0] > span[1] or own[1] <= span[0]:
                continue
            patch = _patch(device, part, span, own, cutting.rule.gap, owner.team_id)
            stretches = list(cutting.rule.cut(points_of(_about(device, part, cutting, patch)), patch.begun))
            _apply(device, part, cutting, patch, stretches, now=instant)


def give_way(runs: Iterable[Run]) -> list[tuple[Run, str, Span]]:
    """Remove inferred runs that stand where a person now says otherwise; answers where they stood."""
    given: list[tuple[Run, str, Span]] = []
    for run in runs:
        if run.deleted_at is not None or cutting_of(run.device) is None or run.device is None:
            continue
        for other in in_the_way(run):
            given.append((run, other.part, (other.started_at, other.ended_at or timezone.now())))
            _remove(other)
    return given


def in_the_way(run: Run) -> QuerySet[Run]:
    """The inferred runs that stand where a person says that this one is."""
    return _overlapping(_inferred(run.device), run).exclude(pk=run.pk)


def fill(runs: Iterable[Run], boundaries: Sequence[datetime], given: Sequence[tuple[Run, str, Span]] = ()) -> None:
    """Cut what a person's change left free."""
    for run in runs:
        if run.device is None or cutting_of(run.device) is None:
            continue
        instants = [*boundaries, run.started_at, run.ended_at or timezone.now()]
        instants += [instant for _, _, span in given for instant in span]
        for part in {run.part, *(part for _, part, _ in given)}:
            recut(run.device, part, (min(instants), max(instants)))


def _heard_since(devices: list[Device]) -> list[Device]:
    """Those heard since they were cut the last time, and those with a run that time alone may end."""
    heard = last_heard(devices)
    known = dict(Inference.objects.filter(device__in=devices).values_list("device", "followed"))
    ends_itself = Q(is_inferred=True) | Q(rule_since__isnull=False)
    open_ = set(Run.objects.filter(ends_itself, device__in=devices, ended_at=None).values_list("device", flat=True))
    return [
        device
        for device in devices
        if device.pk in open_
        or (device.pk in heard and (device.pk not in known or heard[device.pk].last_seen >= known[device.pk]))
    ]


def _end_by_rule(device: Device, cutting: Cutting, touched: Sequence[tuple[str, Span]], *, now: datetime) -> None:
    """End what a person let go on where the rule says so, and again where something came late."""
    for run in Run.objects.filter(device=device, kind=cutting.kind, deleted_at=None, rule_since__isnull=False):
        if run.ended_at is None or any(_is_at_the_end(run, part, span, cutting.rule.gap) for part, span in touched):
            _end(run, end_by_rule(run, cutting.rule, now))


def _is_at_the_end(run: Run, part: str, span: Span, gap: timedelta) -> bool:
    end = max(run.ended_at or FAR, run.rule_since or BEGINNING)
    return run.part in {"", part} and span[0] <= end + gap and span[1] >= (run.ended_at or FAR)


def _end(run: Run, end: datetime | None) -> None:
    if end == run.ended_at:
        return
    boundaries = [boundary for boundary in (run.ended_at, end) if boundary is not None]
    run.ended_at = end
    given = give_way([run])
    run.save(update_fields=["ended_at"])
    fill([run], boundaries, given)


def _touched(device: Device, cutting: Cutting, since: datetime) -> Iterator[tuple[str, Span]]:
    for owner in owners_of(device):
        width = EVER if since == BEGINNING else NEAR
        for value, first, last in arrived(device, cutting.part_channel, since=since, owner=owner, width=width):
            if not cutting.part_channel:
                yield "", (first, last)
            elif value is not None:  # else it is a reading of no machine
                yield part_of(cutting.part_channel, value), (first, last)


def _inferred(device: Device | None) -> QuerySet[Run]:
    return Run.objects.filter(device=device, is_inferred=True, is_hand_cut=False, deleted_at=None)


def _held(device: Device, part: str) -> QuerySet[Run]:
    """The runs that inference leaves alone, and the inferred ones that a person deleted."""
    standing = Q(deleted_at=None) | Q(is_inferred=True)
    parts = Q(part__in=["", part]) if part else Q()
    return Run.objects.filter(standing, parts, device=device, is_hand_cut=True)


def _overlapping(runs: QuerySet[Run], run: Run) -> QuerySet[Run]:
    found = runs.filter(Q(ended_at=None) | Q(ended_at__gt=run.started_at))
    if run.ended_at is not None:
        found = found.filter(started_at__lt=run.ended_at)
    return found.filter(part__in=["", run.part]) if run.part else found


def _free(device: Device, part: str, span: Span) -> Iterator[Span]:
    """The free stretches of time that the span touches."""
    start = BEGINNING
    for held in _held(device, part).order_by("started_at"):
        if start <= span[1] and span[0] < held.started_at and start < held.started_at:
            yield start, held.started_at
        start = max(start, held.ended_at or FAR)
    if start < FAR and start <= span[1]:
        yield start, FAR


def _patch(device: Device, part: str, span: Span, free: Span, gap: timedelta, team_id: int) -> Patch:
    """What has to be cut again where readings arrived in a span: no more of the time around it than they can change.

    A reading joins what is no further away than the gap, and what it joins may in turn reach as far on its other side:
    twice the gap. A run that was there before and reaches into the span is not read from its start, which may be hours
    ago, but from its last reading in front of the span: the rule goes on from there and only has to know when the run
    `begun`. A run that the span reaches is cut again up to its end. Behind the last run the piece is open, because
    nothing there says where it ends; whether that run is still going on, its gap against the present tells.
    """
    since, until = max(span[0], free[0]), min(span[1], free[1])
    near_since, near_until = max(free[0], _earlier(since, 2 * gap)), min(free[1], until + 2 * gap)
    runs = _inferred(device).filter(part=part, started_at__gte=free[0], started_at__lt=free[1])
    begun = None
    before = runs.filter(started_at__lte=since).order_by("-started_at").first()
    if before is not None and (before.ended_at is None or before.ended_at > near_since):
        last = _last_before(before, since)
        near_since, begun = (before.started_at, None) if last is None else (last, before.started_at)
    after = (
        runs.filter(Q(ended_at=None) | Q(ended_at__gt=until + ONE_MICROSECOND), started_at__lte=near_until)
        .order_by("started_at")
        .first()
    )
    if after is not None:
        near_until = max(near_until, after.ended_at or free[1])
    is_last = not runs.filter(started_at__gt=near_until).exists()
    return Patch(
        since=near_since,
        until=free[1] if is_last else near_until,
        begun=begun,
        is_last=is_last and free[1] == FAR,
        team_id=team_id,
    )


def _last_before(run: Run, instant: datetime) -> datetime | None:
    return last_of(run, min(instant, run.ended_at or FAR))


def _about(device: Device, part: str, cutting: Cutting, patch: Patch) -> Run:
    """The readings of the piece, as if they were a run."""
    return Run(device=device, part=part, kind=cutting.kind, started_at=patch.since, ended_at=patch.until)


def _apply(
    device: Device, part: str, cutting: Cutting, patch: Patch, stretches: list[Stretch], *, now: datetime
) -> None:
    known = list(
        _inferred(device)
        .filter(part=part, started_at__gte=patch.begun or patch.since, started_at__lt=patch.until)
        .order_by("started_at")
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS runs_run_never_overlap DEFERRED")
    for number, stretch in enumerate(stretches, start=1):
        is_open = patch.is_last and number == len(stretches) and now - stretch.last <= cutting.rule.gap
        run = _match(known, stretch) or _fresh(device, patch.team_id, part, cutting, stretch)
        wanted = stretch.start, None if is_open else stretch.last + ONE_MICROSECOND
        if run.pk is None or (run.started_at, run.ended_at) != wanted:
            run.started_at, run.ended_at = wanted
            run.save()
    for run in known:
        _remove(run)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS runs_run_never_overlap IMMEDIATE")


def _match(known: list[Run], stretch: Stretch) -> Run | None:
    """The run that the stretch continues, so that its number and name stay; taken out of the list."""
    for run in known:
        if run.started_at <= stretch.last and (run.ended_at is None or run.ended_at > stretch.start):
            known.remove(run)
            return run
    return None


def _fresh(device: Device, team_id: int, part: str, cutting: Cutting, stretch: Stretch) -> Run:
    asset = None
    if part:
        asset = Asset.objects.filter(team=team_id, kind="machine", key=split_part(part)[1]).first()
    mark: dict[str, Any] = {"is_inferred": True, "is_hand_cut": False}
    return Run(
        team_id=team_id,
        device=device,
        asset=asset,
        kind=cutting.kind,
        part=part,
        started_at=stretch.start,
        **mark,
    )


def _remove(run: Run) -> None:
    """A run that a person changed is kept as deleted: its number never means another, and its history is found."""
    if run.revision or run.changes.exists():
        run.deleted_at = timezone.now()
        run.save(update_fields=["deleted_at"])
    else:
        run.delete()


def _earlier(instant: datetime, by: timedelta) -> datetime:
    return instant - by if instant - BEGINNING > by else BEGINNING
