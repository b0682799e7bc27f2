"""From a line of a file to a reading as `POST /api/v1/readings` takes it; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from releve.cli.importing.moment import Form, in_column
from releve.cli.importing.wish import Tall
from releve.protocol.clock import SMALLEST_EPOCH
from releve.protocol.column import EXPORTED, channel
from releve.protocol.identity import EXACT
from releve.protocol.problem import BadReading
from releve.protocol.reading import INTEGER_LIMIT, type_names

TIMES = ("time", "timestamp")
UNMEASURED = frozenset({"unavailable", "unknown", "nan", "na", "n/a", "null", "none"})  # as a tall table says it
_NOT_CHANNELS = frozenset({"received", "sent"})
_PLAIN = Form()


@dataclass(frozen=True)
class Rules:
    """How the columns of a file are meant.

    Attributes:
        time_column: The column of the time, None for `time` or `timestamp`.
        names: New names of columns; an empty one leaves the column out.
        date_column: The column of the date, where the time's holds none.
        form: How times are written.
        tall: The columns of a table that has one value a line.
        left_out: Columns that say nothing about a reading.
    """

    time_column: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    date_column: str | None = None
    form: Form = _PLAIN
    tall: Tall | None = None
    left_out: frozenset[str] = frozenset()

    @cached_property
    def times(self) -> tuple[str, ...]:
        """What the column of the time may be called in the file, the names of its own first."""
        return self._known(TIMES if self.time_column is None else (self.time_column,))

    @cached_property
    def dates(self) -> tuple[str, ...]:
        """What the column of the date may be called, where it has one of its own."""
        return () if self.date_column is None else self._known((self.date_column,))

    def _known(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return (*names, *(old for old, new in self.names.items() if new in names))


def reading_of(values: Mapping[str, Any], rules: Rules) -> dict[str, Any] | None:
    """One reading, None of a line that says that nothing was measured.

    >>> reading_of({"date": "2026-01-01T00:00Z", "v": 3.5, "w": None}, Rules("date", {"v": "speed"}))
    {'time': '2026-01-01T00:00Z', 'channels': {'speed': 3.5}}

    Raises:
        BadReading: It has no time, or a value that no channel can have.
    """
    columns = {name: value for name, value in values.items() if value is not None}
    if rules.tall is None and values.keys() >= EXPORTED and rules.time_column in {None, "time"}:
        return _exported(columns, rules)
    for name in rules.left_out:
        columns.pop(name, None)
    name, time = _taken(columns, rules.times)
    if rules.dates:
        time = f"{_taken(columns, rules.dates)[1]} {time}"
    time = _checked(in_column(rules.form, time, name), name)
    if rules.tall is not None:
        return _tall(columns, time, rules.tall, rules)
    columns = _renamed(columns, rules)
    own_id = columns.pop("id", None)
    channels = _channels(columns, rules)
    if not channels and len(values) > 1:  # it has columns, and nothing was measured in any
        return None
    return (
        {"time": time, "channels": channels}
        if own_id is None
        else {"time": time, "id": str(own_id), "channels": channels}
    )


def _exported(columns: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """A reading that Relevé exported, under its own identity."""
    reading = {"time": _checked(_taken(columns, ("time",))[1], "time")}
    if (own_id := columns.pop("id", None)) is not None:
        reading["id"] = f"{EXACT}{own_id}"
    if (sent := columns.get("sent")) is not None:
        reading["sent"] = str(sent)
    kept = {name: value for name, value in columns.items() if name not in _NOT_CHANNELS}
    channels = _channels(_renamed(kept, rules), rules)
    return {**reading, "channels": {name: _settled(value) for name, value in channels.items()}}


def _tall(columns: dict[str, Any], time: Any, tall: Tall, rules: Rules) -> dict[str, Any] | None:
    name = columns.pop(tall.name, None)
    if name is None:
        raise BadReading("is required: it names the channel", field=tall.name)
    value = columns.pop(tall.value, None)
    if value is None or (type(value) is str and value.casefold() in UNMEASURED):
        return None
    channels = _channels(_renamed({**columns, str(name): value}, rules), rules)
    return {"time": time, "channels": channels} if channels else None


def _renamed(columns: dict[str, Any], rules: Rules) -> dict[str, Any]:
    if not rules.names:
        return columns
    pairs = ((rules.names.get(name, name), value) for name, value in columns.items())
    return {name: value for name, value in pairs if name}


def _taken(columns: dict[str, Any], names: tuple[str, ...]) -> tuple[str, Any]:
    for name in names:
        if name in columns:
            return name, columns.pop(name)
    raise BadReading("is required: history without a time cannot be told from history sent twice", field=names[0])


def _checked(time: Any, column: str) -> Any:
    is_number = type(time) in {int, float}
    if type(time) is not str and not is_number:
        raise BadReading(f"must be a time, not {type_names.get(type(time), 'that')}", field=column)
    if is_number and time < SMALLEST_EPOCH:
        raise BadReading("counts from the device's boot or lies before 2000; history needs a date", field=column)
    return time


def _channels(columns: dict[str, Any], rules: Rules) -> dict[str, Any]:
    nested = columns.pop("channels", None)
    if nested is None:
        return {channel(name): value for name, value in columns.items()}
    if type(nested) is not dict:
        raise BadReading("must be an object", field="channels")
    if columns:
        raise BadReading("stands beside `channels`; put it inside", field=next(iter(columns)))
    return _renamed(nested, rules)


def _settled(value: Any) -> Any:
    """A float that the database wrote without its exponent is a float again."""
    return float(value) if type(value) is int and abs(value) > INTEGER_LIMIT else value
