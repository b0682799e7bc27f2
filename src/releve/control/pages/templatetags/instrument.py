"""How instants, values and states are written on a page."""

import shlex
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from releve.control.pages.account import event
from releve.control.pages.account.browser_name import in_words
from releve.control.pages.command import line
from releve.control.pages.device.reason import in_words as why_aside
from releve.control.pages.device.rhythm import State
from releve.control.pages.device.spark import is_number
from releve.control.pages.zone import decimal_sign, local
from releve.control.teams.models import Role

register = template.Library()

DECIMALS = 3
LONGEST_TEXT = 40
A_MINUTE_S = 60
A_DAY_S = 86_400


@register.simple_tag
def command(words: str, name: str) -> str:
    """A command about something of a name, as it is typed on the server."""
    return line(f"{words} {shlex.quote(name)}")


@register.filter
def moment(instant: datetime) -> SafeString:
    """An instant in the pages' zone, to the second, readable by programs too."""
    return format_html('<time datetime="{}">{}</time>', instant.isoformat(), _absolute(instant))


@register.filter
def moment_in(instant: datetime, name: str) -> SafeString:
    """An instant on another clock than the pages', such as a device's."""
    return format_html(
        '<time datetime="{}">{}</time>', instant.isoformat(), _written(instant.astimezone(ZoneInfo(name)))
    )


@register.filter
def ago(instant: datetime) -> SafeString:
    """How long ago an instant was, with the instant itself for whoever points at it."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        instant.isoformat(),
        _absolute(instant),
        naturaltime(instant),
    )


@register.filter
def line_moment(instant: datetime) -> SafeString:
    """An instant in a table whose head names the zone."""
    return format_html('<time datetime="{}">{}</time>', instant.isoformat(), f"{local(instant):%Y-%m-%d %H:%M:%S}")


@register.filter
def delay(duration: timedelta) -> str:
    """How long a reading travelled, to two figures or so."""
    seconds = duration.total_seconds()
    if abs(seconds) < A_MINUTE_S:
        return f"{value(round(seconds, 2))} s"
    if abs(seconds) < A_DAY_S:
        return f"{seconds / A_MINUTE_S:.0f} min"
    return _("%(days)s d") % {"days": f"{seconds / A_DAY_S:.0f}"}


@register.filter
def value(content: Any) -> str:
    """A channel's value with the decimal sign of the language, at most three decimals."""
    if isinstance(content, bool):
        return _("yes") if content else _("no")
    if isinstance(content, float):
        rounded = round(content, DECIMALS) or 0.0  # no sign before a zero
        text = f"{rounded:.{DECIMALS}f}".rstrip("0").rstrip(".")
        return text.replace(".", decimal_sign())
    if is_number(content):
        return str(content)
    return _("none") if content is None else str(content)[:LONGEST_TEXT]


@register.filter
def places(content: float, decimals: int | None) -> float:
    """A channel's number with as many decimals as its team wants to see."""
    return content if decimals is None else round(content, decimals)


@register.filter
def signed(content: float) -> str:
    """A difference, with its sign."""
    return value(content) if content <= 0 else f"+{value(content)}"


@register.filter
def state_name(state: State) -> str:
    """A device's state in words."""
    return {
        State.LIVE: _("Reporting"),
        State.SILENT: _("Silent"),
        State.NEVER: _("Never heard"),
        State.DISABLED: _("Disabled"),
    }[state]


@register.filter
def contract_name(contract: str) -> str:
    """The kind of client, in words."""
    names = {
        "gym": _("Gym machine"),
        "racing": _("Racing car"),
        "profilometre": _("Profilometre"),
        "generic": _("Generic"),
    }
    return names.get(contract, contract)


@register.filter
def role_name(role: str) -> str:
    """A role in words."""
    return {Role.ADMIN: _("Administrator"), Role.EDITOR: _("Editor"), Role.VIEWER: _("Viewer")}[Role(role)]


@register.filter
def event_name(kind: str) -> str:
    """What happened, in words."""
    return event.in_words(kind)


@register.filter
def reason(text: str) -> str:
    """Why a reading was kept aside, in words."""
    return why_aside(text)


@register.filter
def program(user_agent: str) -> str:
    """What signed in, in words."""
    return in_words(user_agent)


def _absolute(instant: datetime) -> str:
    return _written(local(instant))


def _written(there: datetime) -> str:
    day = "j N Y" if get_language() == "fr" else "j M Y"  # French writes its months small, and a point where it cuts
    return f"{formats.date_format(there, day)}, {there:%H:%M:%S} {there.tzname()}"
