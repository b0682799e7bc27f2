"""The records of a machine, found again each time they are asked for, so that a correction takes one away."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from releve.control.families.series import Series

FEWEST = 5  # repetitions: whoever does one is always quick


@dataclass(frozen=True, kw_only=True)
class Record:
    """The best of something.

    Attributes:
        name: What.
        value: How much.
        unit: Of what; empty for a number of things.
        at: When the set began, None of a whole day.
        day: The day, where it is a record of one.
        run: The set's number, None of a whole day.
    """

    name: str
    value: float
    unit: str
    at: datetime | None = None
    day: date | None = None
    run: int | None = None


def records_of(found: Sequence[Series], zone: ZoneInfo) -> list[Record]:
    """The records that these sets hold; the earlier of two that are as good has it, as everywhere in sport.

    Args:
        found: Sets, in the order of time.
        zone: Whose days are counted.
    """
    told = [
        _of_a_set(found, "repetitions", "", lambda each: each.repetitions or None),
        _of_a_set(found, "set_time", "s", lambda each: each.time_s or None),
        _of_a_set(
            found, "best_tempo", "s", lambda each: each.tempo_s if each.repetitions >= FEWEST else None, low=True
        ),
        _of_a_set(found, "acceleration_peak", "m/s²", lambda each: each.acceleration_peak),
        _of_a_day(found, "repetitions_in_a_day", zone, lambda each: each.repetitions),
        _of_a_day(found, "sets_in_a_day", zone, lambda _: 1.0),
    ]
    return [record for record in told if record is not None]


def _steady_tempo_s(each: Series) -> float | None:
    return each.tempo_s if each.repetitions >= FEWEST else None


def _of_a_set(
    found: Iterable[Series], name: str, unit: str, value: Callable[[Series], float | None], *, low: bool = False
) -> Record | None:
    measured = [(each, amount) for each in found if (amount := value(each)) is not None]
    if not measured:
        return None
    best, amount = (min if low else max)(measured, key=lambda pair: pair[1])
    return Record(name=name, value=amount, unit=unit, at=best.started_at, run=best.run)


def _of_a_day(found: Iterable[Series], name: str, zone: ZoneInfo, value: Callable[[Series], float]) -> Record | None:
    days: dict[date, float] = {}
    for each in found:
        day = each.started_at.astimezone(zone).date()
        days[day] = days.get(day, 0.0) + value(each)
    best = max(days, key=lambda day: days[day], default=None)
    return None if best is None or not days[best] else Record(name=name, value=days[best], unit="", day=best)
