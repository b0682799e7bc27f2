"""Times as people and instruments write them, made into what the server takes: ISO 8601, or an epoch number; pure."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Any

from dateutil import parser

from releve.protocol import cell
from releve.protocol.problem import BadReading

DAY_FIRST, MONTH_FIRST, EXCEL = "day-first", "month-first", "excel"
SAY_ORDER = f"say --time-format {DAY_FIRST} or --time-format {MONTH_FIRST}"
_MONTHS = 12
_CENTURY = 2000
_EXCEL_START = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's times have no zone
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d\S*")
_ZONE = r"(?P<zone>Z|(?:UTC|GMT)?\s?[+-]\d{1,2}(?::?\d\d)?|UTC|GMT|[A-Z]{2,5})?"
_CLOCK = (
    r"(?P<hour>\d{1,2})[:hH](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,:](?P<fraction>\d{1,9}))?)?"
    r"\s?(?P<half>[AaPp]\.?[Mm]\.?)?\s*" + _ZONE
)
_DATE = (
    r"(?P<a>\d{4}|\d{1,2}(?=[./-]\d{1,2}[./-](?:\d{4}|\d\d)(?!\d)))"  # a year has no single digit
    r"(?P<sign>[./-])(?P<b>\d{1,2})(?P=sign)(?P<c>\d{4}|\d{1,2})"
)
_NUMERIC = re.compile(rf"{_DATE}(?:(?:\s+(?:à\s+)?|,\s*|[Tt]){_CLOCK})?")
_ONLY_TIME = re.compile(_CLOCK)
_COMPACT = range(20_000_101_000_000, 21_000_101_000_000)  # 20260601120000; as milliseconds that is the 27th century
_DASHED = re.compile(r"^\d{4}-?\d\d-?\d\d[Tt ]")
_WORDED = re.compile(r"\d\D.*[^\W\d_]{3}|[^\W\d_]{3}.*\d\D.*\d")
_OFFSET = re.compile(r"(?:UTC|GMT)?\s?([+-])(\d{1,2})(?::?(\d\d))?")
_JAVA = re.compile(r"\b(?:GMT|UTC)([+-]\d{1,2}:?\d\d)\b")  # GMT+02:00 is two hours ahead, not POSIX's two behind
_ZONES = {"Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3}


class BadMoment(ValueError):
    """A text is no time, or one that may be two."""


class _Words(parser.parserinfo):  # type: ignore[misc] # dateutil says no types
    """English and French names."""

    JUMP = [*parser.parserinfo.JUMP, "à", "le", "h"]  # noqa: RUF012 - dateutil's own way
    WEEKDAYS = [  # noqa: RUF012 - dateutil's own way
        ("Mon", "Monday", "lun", "lundi"), ("Tue", "Tuesday", "mardi"), ("Wed", "Wednesday", "mer", "mercredi"),
        ("Thu", "Thursday", "jeu", "jeudi"), ("Fri", "Friday", "ven", "vendredi"), ("Sat", "Saturday", "sam", "samedi"),
        ("Sun", "Sunday", "dim", "dimanche"),
    ]  # fmt: skip
    MONTHS = [  # noqa: RUF012 - dateutil's own way
        ("Jan", "January", "janv", "janvier"), ("Feb", "February", "févr", "février", "fev", "fevrier"),
        ("Mar", "March", "mars"), ("Apr", "April", "avr", "avril"), ("May", "mai"), ("Jun", "June", "juin"),
        ("Jul", "July", "juil", "juillet"), ("Aug", "August", "août", "aout"),
        ("Sep", "Sept", "September", "septembre"), ("Oct", "October", "octobre"), ("Nov", "November", "novembre"),
        ("Dec", "December", "déc", "décembre", "decembre"),
    ]  # fmt: skip


class Form:
    """How the times of one file are written.

    Args:
        name: `day-first`, `month-first`, `excel`, a format of `strptime`, or None for what says itself.
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        self._read = self._by_days if name == EXCEL else self._by_pattern if name and "%" in name else self._by_itself

    def read(self, value: Any) -> Any:
        """What the server takes for a time: ISO 8601, or the number that stands there.

        Raises:
            BadMoment: It is none, or may be two.
        """
        return self._read(value)

    def _by_itself(self, value: Any) -> Any:
        if type(value) is not str:
            return _compact(value) if type(value) is int and value in _COMPACT else value
        if _ISO.fullmatch(value) and _iso_moment(value) is not None:
            return value
        text = value.strip()
        if cell.NUMBER.fullmatch(text):
            return self._by_itself(cell.read(text[: cell.NUMBER_LENGTH]))
        if numeric := _NUMERIC.fullmatch(text):
            return _iso(_from_parts(numeric, self.name))
        return _iso(_iso_moment(text) or _from_words(text, self.name))

    def _by_pattern(self, value: Any) -> Any:
        try:
            return _iso(datetime.strptime(str(value).strip(), str(self.name)))  # noqa: DTZ007 - its zone is the device's
        except ValueError as error:
            raise BadMoment(f"is not written as {self.name}") from error

    def _by_days(self, value: Any) -> Any:
        """A spreadsheet's own number of days; its doubles keep no more than milliseconds."""
        try:
            return _iso(_EXCEL_START + timedelta(milliseconds=round(float(value) * 86_400_000)))
        except (TypeError, ValueError) as error:
            raise BadMoment("is no number of days") from error


