"""What every file of history is read as: lines of named values, one after the other."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from releve.protocol.problem import BadReading


class BadFile(Exception):
    """The file as a whole cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file.

    Attributes:
        number: Its number, from 1; lines before the header of a CSV file and the header count.
        values: What it holds, by column.
        problem: Why it cannot be read; None where it can.
    """

    number: int
    values: Mapping[str, Any]
    problem: BadReading | None = None


@dataclass(frozen=True)
class Source:
    """A file that is being read.

    Attributes:
        lines: Its lines, in order; whoever begins to read them again begins at the start of the file.
        length: How long it is, for the progress bar.
        position: How far it was read, in the same measure.
        understood: What was found out about the file, by name.
        columns: The columns that every line has; None where each line names its own.
        missing: How many cells said that nothing was measured, by what they said; filled while the lines are read.
    """

    lines: Iterable[Line]
    length: int
    position: Callable[[], int]
    understood: Mapping[str, Any] = field(default_factory=dict)
    columns: Sequence[str] | None = None
    missing: Mapping[str, int] = field(default_factory=dict)

    def first(self, count: int) -> list[Line]:
        """The first lines, at most so many."""
        lines = iter(self.lines)
        try:
            return list(islice(lines, count))
        finally:
            if isinstance(lines, Generator):
                lines.close()  # gives the file back to whoever reads it next
