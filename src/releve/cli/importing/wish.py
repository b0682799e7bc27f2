"""What somebody says about a file of history, so that it need not be found out."""

import codecs
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime

from releve.cli.importing.moment import DAY_FIRST, EXCEL, MONTH_FIRST

SEPARATORS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
FORMS = (DAY_FIRST, MONTH_FIRST, EXCEL)
DECIMALS = {"comma": ",", "point": ".", ",": ",", ".": "."}


@dataclass(frozen=True)
class Tall:
    """The columns of a table that has one value a line.

    Attributes:
        name: The column that names the channel.
        value: The column of its value.
        time: The column of the time.
    """

    name: str
    value: str
    time: str


ANNOTATED = Tall("_field", "_value", "_time")
KNOWN_TALL = (Tall("entity_id", "state", "last_changed"), ANNOTATED)


@dataclass(frozen=True)
class Wishes:
    """Each None where it is to be found out.

    Attributes:
        separator: The character between two cells.
        decimal: The decimal sign: a point or a comma.
        encoding: Python's name of the encoding.
        skip: How many lines stand before the one that names the columns.
        time_format: How times are written: see `moment.Form`.
        time_column: The column of the time.
        date_column: The column of the date, where the time's has none.
        names: New names of columns; an empty one leaves the column out.
        tall: The columns of a table that has one value a line.
    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    skip: int | None = None
    time_format: str | None = None
    time_column: str | None = None
    date_column: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    tall: Tall | None = None

    def tall_of(self, columns: Collection[str]) -> Tall | None:
        """The columns of a table that has one value a line, as they were named or as programs call them."""
        known = (each for each in KNOWN_TALL if {each.name, each.value, each.time} <= set(columns))
        return self.tall or next(known, None)

    @property
    def of_csv(self) -> list[str]:
        """The options that say something about a CSV file and nothing about another."""
        named = {"--separator": self.separator, "--decimal": self.decimal, "--skip": self.skip}
        return [option for option, value in named.items() if value is not None]


def separator(text: str) -> str:
    r"""The character that somebody names.

    >>> separator(";"), separator("tab")
    (';', '\t')

    Raises:
        ValueError: It is not one character.
    """
    found = SEPARATORS.get(text, text)
    if len(found) != 1 or found in "\"'\r\n" or found.isalnum():
        raise ValueError(f"{text!r} is no separator; give one character, or comma, semicolon, tab, pipe")
    return found


def encoding(text: str) -> str:
    """Python's name of an encoding.

    >>> encoding("Windows-1252"), encoding("UTF8")
    ('cp1252', 'utf-8')

    Raises:
        ValueError: Python has no such encoding of text.
    """
    try:
        found = codecs.lookup(text)
        "".encode(found.name)
    except LookupError as error:
        raise ValueError(f"{text!r} is no encoding; utf-8, utf-16 and cp1252 are some") from error
    return found.name


def tall(text: str) -> Tall:
    """The three columns that somebody names.

    >>> tall("entity_id,state,last_changed").value
    'state'

    Raises:
        ValueError: They are not three.
    """
    names = [name.strip() for name in text.split(",")]
    if len(names) != len(fields(Tall)) or not all(names):
        raise ValueError(f"{text!r} is not NAME,VALUE,TIME")
    return Tall(*names)


def time_format(text: str) -> str:
    """How times are written.

    >>> time_format("day-first"), time_format("%d.%m.%Y %H:%M")
    ('day-first', '%d.%m.%Y %H:%M')

    Raises:
        ValueError: It is no form that is known, or a pattern without a date.
    """
    if text in FORMS:
        return text
    try:
        written = datetime(2026, 5, 17, 13, 14, 15, tzinfo=UTC).strftime(text)
        datetime.strptime(written, text)  # noqa: DTZ007 - the zone does not matter
    except ValueError as error:
        raise ValueError(f"{text!r} is no pattern of strptime: {error}") from error
    if "%" not in text:
        raise ValueError(f"{text!r} is none of {', '.join(FORMS)} and no pattern such as '%d.%m.%Y %H:%M'")
    return text
