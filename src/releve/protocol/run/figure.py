"""Which units a run's statistics have: those of the channels that they are of."""

from collections.abc import Mapping
from typing import Final

CHANNELS: Final = {
    "distance": "distance",
    "speed_max": "speed",
    "speed_average": "speed",
    "battery_max": "battery",
    "battery_min": "battery",
    "battery_used": "battery",
    "acceleration_peak": "acceleration_total",
    "acceleration_rms": "acceleration_total",
    "asymmetry": "asymmetry",
    "profile_rms": "accelerometre",
    "profile_peak": "accelerometre",
    "temperature_low": "temperature",
    "temperature_high": "temperature",
    "humidity_low": "humidite",
    "humidity_high": "humidite",
}
_SECONDS: Final = frozenset({
    "time", "series_time_s", "rest_before_s", "tempo_s", "fatigue_within_s", "fatigue_over_s",
})  # fmt: skip
_IN_SECONDS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


def unit_of(figure: str, units: Mapping[str, str]) -> str:
    """The unit of a statistic, empty for none.

    Args:
        figure: Its name.
        units: Those of channels, by their names.

    >>> unit_of("speed_max", {"speed": "km/h"}), unit_of("tempo_s", {}), unit_of("repetitions", {})
    ('km/h', 's', '')
    """
    if figure in _SECONDS:
        return "s"
    if figure == "asymmetry_trend_per_min":
        return f"{unit}/min" if (unit := units.get("asymmetry")) else ""
    return units.get(CHANNELS.get(figure, ""), "")


def seconds_of(unit: str) -> float:
    """How many seconds one of a unit of time is; a watch without a unit counts seconds.

    >>> seconds_of("min"), seconds_of("")
    (60.0, 1.0)
    """
    return _IN_SECONDS.get(unit, 1.0)
