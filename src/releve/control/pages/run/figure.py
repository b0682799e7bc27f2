"""What the people of a kind of run look at, in words, in their order, with its unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from releve.control.runs.models import Kind
from releve.protocol.described import Description
from releve.protocol.run.figure import CHANNELS, unit_of

_DURATIONS = frozenset({"time", "series_time_s", "rest_before_s"})  # shown in minutes and hours
_SHOWN: dict[str, list[tuple[str, Any]]] = {
    Kind.RACE: [
        ("distance", _("Distance")),
        ("time", pgettext_lazy("that a race took", "Time")),
        ("speed_average", _("Average speed")),
        ("speed_max", _("Top speed")),
        ("battery_used", _("Battery used")),
        ("battery_max", _("Battery, highest")),
        ("battery_min", _("Battery, lowest")),
    ],
    Kind.SERIES: [
        ("repetitions", _("Repetitions")),
        ("tempo_s", pgettext_lazy("of repetitions", "Tempo")),
        ("series_time_s", _("Work")),
        ("rest_before_s", _("Rest before")),
        ("work_rest_ratio", _("Work to rest")),
        ("acceleration_peak", _("Acceleration, peak")),
        ("acceleration_rms", _("Acceleration, RMS")),
        ("asymmetry", _("Asymmetry")),
        ("asymmetry_trend_per_min", _("Asymmetry, per minute")),
        ("fatigue_within_s", _("Tempo lost per repetition")),
        ("fatigue_over_s", _("Tempo lost per series")),
    ],
    Kind.CAPTURE: [
        ("profile_rms", _("Profile, RMS")),
        ("profile_peak", _("Profile, peak")),
        ("temperature_low", _("Temperature, lowest")),
        ("temperature_high", _("Temperature, highest")),
        ("humidity_low", _("Humidity, lowest")),
        ("humidity_high", _("Humidity, highest")),
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
    return list(_SHOWN.get(kind, []))


def figures(
    kind: str, statistics: Mapping[str, Any], by_hand: list[str], described: Mapping[str, Description]
) -> list[Figure]:
    """The statistics that were measured, and after them what a person set under a name of their own.

    Args:
        kind: Of the run.
        statistics: By their names.
        by_hand: Which of them a person set.
        described: The run's channels, which say the units.
    """
    units = {name: each.unit for name, each in described.items()}
    known = _SHOWN.get(kind, [])
    named = {name for name, _label in known} | _NO_QUANTITY
    own = [(name, name) for name in by_hand if name not in named]
    return [
        Figure(
            label=str(label),
            value=_rounded(statistics[name], described.get(CHANNELS.get(name, ""))),
            unit="" if name in _DURATIONS else unit_of(name, units),
            is_duration=name in _DURATIONS,
            is_by_hand=name in by_hand,
        )
        for name, label in [*known, *own]
        if statistics.get(name) is not None
    ]


def _rounded(value: Any, described: Description | None) -> Any:
    return value if described is None or described.decimals is None else round(value, described.decimals)
