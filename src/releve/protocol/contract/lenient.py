"""What contract B's routes take beside numbers and ISO 8601: numbers as text, dates as in HTTP headers. Pure."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from releve.protocol.problem import BadReading

TEXT_LIMIT = 64
LARGEST_ID = 2**63 - 1
_WHOLE = re.compile(r"([0-9]{1,20})(?:\.0{0,20})?\Z")  # cars write `12.00`
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\Z", re.ASCII)
_WEEKDAY_FIRST = re.compile(r"[A-Za-z]{3,9},? ", re.ASCII)  # as each of HTTP's three forms begins


def number_of(text: str) -> int | float | None:
    """The number that a text writes; None when it writes none.

    >>> number_of("18.5"), number_of(" 12 "), number_of("fast"), number_of("1_000"), number_of("nan")
    (18.5, 12, None, None, None)
    """
    written = text.strip()
    if len(written) > TEXT_LIMIT or not _NUMBER.match(written):
        return None
    is_whole = written.lstrip("+-").isdigit()
    return int(written) if is_whole else float(written)


def instant_of(text: str) -> datetime | None:
    """The instant that a date in the manner of RFC 9110, section 5.6.7 writes; None when it is none.

    >>> instant_of("Mon, 01 Jun 2026 12:00:00 GMT").isoformat()
    '2026-06-01T12:00:00+00:00'
    >>> instant_of("2026-06-01T12:00:00Z")
    """
    if len(text) > TEXT_LIMIT or not _WEEKDAY_FIRST.match(text):
        return None
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)  # `-0000` and asctime mean UTC


def whole(value: Any, field: str) -> int:
    """A number of a thing, as a number or as text.

    >>> whole("12", "race_id"), whole(12.0, "race_id"), whole("12.00", "race_id")
    (12, 12, 12)

    Raises:
        BadReading: It is neither.
    """
    if value is None:
        raise BadReading("is required", field=field)
    if type(value) is str and (written := _WHOLE.match(value)):
        value = int(written[1])
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or abs(value) > LARGEST_ID:
        raise BadReading("must be a whole number", field=field)
    return value
