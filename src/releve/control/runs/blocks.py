"""Keeps the sums of a run true: blocks of 5 seconds, each made from its readings whenever these are not what they were.

A block is never added to, only made again, so that a reading counts once however often it is looked at. Which blocks
to make again follows from a watermark on `received`, minus the time that a reading may wait for its commit; the number
of stored readings then tells which of those blocks have really changed.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from releve.control.runs import columns
from releve.control.runs.models import Run
from releve.control.runs.statement import EPOCH, FAR, Row, plain, rows

WIDTH = timedelta(seconds=5)
LONGEST_COMMIT = timedelta(seconds=60)  # from `received` to visible, clocks that differ included
USUAL_COMMIT = timedelta(seconds=10)  # looks that follow each other faster than this look back no further
NEAR = timedelta(minutes=5)
LOCK = 1380273490
FOLLOWED = ("started_at", "ended_at", "part", "device", "followed", "lap_points")
ONE_MICROSECOND = timedelta(microseconds=1)
Span = tuple[datetime, datetime]


def lock_device(device_id: int | None) -> None:
    """Let nobody else change the device's runs or their sums until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, device_id or 0])


def follow(run: Run) -> None:
    """Make the blocks hold every reading that the run has now."""
    if run.device_id is None:
        return
    now = timezone.now()
    run.refresh_from_db(fields=FOLLOWED)  # a change may have moved it since the caller read it
    if run.followed is None or _stale(run, now):
        with transaction.atomic():
            lock_device(run.device_id)
            run.refresh_from_db(fields=FOLLOWED)
            if run.followed is None:
                _drop_outside(run)
            build(run, _stale(run, now))
            _note(run, now)
    else:
        _note(run, now)


def follow_all(runs: Iterable[Run]) -> None:
    """The same for many runs: those that no reading reached since are found in one statement."""
    now = timezone.now()
    known = {run.pk: run for run in _followed(runs)}
    fresh = [run for run in known.values() if run.followed is not None]
    reached = {run_id for (run_id,) in _touched(fresh, now)} if fresh else set()
    for run in known.values():
        if run.followed is None or run.pk in reached:
            with suppress(Run.DoesNotExist):  # inference may have removed it meanwhile
                follow(run)
    quiet = [run.pk for run in fresh if run.pk not in reached and run.followed and look_back(run.followed, now)[1]]
    Run.objects.filter(pk__in=quiet, followed__isnull=False).update(followed=now)


def look_back(followed: datetime, now: datetime) -> tuple[datetime, bool]:
    """From which `received` on to look for readings, and whether that is far enough to move the watermark.

    >>> look_back(EPOCH, EPOCH + USUAL_COMMIT * 2) == (EPOCH - LONGEST_COMMIT, True)
    True
    """
    is_far = now - followed > USUAL_COMMIT
    return followed - (LONGEST_COMMIT if is_far else USUAL_COMMIT), is_far


def build(run: Run, starts_us: Sequence[int]) -> None:
    """Make the blocks that start there (in microseconds since 1970) again."""
    if not starts_us:
        return
    if run.lap_points is not None:
        run.lap_points = None
        Run.objects.filter(pk=run.pk).update(lap_points=None)
    rows("drop_starts", run, starts=starts_us)
    columns.make_blocks(run, starts_us, width=WIDTH)


def rearrange(runs: Sequence[Run], boundaries: Iterable[datetime | None]) -> None:
    """After boundaries moved: blocks cut by one are made again, whole ones go to the run that holds them now."""
    identifiers = [run.pk for run in runs]
    instants = [boundary for boundary in boundaries if boundary is not None]
    for device_id in {run.device_id for run in runs if run.device_id is not None}:
        plain("drop_edges", device=device_id, runs=identifiers, boundaries=instants)
    for run in runs:
        others = [other for other in identifiers if other != run.pk]
        if run.deleted_at is None and run.device_id is not None and others:
            rows("hand_over_blocks", run, others=others)
    for run in runs:
        if run.deleted_at is not None and run.device_id is not None:
            forget(run)
    Run.objects.filter(pk__in=identifiers).update(followed=None, lap_points=None)
    for run in runs:
        run.followed = run.lap_points = None


def forget(run: Run) -> None:
    """Drop every block of the run."""
    rows("drop_blocks", run, since=datetime.min.replace(tzinfo=UTC), until=FAR)


def remake(runs: Iterable[Run], span: Span) -> None:
    """Make the blocks that touch the span again; a run that nobody looked at yet has none."""
    for run in runs:
        if run.followed is not None:
            since, until = max(span[0], run.started_at), min(span[1], run.ended_at or FAR)
            whole = start_of_block(since), start_of_block(until - ONE_MICROSECOND) + WIDTH
            rows("drop_blocks", run, since=whole[0], until=whole[1])
            build(run, _stale_within(run, whole))


def start_of_block(instant: datetime) -> datetime:
    """The start of the 5 seconds of UTC that hold the instant."""
    return instant - (instant - EPOCH) % WIDTH


def joined(spans: Iterable[Sequence[datetime]]) -> list[Span]:
    """Spans, in order, with those in one that lie so near that one statement looks at both sooner than two.

    >>> [until - since for since, until in joined([(EPOCH, EPOCH + WIDTH), (EPOCH + 2 * WIDTH, EPOCH + 3 * WIDTH)])]
    [datetime.timedelta(seconds=15)]
    """
    found: list[Span] = []
    for since, until in spans:
        if found and since - found[-1][1] <= NEAR:
            found[-1] = (found[-1][0], until)
        else:
            found.append((since, until))
    return found


def _stale(run: Run, now: datetime) -> list[int]:
    if run.followed is None:
        return [start_us for (start_us,) in rows("stale_blocks", run)]
    touched = rows("touched_blocks", run, followed=look_back(run.followed, now)[0])
    return [start_us for span in joined(touched) for start_us in _stale_within(run, span)]


def _stale_within(run: Run, span: Span) -> list[int]:
    clipped = {"since": max(span[0], run.started_at), "until": min(span[1], run.ended_at or FAR)}
    return [start_us for (start_us,) in rows("stale_blocks", run, **clipped)]


def _drop_outside(run: Run) -> None:
    rows("drop_blocks", run, since=datetime.min.replace(tzinfo=UTC), until=start_of_block(run.started_at))
    if run.ended_at is not None:
        rows("drop_blocks", run, since=run.ended_at, until=FAR)


def _followed(runs: Iterable[Run]) -> QuerySet[Run]:
    """The runs as they are now, the latest first, with what following them takes."""
    identifiers = [run.pk for run in runs if run.device_id is not None]
    return Run.objects.filter(pk__in=identifiers, device__isnull=False).only(*FOLLOWED).order_by("-id")


def _touched(runs: Sequence[Run], now: datetime) -> list[Row]:
    followed = [look_back(run.followed, now)[0] for run in runs if run.followed is not None]
    return plain(
        "touched_runs",
        ids=[run.pk for run in runs],
        devices=[run.device_id for run in runs],
        since=[run.started_at for run in runs],
        until=[run.ended_at or FAR for run in runs],
        followed=followed,
        earliest=min(followed),
    )


def _note(run: Run, now: datetime) -> None:
    """Move the watermark, unless somebody took it away meanwhile because the run's bounds moved."""
    if run.followed is None or look_back(run.followed, now)[1]:
        Run.objects.filter(pk=run.pk, followed=run.followed).update(followed=now)
        run.followed = now
