"""A profilometre's captures as a surveyor sees them: the figures of one, and its strip by time or by distance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db.models import QuerySet

from releve.control.accounts.models import Account
from releve.control.fleet import channels
from releve.control.fleet.models import Device
from releve.control.fleet.queries import devices_of
from releve.control.runs import columns
from releve.control.runs.columns import instant
from releve.control.runs.models import HandStatistic, Kind, Run
from releve.control.teams.queries import teams_of
from releve.history.block import Block
from releve.history.conversion import conversions_of, converted
from releve.history.pace import last_of
from releve.history.stretch import CHANNELS, DISTANCE, SECOND_US, Along, Stretch, Stretches, width_for
from releve.history.summary import Summary
from releve.protocol.contract import PROFILOMETRE
from releve.protocol.described import Description
from releve.protocol.run import capture

LISTED: Final = 50


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A capture as it stands.

    Attributes:
        run: Which.
        first: Its first reading that counts.
        last: Its last one so far.
        n: How many.
        latest: By channel its latest number.
        units: By channel its unit, empty where nobody declared one.
        statistics: RMS and peak of the profile, lowest and highest temperature and humidity.
        length: The distance from the first reading to the last, None where none is told.
    """

    run: Run
    first: datetime | None
    last: datetime | None
    n: int
    latest: dict[str, float | None]
    units: dict[str, str]
    statistics: dict[str, float]
    length: float | None


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A capture in stretches.

    Attributes:
        along: What it is cut by.
        width: Of a stretch, in seconds or in the unit of the distance.
        units: By channel its unit.
        stretches: Those that have readings, in order.
        is_cut_off: Whether there are more than can be told.
    """

    along: Along
    width: float
    units: dict[str, str]
    stretches: list[Stretch]
    is_cut_off: bool


def profilometres_of(account: Account) -> QuerySet[Device]:
    """The profilometres of the account's teams."""
    return devices_of(account).filter(contract=PROFILOMETRE.name)


def captures_of(account: Account, device: Device) -> QuerySet[Run]:
    """A device's captures that are the account's to see, the newest first."""
    found = Run.objects.filter(device=device, kind=Kind.CAPTURE, team__in=teams_of(account), deleted_at=None)
    return found.select_related("device", "team").order_by("-started_at", "-id")


def latest_of(account: Account, devices: list[Device]) -> dict[int, Run]:
    """By the device's number its latest capture."""
    found = Run.objects.filter(device__in=devices, kind=Kind.CAPTURE, team__in=teams_of(account), deleted_at=None)
    latest = found.order_by("device", "-started_at", "-id").distinct("device")
    return {run.device_id: run for run in latest if run.device_id is not None}


def figures_of(run: Run) -> Figures:
    """The capture as it stands, from every reading that counts at this moment."""
    summary = Summary()
    latest: dict[str, float | None] = dict.fromkeys(CHANNELS)
    described = _described(run)
    for block in _shown(run, described):
        summary.add(block)
        latest |= {name: value for name in CHANNELS if (value := last_of(block, name)) is not None}
    told, gaps = summary.channels.answer(), summary.gaps
    by_hand = HandStatistic.objects.filter(run=run).values_list("values", flat=True).first() or {}
    distance = told.get(DISTANCE)
    return Figures(
        run=run,
        first=None if gaps.first_us is None else instant(gaps.first_us),
        last=None if gaps.last_us is None else instant(gaps.last_us),
        n=gaps.n,
        latest=latest,
        units=_units(described),
        statistics={**capture.statistics(told), **by_hand},
        length=None if distance is None else abs(distance.last - distance.first),
    )


def strip_of(run: Run, along: Along, width: float | None) -> Strip:
    """The capture in stretches.

    Args:
        run: Which.
        along: What it is cut by.
        width: Of a stretch; None for a round one that a screen shows well.
    """
    described = _described(run)
    wanted = width or width_for(_length(run, along, described), along)
    found = Stretches(wanted, along)
    for block in _shown(run, described):
        found.add(block)
    return Strip(
        along=along,
        width=wanted,
        units=_units(described),
        stretches=found.answer(),
        is_cut_off=found.is_cut_off,
    )


def _length(run: Run, along: Along, described: Mapping[str, Description]) -> float:
    """How long the capture is, in what it is cut by."""
    return _seconds(run) if along == Along.TIME else _way(run) * abs(described[DISTANCE].scale)


def _seconds(run: Run) -> float:
    times = [block.time_us for block in columns.counted(run, ())]
    return float(times[-1][-1] - times[0][0]) / SECOND_US if times else 0.0


def _way(run: Run) -> float:
    ends: list[float] = []
    for block in columns.counted(run, (DISTANCE,)):
        numbers = block.column(DISTANCE).numbers
        told = numbers[~np.isnan(numbers)]
        if len(told):
            ends += [float(told.min()), float(told.max())]
    return max(ends) - min(ends) if ends else 0.0


def _described(run: Run) -> channels.Channels:
    if run.device is None:
        return {name: Description() for name in CHANNELS}
    return channels.describe(run.device, CHANNELS, team=run.team)


def _shown(run: Run, described: Mapping[str, Description]) -> Iterator[Block]:
    """The run's readings that count, in the units that the team sees."""
    conversions = conversions_of(described)
    for block in columns.counted(run, CHANNELS):
        yield converted(block, conversions)


def _units(described: Mapping[str, Any]) -> dict[str, str]:
    return {name: described[name].unit for name in CHANNELS}
