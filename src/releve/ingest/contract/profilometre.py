"""Contract C: a profilometre's or a phone's reading, naive timestamps in the device's own zone, or its uptime."""

from typing import Any

from releve.ingest.contract.generic import message_id
from releve.protocol.reading import Draft, number, take_channels

_MEASURED = ("temperature", "humidite", "accelerometre")
_NOT_CHANNELS = frozenset({"timestamp", "id"})


def read(fields: dict[str, Any], escaped_nul: bool) -> Draft:  # noqa: FBT001 - one signature for every contract
    """Read one object; a quantity that a sensor did not deliver may be left out or null.

    Raises:
        BadReading: A field is wrong, or nothing was measured.
    """
    for name in _MEASURED:
        if fields.get(name) is not None:
            number(fields, name)
    channels = {name: value for name, value in fields.items() if name not in _NOT_CHANNELS}
    return Draft(
        channels=take_channels(channels, escaped_nul=escaped_nul),
        sent=fields.get("timestamp"),
        key=message_id(fields),
    )
