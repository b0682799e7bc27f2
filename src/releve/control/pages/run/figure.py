"""What the people of a kind of run look at, in words, in their order, with its unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from releve.control.runs.models import Kind

_TIME = "time"  # shown in minutes and hours
_SHOWN: dict[str, list[tuple[str, Any, str]]] = {
    Kind.RACE: [
        ("distance", _("Distance"), ""),
        ("time", pgettext_lazy("that a race took", "Time"), _TIME),
        ("speed_average", _("Average speed"), ""),
        ("speed_max", _("Top speed"), ""),
        ("battery_used", _("Battery used"), ""),
        ("battery_max", _("Battery, highest"), ""),
        ("battery_min", _("Battery, lowest"), ""),
    ],
    Kind.SERIES: [
        ("repetitions", _("Repetitions"), ""),
        ("tempo_s", pgettext_lazy("of repetitions", "Tempo"), "s"),
        ("series_time_s", _("Work"), _TIME),
        ("rest_before_s", _("Rest before"), _TIME),
        ("work_rest_ratio", _("Work to rest"), ""),
        ("acceleration_peak", _("Acceleration, peak"), "m/s²"),
        ("acceleration_rms", _("Acceleration, RMS"), "m/s²"),
        ("asymmetry", _("Asymmetry"), ""),
        ("asymmetry_trend_per_min", _("Asymmetry, per minute"), ""),
        ("fatigue_within_s", _("Tempo lost per repetition"), "s"),
        ("fatigue_over_s", _("Tempo lost per series"), "s"),
    ],
    Kind.CAPTURE: [
        ("profile_rms", _("Profile, RMS"), ""),
        ("profile_peak", _("Profile, peak"), ""),
        ("temperature_low", _("Temperature, lowest"), "°C"),
        ("temperature_high", _("Temperature, highest"), "°C"),
        ("humidity_low", _("Humidity, lowest"), "%"),
        ("humidity_high", _("Humidity, highest"), "%"),
    ],
}
_NO_QUANTITY = frozenset({"date"})  # a race's day, which the page's head tells


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One statistic; a person may have set it."""

    label: str
    value: Any
    unit: str
    is_duration: bool
    is_by_hand: bool


def choices(kind: str) -> list[tuple[str, Any]]:
    """The statistics of a kind that a person may set, each with its label."""
    return [(name, label) for name, label, _unit in _SHOWN.get(kind, [])]


def figures(kind: str, statistics: Mapping[str, Any], by_hand: list[str]) -> list[Figure]:
    """The statistics that were measured, and after them what a person set under a name of their own."""
    known = _SHOWN.get(kind, [])
    named = {name for name, _label, _unit in known} | _NO_QUANTITY
    own = [(name, name, "") for name in by_hand if name not in named]
    return [
        Figure(
            label=str(label),
            value=statistics[name],
            unit="" if unit == _TIME else unit,
            is_duration=unit == _TIME,
            is_by_hand=name in by_hand,
        )
        for name, label, unit in [*known, *own]
        if statistics.get(name) is not None
    ]
