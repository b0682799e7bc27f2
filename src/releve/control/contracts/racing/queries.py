"""The statistics of contract B, from the summaries and buckets of runs: numbers, never null, never text."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from releve.control.contracts.racing.access import Caller
from releve.control.fleet.models import Asset
from releve.control.runs import blocks, measure
from releve.control.runs.car import VEHICLE
from releve.control.runs.models import HandStatistic, Run
from releve.control.runs.queries import buckets, statistics
from releve.protocol.run.statistic import Statistic

BUCKET_S = 5.0
NUMBERS = ("distance", "speed_max", "speed_average", "battery_max", "battery_min", "time")


def vehicles(caller: Caller) -> QuerySet[Asset]:
    """The vehicles that the caller sees."""
    return Asset.objects.filter(kind=VEHICLE, team__in=caller.teams).order_by("id")


def race_statistics(race: Run) -> dict[str, Any] | None:
    """A race's statistics as they are at this moment, None of a race without a reading and a correction."""
    if not has_readings(race) and not HandStatistic.objects.filter(run=race).exists():
        return None
    values, _ = statistics(race)
    return {
        "id": race.pk,
        "race_id": race.pk,
        **{name: _number(values.get(name)) for name in NUMBERS},
        "date": iso(values.get("date") or race.started_at),
    }


def has_readings(race: Run) -> bool:
    """Whether a reading of the race counts."""
    if race.device_id is None:
        return False
    blocks.follow(race)
    return measure.extent_of(race).received > 0


def totals(race: Run) -> dict[str, Any] | None:
    """The race's row in the list of statistics, None of one without readings; what a person set wins here too."""
    if race.device_id is None:
        return None
    channels, extent = measure.channels_of(race), measure.extent_of(race)
    if extent.first is None or extent.last is None:
        return None
    by_hand = _by_hand(race)
    distance, speed, battery = (channels.get(name) for name in ("distance", "speed", "battery"))
    return {
        "sensor_data_race_id": race.pk,
        "total_entries": extent.received,
        "average_distance": _of(distance, "mean"),
        "average_speed": _number(by_hand.get("speed_average", _of(speed, "mean"))),
        "max_distance": _of(distance, "high"),
        "min_distance": _of(distance, "low"),
        "average_battery": _of(battery, "mean"),
        "max_battery": _number(by_hand.get("battery_max", _of(battery, "high"))),
        "start_time": iso(extent.first),
        "end_time": iso(extent.last),
        "time_difference": _number(by_hand.get("time", extent.elapsed_s)),
    }


def five_seconds(race: Run) -> Iterator[dict[str, Any]]:
    """What the race did in every five seconds that have readings."""
    for bucket in buckets(race, BUCKET_S, ("mean", "last")):
        channels: Mapping[str, Mapping[str, float]] = bucket["channels"]
        yield {
            "race_id": race.pk,
            "distance": _value(channels, "distance", "last"),
            "speed": _value(channels, "speed", "mean"),
            "date": iso(bucket["start"]),
            "battery": _value(channels, "battery", "mean"),
            "track": _value(channels, "track", "last"),
        }


def iso(instant: datetime | str) -> str:
    """An instant in UTC with its zone.

    >>> iso("2026-06-01T14:00:00+02:00")
    '2026-06-01T12:00:00Z'
    """
    moment = parse_datetime(instant) if isinstance(instant, str) else instant
    if moment is None:
        return str(instant)
    return (moment - (moment.utcoffset() or timedelta())).replace(tzinfo=None).isoformat() + "Z"


def _by_hand(race: Run) -> dict[str, Any]:
    kept = HandStatistic.objects.filter(run=race).first()
    return kept.values if kept else {}


def _of(statistic: Statistic | None, function: str) -> float:
    return _number(getattr(statistic, function)) if statistic else 0.0


def _value(channels: Mapping[str, Mapping[str, float]], name: str, function: str) -> float:
    return _number(channels.get(name, {}).get(function))


def _number(value: Any) -> float:
    return float(value) if value is not None else 0.0
