"""What contract B's routes take beside numbers and ISO 8601: numbers as text, dates as in HTTP headers. Pure."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

TEXT_LIMIT = 64
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
