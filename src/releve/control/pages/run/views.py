"""`/runs/<id>/`: what a run was, what is left out of it, what people did to it; a deleted one keeps its history."""

import json
from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from releve.control.accounts.models import Account
from releve.control.fleet.channel_views import channel_shown
from releve.control.pages import access, public_address
from releve.control.pages.run.forms import CorrectForm, ExcludeForm, MoveForm, RenameForm, SplitForm
from releve.control.pages.run.look import MOST_PICTURES, Look, look
from releve.control.pages.zone import zone
from releve.control.runs import queries
from releve.control.runs.api.precondition import etag
from releve.control.runs.edit.correction import EXCLUDE, FIGURES
from releve.control.runs.listing import deleted_run_for, following
from releve.control.runs.models import Change, Exclusion, Run
from releve.control.runs.reference import reference_of

LISTED_CHANGES = 100
LISTED_EXCLUSIONS = 100
LISTED_GAPS = 20


@require_safe
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """The page of one run."""
    account = access.account_of(request)
    try:
        shown = queries.run_for(account, run_id)
    except Http404:
        return _deleted(request, deleted_run_for(account, run_id))
    return page(request, shown)


def page(request: HttpRequest, shown: Run, *, status: int = 200, **wrong: Any) -> HttpResponse:
    """A run's page; `wrong` puts a form that was filled in badly in the place of the empty one."""
    account = access.account_of(request)
    exclusions = list(queries.exclusions_of(shown)[:LISTED_EXCLUSIONS])
    found = look(shown, exclusions)
    may_edit = access.may_change(account, shown.team)
    context = {
        "section": "runs",
        "run": shown,
        "look": found,
        "summary": found.summary,
        "completeness": found.summary.completeness,
        "gaps": found.summary.completeness.gaps[:LISTED_GAPS],
        "gap_count": len(found.summary.completeness.gaps),
        "exclusions": exclusions,
        "changes": _changes(account, shown),
        "state": etag(shown),
        "may_edit": may_edit,
        "share_runs": [shown.pk],
        "chart": _chart(shown, found, exclusions),
        "reference": reference_of(shown.asset),
        "next_run": following(shown) if may_edit else None,
        "origin": public_address.of(request),
        "zone": zone().key,
        "device_zone": shown.device.timezone if shown.device and shown.device.timezone != zone().key else "",
        **(_forms(shown, found) if may_edit else {}),
        **wrong,
    }
    return render(request, "pages/run.html", context, status=status)


def _chart(shown: Run, found: Look, exclusions: Sequence[Exclusion]) -> dict[str, Any] | None:
    """What the run's chart is told; None where there is nothing to draw."""
    last = shown.ended_at or found.summary.extent.last
    if shown.device is None or last is None or not found.channels:
        return None
    drawn = [channel_shown(each.name, each.described) for each in found.channels]
    spans = [[each.since.isoformat(), each.until.isoformat()] for each in exclusions]
    return {"channels": json.dumps(drawn[:MOST_PICTURES]), "end": last.isoformat(), "out": json.dumps(spans)}


def _deleted(request: HttpRequest, shown: Run) -> HttpResponse:
    account = access.account_of(request)
    context = {
        "section": "runs",
        "run": shown,
        "changes": _changes(account, shown),
        "may_edit": access.may_change(account, shown.team),
    }
    return render(request, "pages/run_deleted.html", context)


def _changes(account: Account, shown: Run) -> list[Change]:
    """The history; a change that may be taken back now says so."""
    changes = list(queries.changes_for(account, shown.pk)[:LISTED_CHANGES])
    figures = next((each.pk for each in changes if each.kind in FIGURES and each.undone_at is None), None)
    for change in changes:
        is_last = change.pk in {shown.revision, figures} or change.kind == EXCLUDE
        change.is_last = is_last and change.undone_at is None  # type: ignore[attr-defined] # for the page
    return changes


def _forms(shown: Run, found: Look) -> dict[str, Any]:
    first, last = found.summary.extent.first, found.summary.extent.last
    middle = first + (last - first) / 2 if first and last else None
    bounds = {"started_at": shown.started_at, "ended_at": shown.ended_at}
    return {
        "rename_form": RenameForm(initial={"name": shown.name}, prefix="rename"),
        "move_form": MoveForm(initial=bounds, prefix="move"),
        "split_form": SplitForm(initial={"at": middle}, prefix="split"),
        "correct_form": CorrectForm(prefix="correct", kind=shown.kind),
        "exclude_form": ExcludeForm(initial={"since": first, "until": first}, prefix="exclude"),
    }
