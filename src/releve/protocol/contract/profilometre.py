"""Contract C: a profilometre's or a phone's reading, naive timestamps in the device's own zone, or its uptime."""

from typing import Any

from releve.protocol.contract.generic import message_id
from releve.protocol.layout import Layouts
from releve.protocol.reading import Draft, number

_MEASURED = ("temperature", "humidite", "accelerometre")


def _judge(fields: dict[str, Any]) -> None:
    for name in _MEASURED:
        if fields.get(name) is not None:
            number(fields, name)


_layouts = Layouts(_judge)


def read(fields: dict[str, Any], escaped_nul: bool) -> Draft:  # noqa: FBT001 - one signature for every contract
    """Read one object; a quantity that a sensor did not deliver may be left out or null.

    Raises:
        BadReading: A field is wrong, or nothing was measured.
    """
    sent, key = fields.pop("timestamp", None), message_id(fields)
    fields.pop("id", None)
    channels, layout = _layouts.take(fields, escaped_nul=escaped_nul)
    return Draft(channels=channels, layout=layout, sent=sent, key=key)
