"""Our own reading: `{"time": …, "id": …, "channels": {…}}`, or the channels beside the time in one flat object."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from releve.protocol import waveform
from releve.protocol.contract.typed import Channels, Timestamp, decoder
from releve.protocol.identity import EXACT
from releve.protocol.layout import Layouts
from releve.protocol.problem import BadReading
from releve.protocol.reading import Draft, type_names

KEY_LIMIT = 256
_RESERVED = frozenset({"id", "device", "time", "timestamp", "channels"})
_layouts = Layouts()


class Reading(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A reading with nothing but channels and a time."""

    channels: Channels
    time: Timestamp | UnsetType = UNSET


_decode = decoder(Reading)


def read_typed(payload: bytes) -> Draft | None:
    """Read one payload of the usual kind, with channels that are no text and were sent before; None for any other."""
    fields = _decode(payload) if b'"channels"' in payload else None  # to find out by decoding costs more
    if fields is None:
        return None
    layout = _layouts.known(fields.channels)
    if layout is None or not layout.is_simple:
        return None
    if fields.time is UNSET:
        return Draft(channels=fields.channels, layout=layout)
    return Draft(channels=fields.channels, layout=layout, sent=fields.time, time_field="time")


def read(fields: dict[str, Any], escaped_nul: bool) -> Draft:  # noqa: FBT001 - one signature for every contract
    """Read one object.

    Raises:
        BadReading: A field is wrong.
    """
    channels, first_sent, run = fields.get("channels"), None, None
    if channels is None:
        channels = {name: value for name, value in fields.items() if name not in _RESERVED}
    elif type(channels) is not dict:
        raise BadReading(f"must be an object, not {type_names[type(channels)]}", field="channels")
    else:
        first_sent = _first_sent(fields)
        _refuse_strays(fields, channels)
    if "step_ms" in fields or "rate_hz" in fields:
        run = waveform.take(fields, channels)
    try:
        channels, layout = _layouts.take(channels, escaped_nul=escaped_nul)
    except BadReading as problem:
        if type(channels.get(problem.field or "")) is not list:
            raise
        raise BadReading(f"{problem.detail}; a waveform says `step_ms` or `rate_hz`", field=problem.field) from problem
    if run is not None:
        run.layout = _layouts.take({name: run.arrays[name][-1] for name in run.arrays}, escaped_nul=escaped_nul)[1]
    time_field = "time" if "time" in fields else "timestamp"
    if time_field == "time" and "timestamp" in fields:
        raise BadReading("stands beside `timestamp`; send one of the two", field="time")
    return Draft(
        channels=channels,
        layout=layout,
        sent=fields.get(time_field),
        time_field=time_field,
        key=message_id(fields),
        device=fields.get("device"),
        first_sent=first_sent,
        run=run,
    )


def message_id(fields: dict[str, Any]) -> str | None:
    """The sender's own message id.

    Raises:
        BadReading: It is neither text nor a whole number, or too long.
    """
    key = fields.get("id")
    if key is None:
        return None
    if type(key) is int:
        return str(key)
    if type(key) is not str or not 0 < len(key) <= KEY_LIMIT:
        raise BadReading(f"must be a whole number or text of 1 to {KEY_LIMIT} characters", field="id")
    return key


def _first_sent(fields: dict[str, Any]) -> str | None:
    """The timestamp that a reading from an export was sent with; beside any other reading `sent` is a stray."""
    sent, key = fields.get("sent"), fields.get("id")
    is_exported = type(key) is str and key.startswith(EXACT) and type(sent) is str and 0 < len(sent) <= KEY_LIMIT
    return str(fields.pop("sent")) if is_exported else None


def _refuse_strays(fields: dict[str, Any], channels: dict[str, Any]) -> None:
    for name in fields:
        if name not in _RESERVED and not (name in waveform.STEP and list in map(type, channels.values())):
            raise BadReading("stands beside `channels`; put it inside", field=name)
