"""An instant in a query string: ISO 8601, UTC where it names no zone, or an epoch number."""

from datetime import UTC
from typing import Any

from releve.protocol.clock import BadTimestamp, resolve
from releve.protocol.problem import BadRequest

LATEST_US = 253_402_300_799_000_000
_DIGITS = 19  # epoch nanoseconds


def instant_us(text: str, *, field: str) -> int:
    """The instant, microseconds since 1970.

    Args:
        text: As it was sent.
        field: The parameter's name.

    Raises:
        BadRequest: It is none.

    >>> instant_us("2026-06-01T12:00:00Z", field="from")
    1780315200000000
    """
    sent: Any = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else text.replace(" ", "+")
    try:
        instant = resolve(sent, zone=UTC, received_us=0)
    except BadTimestamp as error:
        raise BadRequest(str(error), field=field) from error
    if instant.count is not None or not 0 <= instant.time_us <= LATEST_US:
        raise BadRequest("must be an instant after 1970: ISO 8601, or an epoch number", field=field)
    return instant.time_us
