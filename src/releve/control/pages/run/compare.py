"""`/runs/compare/`: 2 to 8 runs over each other, how far they differ, and a table of their statistics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from releve.control.accounts.models import Account
from releve.control.pages import access
from releve.control.pages.run import words as run_words
from releve.control.pages.run.figure import figures
from releve.control.runs import queries
from releve.control.runs.models import Kind, Run
from releve.control.runs.queries import Summary
from releve.protocol.described import ChannelKind

FEWEST, MOST = 2, 8  # as the API has it
START = "start"
FIRST = {Kind.RACE: "speed", Kind.SERIES: "acceleration_total", Kind.CAPTURE: "temperature"}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A statistic of one run, and how far it lies above the reference's."""

    value: Any
    difference: float | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One statistic of all runs."""

    label: str
    unit: str
    is_duration: bool
    cells: list[Cell]


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """The runs that the address names; the first is what the others are compared with."""
    account = access.account_of(request)
    runs = _runs(account, request)
    if not FEWEST <= len(runs) <= MOST:
        messages.warning(request, _("Choose 2 to 8 runs to compare."))
        return redirect("run-list")
    summaries = [queries.summary(run) for run in runs]
    shared = _shared(summaries)
    channel = request.GET.get("channel", "")
    along = [name for name in shared if summaries[0].described[name].kind == ChannelKind.COUNTER]
    align = request.GET.get("align", START)
    context = {
        "section": "runs",
        "runs": runs,
        "numbers": ",".join(str(run.pk) for run in runs),
        "names": [run_words.run_name(run) for run in runs],
        "channels": shared,
        "channel": channel if channel in shared else _usual(runs[0], shared),
        "aligns": along,
        "align": align if align in along else START,
        "rows": _rows(runs, summaries),
    }
    return render(request, "pages/compare.html", context)


def _runs(account: Account, request: HttpRequest) -> list[Run]:
    """Each run once, in the order of the address.

    Raises:
        Http404: One of them is another team's, or none at all.
    """
    texts = [text.strip() for value in request.GET.getlist("runs") for text in value.split(",") if text.strip()]
    wanted = list(dict.fromkeys(texts))[: MOST + 1]
    if not all(text.isascii() and text.isdigit() and int(text[:20]) < 2**63 for text in wanted):
        raise Http404
    return [queries.run_for(account, int(text)) for text in wanted]


def _shared(summaries: Sequence[Summary]) -> list[str]:
    """The numeric channels that all of them have and that may be drawn as curves."""
    first = summaries[0]
    return [
        name
        for name in sorted(first.channels)
        if all(name in each.channels for each in summaries)
        and not first.described[name].is_hidden
        and first.described[name].kind in (ChannelKind.GAUGE, ChannelKind.COUNTER)
    ]


def _usual(run: Run, shared: Sequence[str]) -> str:
    usual = FIRST[Kind(run.kind)]
    return usual if usual in shared else next(iter(shared), "")


def _rows(runs: Sequence[Run], summaries: Sequence[Summary]) -> list[Row]:
    told = [
        {each.label: each for each in figures(run.kind, summary.statistics, summary.by_hand, summary.described)}
        for run, summary in zip(runs, summaries, strict=True)
    ]
    labels = list(dict.fromkeys(label for each in told for label in each))
    return [_row(label, told) for label in labels]


def _row(label: str, told: Sequence[Mapping[str, Any]]) -> Row:
    one = next(each[label] for each in told if label in each)
    values = [each[label].value if label in each else None for each in told]
    cells = [
        Cell(value=value, difference=_difference(value, values[0]) if place else None)
        for place, value in enumerate(values)
    ]
    return Row(label=label, unit=one.unit, is_duration=one.is_duration, cells=cells)


def _difference(value: Any, reference: Any) -> float | None:
    numbers = [each for each in (value, reference) if isinstance(each, int | float) and not isinstance(each, bool)]
    return numbers[0] - numbers[1] if len(numbers) == 2 else None  # noqa: PLR2004 - both of them
