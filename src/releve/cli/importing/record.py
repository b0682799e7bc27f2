"""From the lines of a CSV file to its records: a cell in quotes may hold line breaks, but not the file; pure."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from releve.cli.importing import moment
from releve.protocol import cell
from releve.protocol.reading import TEXT_LIMIT

LINES = 100  # that a cell in quotes may go on for
UNCLOSED = f"a quote in it is not closed within {TEXT_LIMIT} characters and before the next reading"
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


@dataclass(frozen=True, slots=True)
class Record:
    """What stands between two line ends that are in no quotes.

    Attributes:
        number: The number of its first line, from 1.
        cells: Its cells.
        end: The number of its last line.
        problem: Why it cannot be read; None where it can.
    """

    number: int
    cells: list[str]
    end: int
    problem: str | None = None


class Records:
    """The records of a file; lines with nothing in them are left out.

    Args:
        lines: The lines, with their ends.
        separator: What stands between two cells.
        first: The number of the first of them.

    Attributes:
        width: How many cells a record has; None where that is not known yet.
        time: The place of the time among them; None where that is not known.
    """

    def __init__(self, lines: Iterable[str], separator: str, *, first: int = 1) -> None:
        self.width: int | None = None
        self.time: int | None = None
        self._lines = iter(lines)
        self._separator = separator
        self._waiting: deque[str] = deque()
        self._number = first - 1

    def __iter__(self) -> Iterator[Record]:
        """One record after the other."""
        while (line := self._next()) is not None:
            bare = line.rstrip("\r\n")
            if not bare or bare.isspace():
                continue
            if '"' in bare:
                yield self._quoted(line)
            else:
                yield Record(self._number, bare.split(self._separator), self._number)

    def _next(self) -> str | None:
        line = self._waiting.popleft() if self._waiting else next(self._lines, None)
        if line is not None:
            self._number += 1
        return line

    def _quoted(self, line: str) -> Record:
        number = self._number
        try:
            return Record(number, split(line, self._separator), number)
        except csv.Error as error:
            if open_quote(line.rstrip("\r\n"), self._separator) is None:
                return Record(number, [], number, f"not CSV: {error}")
        taken: list[str] = []
        while (following := self._more(line, taken)) is not None:
            taken.append(following)
            cells = self._whole("".join([line, *taken]))
            if cells is not None:
                return Record(number, cells, self._number)
        self._waiting.extendleft(reversed(taken))
        self._number = number
        return Record(number, [], number, UNCLOSED)

    def _more(self, line: str, taken: list[str]) -> str | None:
        """One more line of a cell that is still open; None when there may be no more."""
        text = "".join([line, *taken])
        opened = open_quote(text, self._separator)
        if opened is None or len(text) - opened > TEXT_LIMIT or len(taken) == LINES:
            return None
        following = self._next()
        if following is None or not self._is_reading(following):
            return following
        self._waiting.appendleft(following)
        return None

    def _whole(self, text: str) -> list[str] | None:
        try:
            cells = split(text, self._separator)
        except csv.Error:
            return None
        return cells if self.width in {None, len(cells)} else None

    def _is_reading(self, line: str) -> bool:
        """Whether a line is a whole reading by itself, so that no open quote may swallow it."""
        try:
            cells = split(line, self._separator)
        except csv.Error:
            cells = line.rstrip("\r\n").split(self._separator)
        if self.width != len(cells):
            return False
        return any(map(_may_be_time, cells if self.time is None else cells[self.time : self.time + 1]))


def _may_be_time(text: str) -> bool:
    return moment.is_time(text) or moment.is_time_of_day(text) or cell.NUMBER.fullmatch(text.strip()) is not None


def split(text: str, separator: str) -> list[str]:
    """The cells of one record.

    >>> split('1, "a ""b"" c", d', ",")
    ['1', 'a "b" c', 'd']

    Raises:
        Error: A quote is open at its end, or something follows a closing one.
    """
    return next(csv.reader([text], delimiter=separator, strict=True, skipinitialspace=separator != " "), [])


def open_quote(text: str, separator: str) -> int | None:
    """Where the cell begins whose quote is open at the end of a text, None where there is none.

    >>> open_quote('1,"a', ","), open_quote('1,"a"', ",")
    (2, None)
    """
    place = 0
    while True:
        while text[place : place + 1] == " ":
            place += 1
        if text[place : place + 1] == '"':
            closed = _QUOTED.match(text, place)
            if closed is None:
                return place
            place = closed.end()
        following = text.find(separator, place)
        if following < 0:
            return None
        place = following + 1
