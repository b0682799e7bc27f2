"""Writes readings as Parquet, a row group for some thousand readings; needs pyarrow, which is an extra."""

import io
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from releve.history import spelling
from releve.history.block import Block, joined
from releve.history.column import Column, Kind
from releve.history.conversion import conversions_of, converted
from releve.protocol.column import column
from releve.protocol.described import Description
from releve.query import counted
from releve.query.which import Which
from releve.storage.pool import Pool

GROUP = 8_192  # readings that a row group has at least, unless it is the last
INSTANT = pa.timestamp("us", tz="UTC")
JSON_MARK = {b"releve": b"json"}  # on a column whose values are of several kinds, each written as JSON
_PLAIN = Description()
_NOT_DESCRIBED: Mapping[str, Description] = {}
_KINDS = {
    Kind.REAL: "number",
    Kind.INTEGER: "integer",
    Kind.FALSE: "boolean",
    Kind.TRUE: "boolean",
    Kind.TEXT: "string",
    Kind.JSON: "json",
}


async def kinds_of(pool: Pool, which: Which) -> dict[str, set[str]]:
    """Every channel of readings and what kinds of values it has, so that a table can have a column for each."""
    names = await counted.named(pool, which)
    found: dict[str, set[str]] = {name: set() for name in names}
    async for block in counted.blocks(pool, which, names):
        for name, kinds in found.items():
            kinds.update(kinds_in(block.column(name)))
    return {name: kinds for name, kinds in found.items() if kinds}


def kinds_in(values: Column) -> set[str]:
    """The kinds of values of one column.

    >>> sorted(kinds_in(Column.of([12, 12.0, True, False])))
    ['boolean', 'integer', 'number']
    """
    return {_KINDS[Kind(kind)] for kind in np.unique(values.kinds).tolist() if kind != Kind.ABSENT}


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
    """One column a channel, of the narrowest type that keeps every value as it is.

    Args:
        channels: The channels, each with the kinds of its values.
        described: How they are described: numbers are converted, and units stand in the metadata of the fields.
    """

    def __init__(
        self, channels: Mapping[str, AbstractSet[str]], described: Mapping[str, Description] = _NOT_DESCRIBED
    ) -> None:
        self._conversions = conversions_of(described)
        self._channels = {
            name: _converted(kinds) if name in self._conversions else kinds for name, kinds in channels.items()
        }
        fields = [pa.field("time", INSTANT), pa.field("id", pa.int64()), pa.field("received", INSTANT)]
        fields.append(pa.field("sent", pa.string()))
        fields += [_field(name, kinds, described.get(name, _PLAIN)) for name, kinds in self._channels.items()]
        self._schema = pa.schema(fields)
        self._sink = Sink()
        self._writer = parquet.ParquetWriter(self._sink, self._schema)
        self._waiting: list[Block] = []

    def head(self) -> bytes:
        """The magic number."""
        return self._sink.take()

    def page(self, block: Block) -> bytes:
        """Whole readings, after those before.

        Raises:
            ValueError: A value is of another kind than those that the columns were made for: it came meanwhile.
        """
        self._waiting.append(block)
        if sum(map(len, self._waiting)) >= GROUP:
            self._write_group()
        return self._sink.take()

    def tail(self) -> bytes:
        """What is left, and the footer, which says where everything is."""
        if self._waiting:
            self._write_group()
        self._writer.close()
        return self._sink.take()

    def _write_group(self) -> None:
        block = joined(self._waiting)
        self._waiting.clear()
        if block.received_us is None or block.sent is None:
            raise ValueError("a block without times of receipt or timestamps as sent is no export")
        arrays = [
            pa.array(block.time_us).cast(INSTANT),
            pa.array(spelling.ids(block)),
            pa.array(block.received_us).cast(INSTANT),
            pa.array(block.sent.texts(block.time_us), pa.string()),
        ]
        shown = converted(block, self._conversions)
        for name, kinds in self._channels.items():
            if not kinds_in(shown.column(name)) <= kinds:
                raise ValueError(f"a reading came meanwhile whose {name} is of another kind than those before")
            arrays.append(_array(shown.column(name), type_of(kinds)))
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))


def type_of(kinds: AbstractSet[str]) -> Any:
    """The column type for values of these kinds, None when no type keeps them all."""
    known = {"integer": pa.int64(), "number": pa.float64(), "string": pa.string(), "boolean": pa.bool_()}
    return known.get(next(iter(kinds))) if len(kinds) == 1 else None


def _converted(kinds: AbstractSet[str]) -> AbstractSet[str]:
    """What the kinds of values become: a number that is converted is no whole one."""
    return {"number" if kind == "integer" else kind for kind in kinds}


def _field(name: str, kinds: AbstractSet[str], described: Description) -> Any:
    kind = type_of(kinds)
    metadata = {**_told(described), **(JSON_MARK if kind is None else {})}
    return pa.field(column(name), pa.string() if kind is None else kind, metadata=metadata or None)


def _told(described: Description) -> dict[bytes, bytes]:
    """What a field's metadata say of its channel; `releve.scale` and `releve.offset` lead back to what was sent."""
    names = {"name_en": described.name_en, "name_fr": described.name_fr, "unit": described.unit}
    factors = (
        {"releve.scale": repr(described.scale), "releve.offset": repr(described.offset)} if described.converts else {}
    )
    return {key.encode(): text.encode() for key, text in {**names, **factors}.items() if text}


def _array(values: Column, kind: Any) -> Any:
    """The values as an array of a type, or, for None, each as JSON."""
    absent = ~values.present
    if kind is None:
        return pa.array([cell.decode() or None for cell in spelling.cells(values)], pa.string())
    if kind == pa.string():
        return pa.array([None] * len(values) if values.coded is None else values.coded.texts(), pa.string())
    if kind == pa.bool_():
        return pa.array(values.kinds == Kind.TRUE, mask=absent)
    return pa.array(np.where(absent, 0, values.numbers).astype(kind.to_pandas_dtype()), mask=absent)
