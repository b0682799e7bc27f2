"""The files that history comes in: each line as named values, or why it cannot be read."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from releve.protocol import cell, strict_json
from releve.protocol.column import EXPORTED, OWN_COLUMNS
from releve.protocol.problem import BadReading

FORMATS = ("csv", "ndjson", "parquet")
_ENDINGS = {".csv": "csv", ".tsv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet"}
_DELIMITERS = ",;\t"


class BadFile(Exception):
    """The file as a whole cannot be read."""


@dataclass(frozen=True)
class Line:
    """One line of a file.

    Attributes:
        number: Its number, from 1; the header of a CSV file counts.
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
        lines: Its lines, in order.
        length: How long it is, for the progress bar.
        position: How far it was read, in the same measure.
    """

    lines: Iterator[Line]
    length: int
    position: Callable[[], int]


@contextmanager
def opened_file(path: Path, form: str | None) -> Iterator[Source]:
    """Open a file of history.

    Raises:
        BadFile: Its format is not known, or not what is said.
    """
    kind = form or _ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise BadFile(f"{path.name} ends in none of {', '.join(_ENDINGS)}; say what it is with --format")
    with path.open("rb") as file:
        if kind == "parquet":
            from releve.cli.importing.parquet import source  # noqa: PLC0415 - pyarrow is an extra

            yield source(file)
        else:
            lines = _csv(file) if kind == "csv" else _ndjson(file)
            yield Source(lines, path.stat().st_size, file.tell)


def _ndjson(file: BinaryIO) -> Iterator[Line]:
    for number, text in enumerate(file, start=1):
        if text.strip():
            yield _object(number, text)


def _object(number: int, text: bytes) -> Line:
    try:
        values = strict_json.decode_syntax(text)
    except BadReading as problem:
        return Line(number, {}, problem)
    if type(values) is not dict:
        return Line(number, {}, BadReading("a line is one JSON object"))
    return Line(number, values)


def _csv(file: BinaryIO) -> Iterator[Line]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    header = text.readline()
    delimiter = max(_DELIMITERS, key=header.count)
    names = next(csv.reader([header], delimiter=delimiter), [])
    if not names or len(set(names)) < len(names) or not _is_utf8(header):
        raise BadFile("the first line must name the columns, each once, in UTF-8")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        yield from _rows(reader, names)
    finally:
        text.detach()


def _rows(reader: Any, names: list[str]) -> Iterator[Line]:
    while True:
        number = reader.line_num + 2  # the header was read before
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number, {}, BadReading(f"not CSV: {error}"))
            continue
        if cells:
            yield _row(number, names, cells)


def _row(number: int, names: list[str], cells: list[str]) -> Line:
    if len(cells) != len(names):
        return Line(number, {}, BadReading(f"{len(cells)} cells under {len(names)} columns"))
    if not all(map(_is_utf8, cells)):
        return Line(number, {}, BadReading("is not UTF-8"))
    if set(names) >= EXPORTED:
        return Line(number, exported(names, cells))
    return Line(number, {name: cell.read(text) for name, text in zip(names, cells, strict=True)})


def exported(names: list[str], cells: list[str]) -> dict[str, Any]:
    """A line of our own export: its columns hold text, those of channels what `cell.write` wrote."""
    values: dict[str, Any] = {}
    for name, text in zip(names, cells, strict=True):
        known = cell.read_text(name)
        values[known] = (cell.read_text(text) or None) if known in OWN_COLUMNS else cell.read(text)
    return values


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
