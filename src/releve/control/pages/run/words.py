"""Runs in words: their kinds, what people did to them, and why something could not be done."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from releve.control.runs import problem
from releve.control.runs.models import Kind, Run
from releve.protocol.problem import Problem

_KINDS = {
    Kind.RACE: gettext_lazy("Race"),
    Kind.SERIES: gettext_lazy("Series"),
    Kind.CAPTURE: gettext_lazy("Capture"),
}
_CHANGES = {
    "open": pgettext_lazy("what was done to a run", "Opened"),
    "attach": pgettext_lazy("what was done to a run", "Joined by a device"),
    "close": pgettext_lazy("what was done to a run", "Closed"),
    "reopen": pgettext_lazy("what was done to a run", "Re-opened"),
    "move": pgettext_lazy("what was done to a run", "Bounds moved"),
    "rename": pgettext_lazy("what was done to a run", "Renamed"),
    "assign": pgettext_lazy("what was done to a run", "Mounted elsewhere"),
    "delete": pgettext_lazy("what was done to a run", "Deleted"),
    "merge": pgettext_lazy("what was done to a run", "Merged"),
    "split": pgettext_lazy("what was done to a run", "Split"),
    "exclude": pgettext_lazy("what was done to a run", "Readings left out"),
    "correct": pgettext_lazy("what was done to a run", "Figures corrected"),
    "release": pgettext_lazy("what was done to a run", "Figures computed again"),
    "leave": pgettext_lazy("what was done to a run", "Ended: its device moved to another team"),
}
_PROBLEMS: dict[type[Problem], object] = {
    problem.Overlaps: gettext_lazy(
        "Another run of the same device holds some of these readings; a reading belongs to one run at a time."
    ),
    problem.NotOwned: gettext_lazy(
        "Another team owned the device at some time of the run; each team sees its own side of a move."
    ),
    problem.ChangedSince: gettext_lazy("The run was changed again since; undo the later change first."),
    problem.NotMergeable: gettext_lazy("Only runs of one kind and one device merge."),
    problem.OutsideRun: gettext_lazy("That instant is not inside the run, or the run would end before it starts."),
    problem.NoDevice: gettext_lazy("The run has no device yet, so it has no readings."),
    problem.PreconditionFailed: gettext_lazy("Somebody changed the run meanwhile: look at it again, then decide."),
    problem.PreconditionRequired: gettext_lazy("Somebody changed the run meanwhile: look at it again, then decide."),
}


def kind_name(kind: str) -> str:
    """What a run is."""
    return str(_KINDS[Kind(kind)])


def run_name(run: Run) -> str:
    """What to call a run, by its kind and number where nobody named it."""
    return run.name or _("%(kind)s %(number)s") % {"kind": kind_name(run.kind), "number": run.pk}


def change_name(kind: str) -> str:
    """What a person did to a run."""
    return str(_CHANGES.get(kind, kind))


def why(found: Problem) -> str:
    """Why a change is refused."""
    return str(_PROBLEMS.get(type(found), found))
