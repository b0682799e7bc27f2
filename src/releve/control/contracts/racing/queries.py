"""The statistics of contract B, from the summaries and buckets of runs: numbers, never null, never text."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from releve.control.contracts.racing.access import Caller
from releve.control.fleet.models import Asset
from releve.control.runs.cut.car import VEHICLE
from releve.control.runs.models import HandStatistic, Run
from releve.control.runs.queries import race_statistics as figures
from releve.control.runs.several import Band, Totals, splits_of, totals_of
from releve.protocol.run.race import CHANNELS

NOTHING = Band(0.0, 0.0, 0.0)
NUMBERS = ("distance", "speed_max", "speed_average", "battery_max", "battery_min", "time")


def vehicles(caller: Caller) -> QuerySet[Asset]:
    """The vehicles that the caller sees."""
    return Asset.objects.filter(kind=VEHICLE, team__in=caller.teams).order_by("id")


def race_statistics(race: Run) -> dict[str, Any] | None:
    """A race's statistics as they are at this moment, None of a race without a reading and a correction."""
    values = figures(race)
    if values is None:
        return None
    return {
        "id": race.pk,
        "race_id": race.pk,
        **{name: _number(values.get(name)) for name in NUMBERS},
        "date": iso(values.get("date") or race.started_at),
    }


def totals(races: Sequence[Run]) -> Iterator[dict[str, Any]]:
    """The row of each race with readings in the list of statistics; what a person set wins here too."""
    found = totals_of(races, CHANNELS)
    by_hand = dict(HandStatistic.objects.filter(run__in=found).values_list("run", "values"))
    for race in races:
        if race.pk in found:
            yield _totals(race, found[race.pk], by_hand.get(race.pk, {}))


def five_seconds(races: Sequence[Run]) -> Iterator[dict[str, Any]]:
    """What each race did in every five seconds that have readings."""
    for split in splits_of(races):
        yield {
            "race_id": split.run,
            "distance": split.distance,
            "speed": split.speed,
            "date": iso(split.start),
            "battery": split.battery,
            "track": split.track,
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


def _totals(race: Run, found: Totals, by_hand: Mapping[str, Any]) -> dict[str, Any]:
    distance, speed, battery = (found.channels.get(name, NOTHING) for name in CHANNELS)
    return {
        "sensor_data_race_id": race.pk,
        "total_entries": found.extent.received,
        "average_distance": distance.mean,
        "average_speed": _number(by_hand.get("speed_average", speed.mean)),
        "max_distance": distance.high,
        "min_distance": distance.low,
        "average_battery": battery.mean,
        "max_battery": _number(by_hand.get("battery_max", battery.high)),
        "start_time": iso(found.extent.first or race.started_at),
        "end_time": iso(found.extent.last or race.started_at),
        "time_difference": _number(by_hand.get("time", found.extent.elapsed_s)),
    }


def _number(value: Any) -> float:
    return float(value) if value is not None else 0.0
