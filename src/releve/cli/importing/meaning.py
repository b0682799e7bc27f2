"""Which column is the time, how it is written, and what else the lines of a file of history mean."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from releve.cli.importing import moment
from releve.cli.importing.layout import TIMES
from releve.cli.importing.line import BadFile, Line, Source
from releve.cli.importing.moment import DAY_FIRST, MONTH_FIRST, Form
from releve.cli.importing.reading import Rules
from releve.cli.importing.wish import ANNOTATED, Wishes
from releve.protocol.clock import SMALLEST_EPOCH
from releve.protocol.column import EXPORTED

SAMPLE = 1_000
_QUERY = frozenset({"result", "table", "_start", "_stop"})  # of an annotated file: about the query, not the reading
_DATES = frozenset({"date", "jour", "day", "datum"})
_CLOCKS = frozenset({"time", "heure", "hour", "zeit", "uhrzeit", "time of day"})
_MOST = 0.6  # of the sampled lines


def meaning_of(source: Source, wishes: Wishes) -> Rules:
    """What the lines of a file mean.

    Raises:
        BadFile: A column that was named is not there, no column is a time, or the order of day and month is open.
    """
    sample = [line.values for line in source.first(SAMPLE) if line.problem is None]
    columns = list(source.columns or dict.fromkeys(name for values in sample for name in values))
    _refuse_unknown(columns, wishes, is_fixed=source.columns is not None)
    if set(columns) >= EXPORTED and wishes.time_column in {None, "time"} and wishes.tall is None:
        return Rules(names=wishes.names)
    tall = wishes.tall_of(columns)
    date, time = (None, tall.time) if tall else _time_columns(columns, sample, wishes)
    if time is None and source.columns is not None:
        raise BadFile(f"no column is a time; there are {', '.join(columns)}. Name it with --time-column")
    form = _form(source, sample, wishes, date or time)
    if source.columns is None and time in {"time", "timestamp"} and wishes.time_column is None:
        time = None  # each line says which of the two it has
    is_query = tall == ANNOTATED
    left_out = frozenset(name for name in columns if is_query and name in _QUERY)
    return Rules(time, wishes.names, date, form, tall, left_out)


def _refuse_unknown(columns: Sequence[str], wishes: Wishes, *, is_fixed: bool) -> None:
    """A column that was named and is not there is a slip, where every line has the same columns."""
    if not is_fixed:
        return
    tall = (wishes.tall.name, wishes.tall.value, wishes.tall.time) if wishes.tall else ()
    for option, name in (
        ("--time-column", wishes.time_column),
        ("--date-column", wishes.date_column),
        *(("--tall", name) for name in tall),
        *(("--rename", name) for name in wishes.names),
    ):
        if name is not None and name not in columns and not _is_new_name(name, option, wishes):
            raise BadFile(f"{option}: there is no column {name!r}; there are {', '.join(columns)}")


def _is_new_name(name: str, option: str, wishes: Wishes) -> bool:
    return option != "--rename" and name in wishes.names.values()


def _time_columns(
    columns: Sequence[str], sample: Sequence[Mapping[str, Any]], wishes: Wishes
) -> tuple[str | None, str | None]:
    """The columns of the date, where it has one of its own, and of the time."""
    by_name = {name.casefold(): name for name in reversed(columns)}
    if wishes.time_column is not None:
        return wishes.date_column, wishes.time_column
    clock = next((by_name[name] for name in by_name if name in _CLOCKS), None)
    if wishes.date_column is not None:
        if clock is None:
            raise BadFile(
                f"no column is the time of day for the date in {wishes.date_column}; name it with --time-column"
            )
        return wishes.date_column, clock
    date = next((by_name[name] for name in by_name if name in _DATES), None)
    if date and clock and _most(moment.is_time_of_day, sample, clock):
        return date, clock
    named = [by_name[name] for name in TIMES if name in by_name]
    best = next((name for name in named if _most(_is_instant, sample, name)), None)
    return None, best or next(iter(named), None) or next(
        (name for name in columns if _most(moment.is_time, sample, name)), None
    )


def _is_instant(value: Any) -> bool:
    return moment.is_time(value) or (type(value) in {int, float} and value >= SMALLEST_EPOCH)


def _most(is_so: Any, sample: Sequence[Mapping[str, Any]], column: str) -> bool:
    values = [values[column] for values in sample if values.get(column) is not None]
    return bool(values) and sum(map(is_so, values)) >= _MOST * len(values)


def _form(source: Source, sample: Sequence[Mapping[str, Any]], wishes: Wishes, column: str | None) -> Form:
    if wishes.time_format is not None or column is None:
        return Form(wishes.time_format)
    written = [values[column] for values in sample if column in values]
    if not any(map(moment.needs_hint, written)):
        return Form()
    hints = _hints(source.lines, column)
    if len(hints) > 1:
        (first, one), (second, other) = hints.values()
        raise BadFile(
            f"{column}: line {first} has {one!r} and line {second} {other!r}, so the day stands first in one and the "
            f"month in the other; {moment.SAY_ORDER}, and the other lines are refused"
        )
    if not hints:
        example = next(value for value in written if moment.needs_hint(value))
        raise BadFile(
            f"{column}: {example!r} may begin with the day or with the month, and no line of the file tells; "
            f"{moment.SAY_ORDER}"
        )
    return Form(next(iter(hints)))


def _hints(lines: Iterable[Line], column: str) -> dict[str, tuple[int, str]]:
    """For each order of day and month the first line that shows it, of the whole file."""
    found: dict[str, tuple[int, str]] = {}
    for line in lines:
        value = line.values.get(column)
        order = moment.hint(value)
        if order is not None and order not in found:
            found[order] = line.number, str(value)
            if len(found) == len({DAY_FIRST, MONTH_FIRST}):
                break
    return found
