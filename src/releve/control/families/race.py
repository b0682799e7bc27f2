"""A race as its team sees it from the pit wall: speed, battery, laps, the delta to the reference, laps left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.http import Http404

from releve.control.accounts.models import Account
from releve.control.families.present import presents
from releve.control.fleet import channels
from releve.control.fleet.models import Asset
from releve.control.fleet.queries import assets_of
from releve.control.runs import columns
from releve.control.runs.columns import instant, us
from releve.control.runs.cut.car import VEHICLE
from releve.control.runs.models import Kind, Run
from releve.history import pace
from releve.history.block import Block
from releve.history.lap import DISTANCE, TRACK, Laps
from releve.history.pace import BATTERY, CHANNELS, SPEED
from releve.protocol.described import Description
from releve.protocol.run.race import Lap

USED_UP: Final = frozenset({"%", "Wh", "kWh", "Ah", "mAh", "J", "kJ"})  # units of what is at nought when it is empty
SILENT = timedelta(seconds=10)  # a car that says nothing for longer drives no lap that one could time


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number as the team sees it; its unit is empty where nobody declared one."""

    value: float | None
    unit: str


@dataclass(frozen=True, kw_only=True)
class LapFigures:
    """A whole lap."""

    lap: float
    started_at: datetime
    time_s: float
    distance: float | None
    energy: float | None
    is_best: bool


@dataclass(frozen=True, kw_only=True)
class Race:
    """A race as it stands.

    Attributes:
        run: Which.
        heard: Its latest reading that counts.
        is_heard: Whether the car still talks.
        speed: The latest.
        distance: The latest.
        battery: The latest.
        lap: The lap under way, None once the race has ended.
        lap_time_s: How long that has taken so far.
        laps: The whole ones.
        delta_s: How much later the car is than it was at the same place on the reference lap.
        reference_lap: Which lap that is.
        energy_per_lap: What a lap takes from the battery, in its unit.
        laps_left: How many more it holds, where its unit says that it empties to nought.
    """

    run: Run
    heard: datetime | None
    is_heard: bool
    speed: Quantity
    distance: Quantity
    battery: Quantity
    lap: float | None
    lap_time_s: float | None
    laps: list[LapFigures]
    delta_s: float | None
    reference_lap: float | None
    energy_per_lap: float | None
    laps_left: float | None


def vehicles_of(account: Account) -> QuerySet[Asset]:
    """The vehicles of the account's teams."""
    return assets_of(account).filter(kind=VEHICLE)


def vehicle_for(account: Account, asset_id: int) -> Asset:
    """One vehicle of the account's teams.

    Raises:
        Http404: There is none, or it is another team's; which of them is not said.
    """
    found = vehicles_of(account).filter(pk=asset_id).first()
    if found is None:
        raise Http404
    return found


def latest_of(vehicles: Sequence[Asset]) -> dict[int, Run]:
    """By the vehicle's number its race under way, else the last one that began."""
    runs = Run.objects.filter(asset__in=vehicles, kind=Kind.RACE, deleted_at=None).select_related("device", "team")
    found: dict[int, Run] = {}
    for run in runs.order_by("asset", "-started_at", "-id"):
        number = run.asset_id or 0
        if number not in found or (run.is_open and not found[number].is_open):
            found[number] = run
    return found


def race_of(run: Run, now: datetime) -> Race:
    """The race as it stands."""
    laps, race = Laps(), pace.Race()
    for block, counts in columns.judged(run, CHANNELS):
        laps.add(block, counts)
        race.add(block if counts is None else block.take(counts))
    whole, told = race.whole, laps.answer()
    described = channels.describe(run.device, CHANNELS, team=run.team) if run.device else {}
    heard = instant(int(whole.time_us[-1])) if len(whole) else None
    clock = presents([run.device], now).get(run.device.pk, now) if run.device else now
    is_heard = run.is_open and heard is not None and clock - heard <= SILENT
    done = told[:-1]
    begun = _begun(whole, told) if run.is_open else None
    best = pace.best(done)
    used = [pace.used_in(whole, us(lap.started_at), us(lap.ended_at)) for lap in done]
    battery = _quantity(whole, BATTERY, described)
    energy = _scaled(pace.per_lap(used), described.get(BATTERY))
    return Race(
        run=run,
        heard=heard,
        is_heard=is_heard,
        speed=_quantity(whole, SPEED, described),
        distance=_quantity(whole, DISTANCE, described),
        battery=battery,
        lap=pace.last_of(whole, TRACK) if run.is_open else None,
        lap_time_s=(clock - begun).total_seconds() if begun and is_heard else None,
        laps=[_figures(lap, each, described, is_best=lap is best) for lap, each in zip(done, used, strict=True)],
        delta_s=None if best is None or begun is None else _delta_s(whole, begun, best),
        reference_lap=None if best is None else best.track,
        energy_per_lap=energy,
        laps_left=pace.laps_left(battery.value, energy) if battery.unit in USED_UP else None,
    )


def _begun(whole: Block, told: Sequence[Lap]) -> datetime | None:
    """When the lap under way began."""
    if told:
        return told[-1].started_at
    return instant(int(whole.time_us[0])) if len(whole) else None


def _delta_s(whole: Block, begun: datetime, best: Lap) -> float | None:
    reference = pace.way(whole, us(best.started_at), us(best.ended_at) + 1)  # with the reading that ends it
    return pace.delta_s(pace.way(whole, us(begun), int(whole.time_us[-1]) + 1), reference)


def _quantity(whole: Block, name: str, described: channels.Channels) -> Quantity:
    value, said = pace.last_of(whole, name), described.get(name, Description())
    return Quantity(value=None if value is None else said.shown(value), unit=said.unit)


def _scaled(amount: float | None, said: Description | None) -> float | None:
    """A difference as it is shown: an offset falls out of it."""
    return amount if amount is None or said is None else amount * said.scale


def _figures(lap: Lap, used: float | None, described: channels.Channels, *, is_best: bool) -> LapFigures:
    return LapFigures(
        lap=lap.track,
        started_at=lap.started_at,
        time_s=lap.time_s,
        distance=_scaled(lap.distance, described.get(DISTANCE)),
        energy=_scaled(used, described.get(BATTERY)),
        is_best=is_best,
    )
