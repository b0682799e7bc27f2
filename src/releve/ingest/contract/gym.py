"""Contract A: a gym machine's reading, naive timestamps in UTC, the machine named by the reading itself."""

from typing import Any

from releve.ingest.contract.generic import message_id
from releve.protocol.problem import BadReading
from releve.protocol.reading import Draft, integer, number, take_channels

_ACCELERATIONS = ("acceleration_x", "acceleration_y", "acceleration_z")
_NOT_CHANNELS = frozenset({"timestamp", "id"})
_MACHINE_LIMIT = 2**53


def read(fields: dict[str, Any], escaped_nul: bool) -> Draft:  # noqa: FBT001 - one signature for every contract
    """Read one object; `machine_id` stays a channel, so that a machine's readings are found by their content.

    Raises:
        BadReading: A field is missing or wrong.
    """
    machine = integer(fields, "machine_id")
    if abs(machine) > _MACHINE_LIMIT:
        raise BadReading("integer beyond 2⁵³", field="machine_id")
    if type(fields.get("timestamp")) is not str:
        raise BadReading("is required: ISO 8601, in UTC when it names no zone", field="timestamp")
    for name in _ACCELERATIONS:
        number(fields, name)
    repetitions = integer(fields, "repetitions", low=0)
    number(fields, "series_time", low=0)
    number(fields, "rest_time", low=0)
    if fields.get("asymmetry") is not None:
        number(fields, "asymmetry")
    channels = {name: value for name, value in fields.items() if name not in _NOT_CHANNELS}
    channels["machine_id"] = machine
    channels["repetitions"] = repetitions
    return Draft(
        channels=take_channels(channels, escaped_nul=escaped_nul),
        sent=fields["timestamp"],
        key=message_id(fields),
        machine=str(machine),
    )
