"""Reads history from Parquet; needs pyarrow, which is an extra."""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from math import isnan
from typing import Any, BinaryIO

from releve.cli.importing.line import BadFile, Line, Source
from releve.protocol.column import column
from releve.protocol.heading import Heading

ROWS = 1_000
JSON_MARK = b"json"  # on a column of our own exports whose values are of several kinds


def source(file: BinaryIO) -> Source:
    """A Parquet file's rows.

    Raises:
        BadFile: pyarrow is not installed, or it is no Parquet file.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise BadFile("Parquet needs the extra: pip install 'releve[parquet]'") from error
    try:
        table = parquet.ParquetFile(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadFile(f"not a Parquet file: {error}") from error
    rows = Rows(table, pa)
    names = [_key(name) for name in table.schema_arrow.names]
    return Source(rows, table.metadata.num_rows, lambda: rows.done, {"format": "parquet"}, names)


class Rows:
    """The rows of a Parquet file.

    Args:
        table: The file, as pyarrow opened it.
        pa: pyarrow, which is an extra.

    Attributes:
        done: How many were read.
    """

    def __init__(self, table: Any, pa: Any) -> None:
        self.done = 0
        self._table = table
        self._pa = pa

    def __iter__(self) -> Iterator[Line]:
        """Every row from the first."""
        self.done = 0
        schema = self._table.schema_arrow
        marked = {field.name for field in schema if (field.metadata or {}).get(b"releve") == JSON_MARK}
        headings = [_heading(field) for field in schema]
        for batch in self._table.iter_batches(batch_size=ROWS):
            names = batch.schema.names
            columns = [_column(batch.column(name), self._pa, is_json=name in marked) for name in names]
            columns = [
                list(map(heading.sent, values)) if heading.converts else values
                for heading, values in zip(headings, columns, strict=True)
            ]
            keys = list(map(_key, names))
            for row in zip(*columns, strict=True):
                self.done += 1
                yield Line(self.done, dict(zip(keys, row, strict=True)))


def _heading(field: Any) -> Heading:
    """What the metadata of a field say of its channel, where the file is an export of ours."""
    told = field.metadata or {}
    return Heading(field.name, scale=float(told.get(b"releve.scale", 1)), offset=float(told.get(b"releve.offset", 0)))


def _key(name: str) -> str:
    return column(name) if name == "channels" else name  # elsewhere that is what holds the others


def _column(column: Any, pa: Any, *, is_json: bool) -> list[Any]:
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    values = map(_plain, column.to_pylist())
    return [json.loads(value) if value is not None else None for value in values] if is_json else list(values)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return None if isinstance(value, float) and isnan(value) else value  # a table writes "not measured" so
