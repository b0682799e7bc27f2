"""Writes a run as Parquet, a row group a page; needs pyarrow, which is an extra."""

import io
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec
import pyarrow as pa
from pyarrow import parquet

from releve.protocol.column import column
from releve.query.run.export import Row

INSTANT = pa.timestamp("us", tz="UTC")
JSON_MARK = {b"releve": b"json"}  # on a column whose values are of several kinds, each written as JSON


class Sink(io.RawIOBase):
    """A file that is handed on as it grows."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, piece: Any) -> int:
        """Take a piece."""
        self._pieces.append(bytes(piece))
        self._length += len(self._pieces[-1])
        return len(self._pieces[-1])

    def tell(self) -> int:
        """How much was written since the start of the file."""
        return self._length

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


class ParquetWriter:
    """One column a channel, of the narrowest type that keeps every value as it is."""

    def __init__(self, channels: Mapping[str, AbstractSet[str]]) -> None:
        self._channels = list(channels)
        self._mixed = {name for name, kinds in channels.items() if type_of(kinds) is None}
        self._floats = {name for name, kinds in channels.items() if kinds == {"number"}}
        fields = [pa.field("time", INSTANT), pa.field("id", pa.int64()), pa.field("received", INSTANT)]
        fields += [pa.field("sent", pa.string()), *(_field(name, kinds) for name, kinds in channels.items())]
        self._schema = pa.schema(fields)
        self._sink = Sink()
        self._writer = parquet.ParquetWriter(self._sink, self._schema)

    def head(self) -> bytes:
        """The magic number."""
        return self._drain()

    def page(self, page: list[Row]) -> bytes:
        """A row group."""
        decoded = [msgspec.json.decode(row[4]) for row in page]
        columns: list[list[Any]] = [[row[place] for row in page] for place in range(4)]
        columns += [[self._value(name, channels.get(name)) for channels in decoded] for name in self._channels]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        return self._drain()

    def tail(self) -> bytes:
        """The footer, which says where everything is."""
        self._writer.close()
        return self._drain()

    def _value(self, name: str, value: Any) -> Any:
        if value is None:
            return None
        if name in self._floats:
            return float(value)  # the database writes 1e22 without its exponent
        return msgspec.json.encode(value).decode() if name in self._mixed else value

    def _drain(self) -> bytes:
        return self._sink.take()


def type_of(kinds: AbstractSet[str]) -> Any:
    """The column type for values of these kinds, None when no type keeps them all."""
    known = {"integer": pa.int64(), "number": pa.float64(), "string": pa.string(), "boolean": pa.bool_()}
    return known[next(iter(kinds))] if len(kinds) == 1 else None


def _field(name: str, kinds: AbstractSet[str]) -> Any:
    kind = type_of(kinds)
    return pa.field(column(name), pa.string(), metadata=JSON_MARK) if kind is None else pa.field(column(name), kind)