def hint(value: Any) -> str | None:
    """Which order of day and month a time shows, None where it shows none.

    >>> hint("13/06/2026 12:00"), hint("06/13/2026"), hint("01.06.2026"), hint("01/06/2026"), hint("2026/06/01")
    ('day-first', 'month-first', 'day-first', None, None)
    """
    found = _NUMERIC.fullmatch(value.strip()) if type(value) is str else None
    if found is None or len(found["a"]) > len("31"):
        return None
    first, second = int(found["a"]), int(found["b"])
    if first > _MONTHS or found["sign"] == ".":
        return DAY_FIRST
    return MONTH_FIRST if second > _MONTHS else None


def needs_hint(value: Any) -> bool:
    """Whether a time can be read only by who knows the order of day and month.

    >>> needs_hint("01/06/2026 12:00"), needs_hint("2026/06/01 12:00"), needs_hint("1 June 2026 12:00")
    (True, False, False)
    """
    found = _NUMERIC.fullmatch(value.strip()) if type(value) is str else None
    return found is not None and len(found["a"]) <= len("31")


def is_time(value: Any) -> bool:
    """Whether a text is a time in some form; the order of day and month does not matter.

    >>> is_time("01/06/2026 12:00:00"), is_time("Mon Jun 01 14:00:00 GMT+02:00 2026"), is_time("lap 3"), is_time("12.5")
    (True, True, False, False)
    """
    if type(value) is not str or not any(map(str.isdigit, value)):
        return False
    text = value.strip()
    if _NUMERIC.fullmatch(text) or (_DASHED.search(text) and _iso_moment(text) is not None):
        return True
    if not _WORDED.search(text):
        return False
    try:
        _from_words(text, DAY_FIRST)
    except BadMoment:
        return False
    return True


def is_time_of_day(value: Any) -> bool:
    """Whether a text is a time without its date.

    >>> is_time_of_day("12:00:01.5"), is_time_of_day("2026-06-01 12:00")
    (True, False)
    """
    return type(value) is str and _ONLY_TIME.fullmatch(value.strip()) is not None


def in_column(form: Form, value: Any, column: str) -> Any:
    """What the server takes for the time in a column.

    Raises:
        BadReading: It cannot be read; the field is the column.
    """
    try:
        return form.read(value)
    except (BadMoment, OverflowError) as error:
        raise BadReading(f"{str(value)[:60]!r} {error}", field=column) from error


def _iso_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _compact(number: int) -> str:
    try:
        return _iso(datetime.strptime(str(number), "%Y%m%d%H%M%S"))  # noqa: DTZ007 - its zone is the device's
    except ValueError as error:
        raise BadMoment(f"is no time: {error}") from error


def _from_parts(found: re.Match[str], order: str | None) -> datetime:
    first, second, third = int(found["a"]), int(found["b"]), int(found["c"])
    if len(found["a"]) > len("31"):
        year, month, day = first, second, third
    else:
        if order is None:
            order = hint(found[0])
        if order is None:
            raise BadMoment(f"may begin with the day or with the month; {SAY_ORDER}")
        day, month = (first, second) if order == DAY_FIRST else (second, first)
        year = third if len(found["c"]) > len("99") else third + _CENTURY
    hour = int(found["hour"] or 0)
    if half := found["half"]:
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    zone = _zone(found["zone"])
    micros = int((found["fraction"] or "0").ljust(6, "0")[:6])
    try:
        return datetime(year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0), micros, zone)
    except ValueError as error:
        raise BadMoment(f"is no time: {error}") from error


@cache
def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if offset := _OFFSET.fullmatch(text):
        delta = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(-delta if offset[1] == "-" else delta)
    if text in _ZONES:
        return timezone(timedelta(hours=_ZONES[text])) if _ZONES[text] else UTC
    raise BadMoment(f"names the zone {text}, which several places use; write the offset from UTC")


def _from_words(text: str, order: str | None) -> datetime:
    """By dateutil; read twice, so that neither the present day nor an order that nobody named slips in.

    What is missing is filled from two days, a fortnight apart so that the name of a weekday does not make them one.
    """
    plain = _JAVA.sub(r"\1", text)
    try:
        one = _parsed(plain, datetime(2000, 1, 1), is_day_first=order != MONTH_FIRST)  # noqa: DTZ001 - fills gaps only
        other = _parsed(plain, datetime(2004, 3, 15), is_day_first=order == DAY_FIRST)  # noqa: DTZ001 - see above
    except BadMoment:
        raise
    except (ValueError, OverflowError, TypeError, AttributeError) as error:
        raise BadMoment("is no time that can be read; say how it is written with --time-format") from error
    if one != other:
        raise BadMoment(f"has no whole date, or one whose order is open; {SAY_ORDER}")
    return one


def _parsed(text: str, default: datetime, *, is_day_first: bool) -> datetime:
    moment = parser.parse(text, parserinfo=_words(), default=default, tzinfos=_named_zone, dayfirst=is_day_first)
    if not isinstance(moment, datetime):
        raise TypeError(text)
    return moment


def _named_zone(name: str | None, offset_s: int | None) -> tzinfo | None:
    return timezone(timedelta(seconds=offset_s)) if offset_s is not None else _zone(name)


@cache
def _words() -> parser.parserinfo:
    return _Words()


def _iso(moment: datetime) -> str:
    text = moment.isoformat(sep=" ")
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text
