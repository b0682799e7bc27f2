"""Contract A: a gym machine's reading, naive timestamps in UTC, the machine named by the reading itself."""

from typing import Any

from releve.protocol.contract.generic import message_id
from releve.protocol.layout import Layouts
from releve.protocol.problem import BadReading
from releve.protocol.reading import INTEGER_LIMIT, Draft, integer, number, type_names

_REQUIRED = (
    *("machine_id", "acceleration_x", "acceleration_y", "acceleration_z"),
    *("repetitions", "series_time", "rest_time"),
)
_WHOLE = ("machine_id", "repetitions")
_NOT_NEGATIVE = ("repetitions", "series_time", "rest_time")


def _judge(fields: dict[str, Any]) -> None:
    for name in _REQUIRED:
        number(fields, name)
    if fields.get("asymmetry") is not None:
        number(fields, "asymmetry")


_layouts = Layouts(_judge)


def read(fields: dict[str, Any], escaped_nul: bool) -> Draft:  # noqa: FBT001 - one signature for every contract
    """Read one object; `machine_id` stays a channel, so that a machine's readings are found by their content.

    Raises:
        BadReading: A field is missing or wrong.
    """
    sent, key = fields.pop("timestamp", None), message_id(fields)
    fields.pop("id", None)
    channels, layout = _layouts.take(fields, escaped_nul=escaped_nul)
    if sent is None:
        raise BadReading("is required: ISO 8601, in UTC when it names no zone", field="timestamp")
    if type(sent) is not str:
        raise BadReading(f"must be ISO 8601 text, not {type_names[type(sent)]}", field="timestamp")
    for name in _WHOLE:
        if type(channels[name]) is not int:
            channels[name] = integer(channels, name)
    for name in _NOT_NEGATIVE:
        if channels[name] < 0:
            number(channels, name, low=0)
    machine = channels["machine_id"]
    if abs(machine) > INTEGER_LIMIT:
        raise BadReading("integer beyond 2⁵³", field="machine_id")
    return Draft(channels=channels, layout=layout, sent=sent, key=key, machine=str(machine))
