"""How runs are written on a page."""

from datetime import datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from releve.control.pages.run import words as run_words
from releve.control.pages.templatetags.instrument import value
from releve.control.pages.zone import local
from releve.control.runs.models import Run

register = template.Library()

HALF_A_TENTH = timedelta(milliseconds=50)
A_MINUTE_S, AN_HOUR_S, A_DAY_S = 60, 3600, 86_400


@register.filter
def run_name(run: Run) -> str:
    """What to call a run."""
    return run_words.run_name(run)


@register.filter
def kind_name(kind: str) -> str:
    """What a run is, in words."""
    return run_words.kind_name(kind)


@register.filter
def change_name(kind: str) -> str:
    """What a person did to a run, in words."""
    return run_words.change_name(kind)


@register.filter
def duration(seconds: float) -> str:
    """A length of time, as precise as a person wants it.

    >>> duration(92.4)
    '1 min 32 s'
    """
    whole = round(seconds)
    if whole < A_MINUTE_S:
        return f"{value(round(float(seconds), 1))} s"
    if whole < AN_HOUR_S:
        return f"{whole // A_MINUTE_S} min {whole % A_MINUTE_S:02} s"
    if whole < A_DAY_S:
        return f"{whole // AN_HOUR_S} h {whole % AN_HOUR_S // A_MINUTE_S:02} min"
    return _("%(days)s d %(hours)s h") % {"days": whole // A_DAY_S, "hours": whole % A_DAY_S // AN_HOUR_S}


@register.filter
def clock(instant: datetime) -> SafeString:
    """An instant within a run, to the tenth of a second; its day is told elsewhere, or by pointing at it."""
    shown = local(instant + HALF_A_TENTH)
    text = f"{shown:%H:%M:%S}.{shown.microsecond // 100_000}"
    return format_html('<time datetime="{}" title="{}">{}</time>', instant.isoformat(), f"{shown:%Y-%m-%d}", text)


@register.filter
def words(text: str) -> list[str]:
    """Words, to go through one by one."""
    return text.split()


@register.filter
def lasted(run: Run) -> str:
    """How long a run lasted, nothing while it goes on."""
    return "" if run.ended_at is None else duration((run.ended_at - run.started_at).total_seconds())


@register.filter
def percent(ratio: float) -> str:
    """A ratio, to the tenth of a percent, and never 100 % when something is missing."""
    shown = round(ratio * 100, 1)
    return f"{value(99.9 if shown == 100.0 and ratio < 1 else shown)} %"  # noqa: PLR2004 - a percentage
