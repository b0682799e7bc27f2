"""The files that history comes in: each line as named values, or why it cannot be read."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from releve.cli.importing.encoding import encoding_of
from releve.cli.importing.line import BadFile, Line, Source
from releve.cli.importing.table import Table
from releve.cli.importing.wish import Wishes
from releve.protocol import strict_json
from releve.protocol.problem import BadReading

__all__ = ["FORMATS", "BadFile", "opened_file"]
FORMATS = ("csv", "ndjson", "parquet")
_ENDINGS = {
    ".csv": "csv", ".tsv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet",
}  # fmt: skip
_GZIP = b"\x1f\x8b"
_NO_WISHES = Wishes()


@contextmanager
def opened_file(path: Path, form: str | None, wishes: Wishes = _NO_WISHES) -> Iterator[Source]:
    """Open a file of history; one that gzip compressed is told by its first bytes.

    Raises:
        BadFile: Its format is not known, or not what is said.
    """
    with path.open("rb") as packed:
        is_packed = packed.read(len(_GZIP)) == _GZIP
        packed.seek(0)
        kind = form or _kind(path, is_packed=is_packed)
        if wishes.of_csv and kind != "csv":
            raise BadFile(f"{', '.join(wishes.of_csv)} says something about CSV; {path.name} is read as {kind}")
        length, position = path.stat().st_size, packed.tell
        if not is_packed:
            yield _source(packed, kind, wishes, length, position)
            return
        with gzip.open(packed) as file:
            try:
                source = _source(file, kind, wishes, length, position)
                yield Source(**{**vars(source), "understood": {**source.understood, "compression": "gzip"}})
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise BadFile(f"the compressed file is damaged: {error}") from error


def _kind(path: Path, *, is_packed: bool) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if is_packed and suffixes and suffixes[-1] in {".gz", ".gzip"}:
        suffixes.pop()
    kind = _ENDINGS.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise BadFile(f"{path.name} ends in none of {', '.join(_ENDINGS)}; say what it is with --format")
    return kind


def _source(file: Any, kind: str, wishes: Wishes, length: int, position: Callable[[], int]) -> Source:
    if kind == "parquet":
        from releve.cli.importing.parquet import source  # noqa: PLC0415 - pyarrow is an extra

        return source(file)
    if kind == "ndjson":
        encoding = wishes.encoding or encoding_of(file)
        return Source(Objects(file, encoding), length, position, {"format": kind, "encoding": _spoken(encoding)})
    table = Table(file, wishes)
    return Source(table, length, position, _understood(table), list(table.kinds), table.missing)


def _understood(table: Table) -> dict[str, Any]:
    layout = table.layout
    understood: dict[str, Any] = {
        "format": "csv",
        "encoding": _spoken(table.encoding),
        "separator": layout.separator,
        "decimal": layout.decimal,
        "header_line": layout.header,
    }
    if layout.is_export:
        return {**understood, "export": True, **({"units": layout.units} if layout.units else {})}
    if layout.units:
        understood["units"] = layout.units
    if layout.duplicates:
        understood["renamed"] = list(layout.duplicates)
    return {**understood, "columns": table.kinds}


def _spoken(encoding: str) -> str:
    return "utf-8" if encoding == "utf-8-sig" else encoding


class Objects:
    """The lines of an NDJSON file.

    Args:
        file: The file.
        encoding: Its encoding.
    """

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._encoding = encoding

    def __iter__(self) -> Iterator[Line]:
        """Every line from the start."""
        self._file.seek(0)
        for number, text in enumerate(self._texts(), start=1):
            if text.strip():
                yield _object(number, text)

    def _texts(self) -> Iterator[bytes]:
        if self._encoding in {"utf-8", "ascii"}:
            return iter(self._file)
        if self._encoding == "utf-8-sig":
            return _without_mark(self._file)
        return _in_utf8(self._file, self._encoding)


def _without_mark(file: BinaryIO) -> Iterator[bytes]:
    yield file.readline().removeprefix(b"\xef\xbb\xbf")
    for line in file:  # noqa: UP028 - `yield from` would close the file with a reader that stops early
        yield line


def _in_utf8(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    text = io.TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline="\n")
    try:
        for line in text:
            yield line.encode(errors="surrogateescape")
    finally:
        text.detach()


def _object(number: int, text: bytes) -> Line:
    try:
        values = strict_json.decode_syntax(text)
    except BadReading as problem:
        return Line(number, {}, problem)
    if type(values) is not dict:
        return Line(number, {}, BadReading("a line is one JSON object"))
    return Line(number, values)
