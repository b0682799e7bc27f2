"""Reads history from CSV, whoever wrote it: what its lines mean is found out first, and can be said."""

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO

from releve.cli.importing import moment, number
from releve.cli.importing.encoding import encoding_of
from releve.cli.importing.layout import ANNOTATIONS, TIMES, layout_of, named
from releve.cli.importing.line import BadFile, Line
from releve.cli.importing.record import Record, Records
from releve.cli.importing.wish import Wishes
from releve.protocol import cell
from releve.protocol.column import OWN_COLUMNS, column
from releve.protocol.problem import BadReading

SAMPLE_LINES = 2_000
SAMPLE_CHARACTERS = 1024 * 1024
MISSING = frozenset({"nan", "na", "n/a", "#n/a", "null", "none", "nil", "-", "--", "---"})  # in a column of numbers
NUMBER, TEXT, TRUTH, TIME, ANYTHING, NOTHING = "number", "text", "true or false", "time", "anything", "empty"
_DATATYPES = {"double": NUMBER, "long": NUMBER, "unsignedLong": NUMBER, "string": TEXT, "boolean": TRUTH}
_WORDS = {"true": True, "false": False}
Reader = Callable[[str], Any]


class Table:
    """The lines of a CSV file; every pass over them begins at its start.

    Args:
        file: The file.
        wishes: What was said about it.

    Attributes:
        encoding: Its encoding.
        layout: How it is laid out.
        kinds: What the cells of each column are.
        missing: How many cells of the last pass said that nothing was measured, by what they said.

    Raises:
        BadFile: No line names the columns, or it is not in the encoding that was named.
    """

    def __init__(self, file: BinaryIO, wishes: Wishes) -> None:
        self._file = file
        self.encoding = wishes.encoding or encoding_of(file)
        self._damage = "\ufffd" if self.encoding.startswith(("utf-16", "utf-32")) else ""
        sample = self._sample()
        self.layout = layout_of(sample, wishes)
        self._wishes = wishes
        self.kinds: dict[str, str] = {}
        self.missing: Counter[str] = Counter()
        self._names: Sequence[str | None] = ()
        self._heading: Sequence[str] = self.layout.heading
        self._readers: list[Reader] = []
        following = Records(sample[self.layout.first - 1 :], self.layout.separator, first=self.layout.first)
        self._sampled = [record.cells for record in following if record.problem is None]
        self._head(self.layout.names, self.layout.datatypes)

    def __iter__(self) -> Iterator[Line]:
        """Every line from the start."""
        self.missing.clear()
        self._heading = self.layout.heading
        self._head(self.layout.names, self.layout.datatypes)
        text = self._opened()
        try:
            for _ in islice(text, self.layout.first - 1):
                pass
            yield from self._lines(text)
        finally:
            text.detach()

    def _sample(self) -> list[str]:
        text = self._opened()
        lines: list[str] = []
        size = 0
        try:
            for line in islice(text, SAMPLE_LINES):
                lines.append(line)
                size += len(line)
                if size > SAMPLE_CHARACTERS:
                    break
        except UnicodeError as error:
            raise BadFile(f"the file is not in {self.encoding}: {error}") from error
        finally:
            text.detach()
        return lines

    def _opened(self) -> io.TextIOWrapper:
        self._file.seek(0)
        errors = "replace" if self._damage else "surrogateescape"
        encoding = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
        return io.TextIOWrapper(self._file, encoding=encoding, errors=errors, newline="")

    def _lines(self, text: io.TextIOWrapper) -> Iterator[Line]:
        records = Records(text, self.layout.separator, first=self.layout.first)
        self._tell(records)
        annotations: dict[str, list[str]] = {}
        for record in records:
            cells = record.cells
            if cells and cells[0] in ANNOTATIONS and not self.layout.is_export:
                annotations[cells[0]] = cells
                records.width = None
            elif annotations:  # another table of the same file begins
                self._sampled = []
                names, _ = named(cells, len(cells), lambda _: False)
                self._heading = cells
                self._head(names, annotations.get("#datatype", []))
                self._tell(records)
                annotations = {}
            elif cells != self._heading:  # which a logger writes again each time it starts
                yield self._line(record)

    def _tell(self, records: Records) -> None:
        records.width = len(self._names)
        time = self._wishes.time_column
        wished = [time.casefold()] if time else TIMES
        places = [place for place, name in enumerate(self._names) if name and name.casefold() in wished]
        records.time = places[0] if places else None

    def _head(self, names: Sequence[str | None], datatypes: Sequence[str]) -> None:
        """Settle how the cells under each name are read."""
        self._names = [column(name) if name == "channels" else name for name in names]  # elsewhere it holds the others
        self.kinds = {}
        self._readers = []
        tall = self._wishes.tall_of([name for name in names if name])
        for place, name in enumerate(names):
            said = datatypes[place].strip() if place < len(datatypes) else ""
            kind = self._kind(place, said)
            if tall is not None and name == tall.value and not said:
                kind = ANYTHING
            if name is not None:
                self.kinds[name] = kind
            self._readers.append(self._exported(place, name) if self.layout.is_export else self._reader(kind))

    def _kind(self, place: int, datatype: str) -> str:
        if self.layout.is_export:
            return NOTHING
        if datatype in _DATATYPES:
            return _DATATYPES[datatype]
        if datatype.startswith("dateTime"):
            return TIME
        found = (cells[place].strip() for cells in self._sampled if len(cells) == len(self._names))
        return kind_of([text for text in found if text], self.layout.decimal)

    def _exported(self, place: int, name: str | None) -> Reader:
        """How the cells of a column of ours are read; what was converted becomes again what was sent."""
        if name in OWN_COLUMNS:
            return _own_text
        heading = self.layout.headings[place]
        return (lambda text: heading.sent(cell.read(text))) if heading.converts else cell.read

    def _reader(self, kind: str) -> Reader:
        readers = {TEXT: _text, TIME: _text, TRUTH: _truth}
        return readers.get(kind, self._value)

    def _line(self, record: Record) -> Line:
        if record.problem is not None:
            return Line(record.number, {}, BadReading(record.problem))
        cells, names = record.cells, self._names
        if len(cells) != len(names) and not self._is_padded(cells):
            return Line(record.number, {}, BadReading(f"{len(cells)} cells under {len(names)} columns"))
        joined = "".join(cells)
        if not joined.isascii() and self._is_damaged(joined):
            return Line(record.number, {}, BadReading(f"is not {self._spoken_encoding}"))
        values = {name: read(text) for name, read, text in zip(names, self._readers, cells, strict=False) if name}
        return Line(record.number, values)

    def _is_padded(self, cells: list[str]) -> bool:
        """Whether a line only has separators too many at its end."""
        return len(cells) > len(self._names) and not self.layout.is_export and not any(cells[len(self._names) :])

    @property
    def _spoken_encoding(self) -> str:
        return {"utf-8-sig": "UTF-8", "utf-8": "UTF-8"}.get(self.encoding, self.encoding)

    def _is_damaged(self, text: str) -> bool:
        if self._damage and self._damage in text:
            return True
        return any("\ud800" <= character <= "\udfff" for character in text)

    def _value(self, text: str) -> Any:
        """What a cell looks like; what says that nothing was measured is nothing."""
        text = text.strip()
        if not text:
            return None
        value = number.read(text, self.layout.decimal)
        if value is not None:
            return value
        word = text.casefold()
        if word in MISSING:
            self.missing[text] += 1
            return None
        return _WORDS.get(word, cell.read_text(text))


def kind_of(cells: Sequence[str], decimal: str) -> str:
    """What the cells of a column are, by most of them; codes with leading zeros are text.

    >>> kind_of(["12,5", "NaN", "3"], ","), kind_of(["007", "12"], "."), kind_of(["TRUE", "false"], ".")
    ('number', 'text', 'true or false')
    """
    if not cells:
        return NOTHING
    if all(text.casefold() in _WORDS for text in cells):
        return TRUTH
    numbers = words = times = 0
    for text in cells:
        if number.CODE.fullmatch(text):
            return TEXT
        if number.read(text, decimal) is not None:
            numbers += 1
        elif moment.is_time(text):
            times += 1
        elif text.casefold() not in MISSING:
            words += 1
    if times > numbers + words:
        return TIME
    if words > numbers:
        return TEXT
    return NUMBER if numbers else NOTHING


def _own_text(text: str) -> Any:
    return cell.read_text(text) or None


def _text(text: str) -> Any:
    text = text.strip()
    return cell.read_text(text) if text else None


def _truth(text: str) -> Any:
    text = text.strip()
    return _WORDS.get(text.casefold(), text) if text else None
