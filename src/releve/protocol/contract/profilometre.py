"""Contract C: a profilometre's or a phone's reading, naive timestamps in the device's own zone, or its uptime."""

from itertools import product
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from releve.protocol.channel import Layout
from releve.protocol.contract.generic import message_id
from releve.protocol.contract.typed import Number, Timestamp, decoder, encode
from releve.protocol.layout import Layouts
from releve.protocol.reading import Draft, number

_MEASURED = ("temperature", "humidite", "accelerometre")


def _judge(fields: dict[str, Any]) -> None:
    for name in _MEASURED:
        if fields.get(name) is not None:
            number(fields, name)


class Reading(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What most of them send. The channels stand in their canonical order, so that they need not be sorted."""

    accelerometre: Number | UnsetType = UNSET
    humidite: Number | UnsetType = UNSET
    temperature: Number | UnsetType = UNSET
    timestamp: Timestamp | UnsetType = UNSET


_layouts = Layouts(_judge)
_decode = decoder(Reading)
_typed = {  # by whether it holds each of what may be measured
    each: Layout({name: 0.0 for name, is_there in zip(_MEASURED, each, strict=True) if is_there})
    for each in product((True, False), repeat=len(_MEASURED))
    if any(each)
}
_MOST_QUOTES = 2 * len(_MEASURED) + 4  # around its names and the time


def read_typed(payload: bytes) -> Draft | None:
    """Read one payload of the usual kind; None for any other."""
    fields = _decode(payload) if payload.count(b'"') <= _MOST_QUOTES else None  # to find out by decoding costs more
    if fields is None:
        return None
    held = fields.temperature is not UNSET, fields.humidite is not UNSET, fields.accelerometre is not UNSET
    layout = _typed.get(held)
    if layout is None:
        return None
    sent = None if fields.timestamp is UNSET else fields.timestamp
    fields.timestamp = UNSET
    return Draft(content=encode(fields), layout=layout, sent=sent)


def read(fields: dict[str, Any], escaped_nul: bool) -> Draft:  # noqa: FBT001 - one signature for every contract
    """Read one object; a quantity that a sensor did not deliver may be left out or null.

    Raises:
        BadReading: A field is wrong, or nothing was measured.
    """
    sent, key = fields.pop("timestamp", None), message_id(fields)
    fields.pop("id", None)
    channels, layout = _layouts.take(fields, escaped_nul=escaped_nul)
    return Draft(channels=channels, layout=layout, sent=sent, key=key)
