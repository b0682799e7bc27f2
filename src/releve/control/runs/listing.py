"""Runs as people look for them: the newest first in pages, the neighbour that a run may merge with, deleted ones."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.dateparse import parse_datetime

from releve.control.accounts.models import Account
from releve.control.runs.edit.correction import EXCLUDE
from releve.control.runs.models import Run
from releve.control.teams.queries import teams_of

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Place:
    """A place in the order of runs, the newest first; a page goes on after one."""

    started_at: datetime
    run_id: int

    @classmethod
    def of(cls, run: Run) -> Self:
        """Where a run stands."""
        return cls(run.started_at, run.pk)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The place that a link names; None for anything else."""
        time_text, _, id_text = text.partition("~")
        try:
            time, number = parse_datetime(time_text), int(id_text)
        except ValueError:
            return None
        is_place = time is not None and time.tzinfo is not None and 0 <= number <= LARGEST_ID
        return cls(time, number) if time is not None and is_place else None

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%dT%H:%M:%S.%fZ}~{self.run_id}"


def newest(runs: QuerySet[Run], *, after: Place | None, limit: int) -> tuple[list[Run], Place | None]:
    """A page of runs, the newest first, and where the next one goes on; None at the end."""
    if after is not None:
        runs = runs.filter(Q(started_at__lt=after.started_at) | Q(started_at=after.started_at, pk__lt=after.run_id))
    found = list(runs.order_by("-started_at", "-pk")[: limit + 1])
    return found[:limit], Place.of(found[limit - 1]) if len(found) > limit else None


def following(run: Run) -> Run | None:
    """The next run of the same device, part and kind, which the run may merge with."""
    later = Run.objects.filter(
        team=run.team_id, device=run.device_id, part=run.part, kind=run.kind, deleted_at=None
    ).filter(started_at__gt=run.started_at)
    return later.order_by("started_at").first() if run.device_id is not None else None


def deleted_runs_of(account: Account) -> QuerySet[Run]:
    """The deleted runs of the account's teams that have a change to take back."""
    changed = Q(revision__gt=0) | Q(changes__kind=EXCLUDE, changes__undone_at=None)
    return _deleted(account).filter(changed).distinct()


def deleted_run_for(account: Account, run_id: int) -> Run:
    """A deleted run of the account's teams, which still has its history.

    Raises:
        Http404: There is none, or it is another team's.
    """
    run = _deleted(account).filter(pk=run_id).first()
    if run is None:
        raise Http404
    return run


def _deleted(account: Account) -> QuerySet[Run]:
    deleted = Run.objects.filter(team__in=teams_of(account), deleted_at__isnull=False)
    return deleted.select_related("team", "device", "asset")
