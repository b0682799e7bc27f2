"""From a line of a file to a reading as `POST /api/v1/readings` takes it; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from releve.protocol.clock import SMALLEST_EPOCH
from releve.protocol.column import EXPORTED, channel
from releve.protocol.identity import EXACT
from releve.protocol.problem import BadReading
from releve.protocol.reading import INTEGER_LIMIT, type_names

TIMES = ("time", "timestamp")
_NOT_CHANNELS = frozenset({"received", "sent"})


@dataclass(frozen=True)
class Rules:
    """How the columns of a file are meant.

    Attributes:
        time_column: The column of the time, None for `time` or `timestamp`.
        names: New names of columns.
    """

    time_column: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


def reading_of(values: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """One reading.

    >>> reading_of({"date": "2026-01-01T00:00Z", "v": 3.5, "w": None}, Rules("date", {"v": "speed"}))
    {'time': '2026-01-01T00:00Z', 'channels': {'speed': 3.5}}

    Raises:
        BadReading: It has no time, or a value that no channel can have.
    """
    is_ours = values.keys() >= EXPORTED and rules.time_column in {None, "time"}
    columns = {rules.names.get(name, name): value for name, value in values.items() if value is not None}
    column = _time_column(columns, rules)
    reading: dict[str, Any] = {"time": _dated(columns.pop(column), column)}
    if (own_id := columns.pop("id", None)) is not None:
        reading["id"] = f"{EXACT}{own_id}" if is_ours else _key(own_id)
    if is_ours:
        if (sent := columns.get("sent")) is not None:
            reading["sent"] = str(sent)
        columns = {name: value for name, value in columns.items() if name not in _NOT_CHANNELS}
    channels = _channels(columns, rules)
    return {**reading, "channels": {name: _settled(value) for name, value in channels.items()} if is_ours else channels}


def _time_column(columns: Mapping[str, Any], rules: Rules) -> str:
    wished = [rules.names.get(rules.time_column, rules.time_column)] if rules.time_column else TIMES
    for name in wished:
        if name in columns:
            return name
    raise BadReading("is required: history without a time cannot be told from history sent twice", field=wished[0])


def _dated(time: Any, column: str) -> Any:
    is_number = type(time) in {int, float}
    if type(time) is not str and not is_number:
        raise BadReading(f"must be a time, not {type_names.get(type(time), 'that')}", field=column)
    if is_number and time < SMALLEST_EPOCH:
        raise BadReading("counts from the device's boot or lies before 2000; history needs a date", field=column)
    return time


def _key(own_id: Any) -> str:
    return str(own_id)


def _channels(columns: dict[str, Any], rules: Rules) -> dict[str, Any]:
    nested = columns.pop("channels", None)
    if nested is None:
        return {channel(name): value for name, value in columns.items()}
    if type(nested) is not dict:
        raise BadReading("must be an object", field="channels")
    if columns:
        raise BadReading("stands beside `channels`; put it inside", field=next(iter(columns)))
    return {rules.names.get(name, name): value for name, value in nested.items()}


def _settled(value: Any) -> Any:
    """A float that the database wrote without its exponent is a float again."""
    return float(value) if type(value) is int and abs(value) > INTEGER_LIMIT else value
