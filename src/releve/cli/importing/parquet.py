"""Reads history from Parquet; needs pyarrow, which is an extra."""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from math import isnan
from typing import Any, BinaryIO

from releve.cli.importing.file import BadFile, Line, Source

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
    done = [0]
    return Source(_lines(table, done, pa), table.metadata.num_rows, lambda: done[0])


def _lines(table: Any, done: list[int], pa: Any) -> Iterator[Line]:
    marked = {field.name for field in table.schema_arrow if (field.metadata or {}).get(b"releve") == JSON_MARK}
    for batch in table.iter_batches(batch_size=ROWS):
        names = batch.schema.names
        columns = [_column(batch.column(name), pa, is_json=name in marked) for name in names]
        for row in zip(*columns, strict=True):
            done[0] += 1
            yield Line(done[0], dict(zip(names, row, strict=True)))


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
