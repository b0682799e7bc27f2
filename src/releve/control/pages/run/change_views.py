"""What an editor does to a run by a button: close, re-open, name, bound, cut, merge, delete, leave out, undo."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from releve.control.accounts.origin import Origin
from releve.control.pages import access
from releve.control.pages.run import views as run_page
from releve.control.pages.run import words as run_words
from releve.control.pages.run.forms import CorrectForm, ExcludeForm, MoveForm, RenameForm, SplitForm
from releve.control.runs import queries
from releve.control.runs.edit import services
from releve.control.runs.listing import following
from releve.control.runs.models import Run
from releve.control.runs.problem import PreconditionFailed
from releve.control.runs.reference import set_reference
from releve.protocol.problem import Problem

Act = Callable[[Run, dict[str, Any]], str]  # does it, as whom, and says what was done


@require_POST
def close(request: HttpRequest, run_id: int) -> HttpResponse:
    """End the run now."""

    def act(run: Run, who: dict[str, Any]) -> str:
        services.close_run(run, ended_at=timezone.now(), **who)
        return _("The run is closed.")

    return _changed(request, run_id, act)


@require_POST
def reopen(request: HttpRequest, run_id: int) -> HttpResponse:
    """Let the run go on."""

    def act(run: Run, who: dict[str, Any]) -> str:
        services.reopen(run, **who)
        return _("The run goes on.")

    return _changed(request, run_id, act)


@require_POST
def rename(request: HttpRequest, run_id: int) -> HttpResponse:
    """Call the run something else."""
    form = RenameForm(request.POST, prefix="rename")

    def act(run: Run, who: dict[str, Any]) -> str:
        services.rename(run, name=form.cleaned_data["name"], **who)
        return _("The run has its new name.")

    return _changed(request, run_id, act, rename_form=form)


@require_POST
def move(request: HttpRequest, run_id: int) -> HttpResponse:
    """Move the bounds that the form shows otherwise than the run has them."""
    form = MoveForm(request.POST, prefix="move")

    def act(run: Run, who: dict[str, Any]) -> str:
        moved = form.moved(run)
        if not moved:
            return _("The bounds are as they were.")
        services.move_boundary(run, **moved, **who)
        return _("The bounds are moved, and every statistic follows.")

    return _changed(request, run_id, act, move_form=form)


@require_POST
def split(request: HttpRequest, run_id: int) -> HttpResponse:
    """Cut the run in two."""
    form = SplitForm(request.POST, prefix="split")

    def act(run: Run, who: dict[str, Any]) -> str:
        second = services.split(run, at=form.cleaned_data["at"], **who)[1]
        return _("The run is cut in two; the second is %(name)s.") % {"name": run_words.run_name(second)}

    return _changed(request, run_id, act, split_form=form)


@require_POST
def merge(request: HttpRequest, run_id: int) -> HttpResponse:
    """Take the next run in, as long as it is the one that the page named."""

    def act(run: Run, who: dict[str, Any]) -> str:
        other = following(run)
        if other is None or str(other.pk) != request.POST.get("other"):
            raise PreconditionFailed
        services.merge(run, other, **who)
        return _("The two runs are one.")

    return _changed(request, run_id, act)


@require_POST
def delete(request: HttpRequest, run_id: int) -> HttpResponse:
    """Delete the run; its page keeps the history, and the button that brings it back."""

    def act(run: Run, who: dict[str, Any]) -> str:
        services.delete(run, **who)
        return _("The run is deleted; its readings stay.")

    return _changed(request, run_id, act)


@require_POST
def exclude(request: HttpRequest, run_id: int) -> HttpResponse:
    """Leave a span out of every statistic."""
    form = ExcludeForm(request.POST, prefix="exclude")

    def act(run: Run, who: dict[str, Any]) -> str:
        services.exclude(run, **form.cleaned_data, **who)
        return _("The span counts no longer.")

    return _changed(request, run_id, act, exclude_form=form)


@require_POST
def include(request: HttpRequest, run_id: int, exclusion_id: int) -> HttpResponse:
    """Let a span count again."""

    def act(run: Run, who: dict[str, Any]) -> str:
        exclusion = queries.exclusions_of(run).filter(pk=exclusion_id).first()
        if exclusion is None:
            raise PreconditionFailed
        services.include(exclusion, **who)
        return _("The span counts again.")

    return _changed(request, run_id, act)


@require_POST
def reference(request: HttpRequest, run_id: int) -> HttpResponse:
    """Compare the other runs of its vehicle or machine with this one, or no more."""

    def act(run: Run, who: dict[str, Any]) -> str:
        if run.asset is None:
            raise PreconditionFailed
        is_wanted = request.POST.get("is") != "none"
        set_reference(run.asset, run if is_wanted else None, **who)
        return _("It is the reference now.") if is_wanted else _("There is no reference any more.")

    return _changed(request, run_id, act)


@require_POST
def correct(request: HttpRequest, run_id: int) -> HttpResponse:
    """Set a statistic by hand."""
    form = CorrectForm(request.POST, prefix="correct", kind=_kind_of(request, run_id))

    def act(run: Run, who: dict[str, Any]) -> str:
        services.correct_by_hand(run, {form.cleaned_data["statistic"]: form.cleaned_data["value"]}, **who)
        return _("The figure is as you say, and marked so.")

    return _changed(request, run_id, act, correct_form=form)


@require_POST
def release(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show the computed statistics again."""

    def act(run: Run, who: dict[str, Any]) -> str:
        services.release_hand_values(run, **who)
        return _("The statistics are computed again.")

    return _changed(request, run_id, act)


@require_POST
def undo(request: HttpRequest, run_id: int, change_id: int) -> HttpResponse:
    """Take a change back; a deleted run comes back so."""
    account = access.account_of(request)
    with access.in_djangos_words():
        change = queries.undoable_change(account, run_id, change_id)
    try:
        services.undo(change, by=account, origin=Origin.of(request))
    except Problem as problem:
        return refused(request, problem, "run-page", run_id)
    messages.success(request, _("The change is taken back."))
    return redirect("run-page", run_id)


def refused(request: HttpRequest, problem: Problem, to: str, *place: int) -> HttpResponse:
    """Say why it cannot be done."""
    messages.error(request, run_words.why(problem))
    return redirect(to, *place)


def _kind_of(request: HttpRequest, run_id: int) -> str:
    with access.in_djangos_words():
        return queries.editable_run(access.account_of(request), run_id).kind


def _changed(request: HttpRequest, run_id: int, act: Act, **named: forms.Form) -> HttpResponse:
    account = access.account_of(request)
    with access.in_djangos_words():
        run = queries.editable_run(account, run_id)
    if not all(form.is_valid() for form in named.values()):
        return run_page.page(request, run, status=422, **named)
    try:
        with access.run_as_seen(account, run_id, request.POST.get("state")) as held:
            said = act(held, {"by": account, "origin": Origin.of(request)})
    except Problem as problem:
        return refused(request, problem, "run-page", run_id)
    messages.success(request, said)
    return redirect("run-page", run_id)
