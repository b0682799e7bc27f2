"""Contract A: a gym machine's reading, naive timestamps in UTC, the machine named by the reading itself."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from releve.protocol.channel import Layout
from releve.protocol.contract.generic import message_id
from releve.protocol.contract.typed import Count, Elapsed, Number, Whole, decoder, encode
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


class Reading(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What most machines send. The channels stand in their canonical order, so that they need not be sorted."""

    acceleration_x: Number
    acceleration_y: Number
    acceleration_z: Number
    asymmetry: Number | UnsetType = UNSET
    machine_id: Whole
    repetitions: Count
    rest_time: Elapsed
    series_time: Elapsed
    timestamp: str | UnsetType


_layouts = Layouts(_judge)
_decode = decoder(Reading)
_QUOTES = frozenset({2 * len(_REQUIRED) + 4, 2 * len(_REQUIRED) + 6})  # around its names and the time
_symmetric = Layout(dict.fromkeys(_REQUIRED, 0.0))
_asymmetric = Layout(dict.fromkeys((*_REQUIRED, "asymmetry"), 0.0))


def read_typed(payload: bytes) -> Draft | None:
    """Read one payload of the usual kind; None for any other."""
    fields = _decode(payload) if payload.count(b'"') in _QUOTES else None  # to find out by decoding costs more
    if fields is None:
        return None
    sent, fields.timestamp = fields.timestamp, UNSET
    return Draft(
        content=encode(fields),
        layout=_symmetric if fields.asymmetry is UNSET else _asymmetric,
        sent=sent,
        machine=str(fields.machine_id),
    )


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
