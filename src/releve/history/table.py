"""Readings as a table of Apache Arrow, a column a channel, and back; needs pyarrow, which is an extra."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from releve.history import spelling
from releve.history.block import Block, Row
from releve.history.column import Column, Kind
from releve.protocol.column import OWN_COLUMNS, channel, column
from releve.protocol.described import Description
from releve.protocol.identity import canonical

INSTANT = pa.timestamp("us", tz="UTC")
JSON_MARK: Final = {b"releve": b"json"}  # on a column whose values are of several kinds, each written as JSON
WHOLE = "channels"  # the column of the JSON of readings that are not in canonical spelling
NOT_DESCRIBED: Mapping[str, Description] = {}
_PLAIN = Description()
_KINDS = {
    Kind.REAL: "number",
    Kind.INTEGER: "integer",
    Kind.FALSE: "boolean",
    Kind.TRUE: "boolean",
    Kind.TEXT: "string",
    Kind.JSON: "json",
}


def kinds_in(values: Column) -> set[str]:
    """The kinds of values of one column.

    >>> sorted(kinds_in(Column.of([12, 12.0, True, False])))
    ['boolean', 'integer', 'number']
    """
    return {_KINDS[Kind(kind)] for kind in np.unique(values.kinds).tolist() if kind != Kind.ABSENT}


def kinds_of(blocks: Sequence[Block]) -> dict[str, set[str]]:
    """The kinds of values of every channel that whole blocks have."""
    found: dict[str, set[str]] = {}
    for block in blocks:
        for name, values in block.channels.items():
            found.setdefault(name, set()).update(kinds_in(values))
    return {name: kinds for name, kinds in sorted(found.items()) if kinds}


def schema_of(channels: Mapping[str, AbstractSet[str]], described: Mapping[str, Description] = NOT_DESCRIBED) -> Any:
    """The columns of readings; each channel has one, of the narrowest type that keeps every value as it is.

    Args:
        channels: The channels, each with the kinds of its values.
        described: How they are described, which stands in the metadata of the fields.
    """
    fields = [pa.field("time", INSTANT), pa.field("id", pa.int64()), pa.field("received", INSTANT)]
    own = [_field(name, kinds, described.get(name, _PLAIN)) for name, kinds in channels.items()]
    return pa.schema([*fields, pa.field("sent", pa.string()), *own])


def table_of(block: Block, channels: Mapping[str, AbstractSet[str]], schema: Any, *, shown: Block | None = None) -> Any:
    """The table of whole readings.

    Args:
        block: Readings.
        channels: The channels, each with the kinds of its values.
        schema: What `schema_of` makes of those.
        shown: The same readings with their values as they are to be shown, where that is another way.

    Raises:
        ValueError: The block lacks something of its readings, or has a value of another kind.
    """
    if block.received_us is None or block.sent is None:
        raise ValueError("a block without times of receipt or timestamps as sent is no export")
    arrays = [
        pa.array(block.time_us).cast(INSTANT),
        pa.array(spelling.ids(block)),
        pa.array(block.received_us).cast(INSTANT),
        pa.array(block.sent.texts(block.time_us), pa.string()),
    ]
    for name, kinds in channels.items():
        values = (block if shown is None else shown).column(name)
        if not kinds_in(values) <= kinds:
            raise ValueError(f"a reading came meanwhile whose {name} is of another kind than those before")
        arrays.append(_array(values, type_of(kinds)))
    return pa.Table.from_arrays(arrays, schema=schema)


def with_spellings(table: Any, block: Block) -> Any:
    """The table with a column for the JSON of readings that are not in canonical spelling; null for all others."""
    texts = [None] * len(block) if block.odd is None else block.odd.texts()
    return table.append_column(pa.field(WHOLE, pa.string()), pa.array(texts, pa.string()))


def rows_of(table: Any) -> list[Row]:
    """The readings of a table that has a column of spellings, to the byte."""
    own = {name: table.column(name) for name in (*OWN_COLUMNS, WHOLE)}
    names = [name for name in table.schema.names if name not in own]
    columns = [_values(table.column(name), table.schema.field(name)) for name in names]
    channels = [channel(name) for name in names]
    readings = zip(*columns, strict=True) if columns else [()] * table.num_rows
    spelled = own[WHOLE].to_pylist()
    texts = [
        _text(channels, values) if text is None else text.encode()
        for values, text in zip(readings, spelled, strict=True)
    ]
    instants = [own[name].cast(pa.int64()).to_pylist() for name in ("time", "received")]
    return list(map(Row, instants[0], own["id"].to_pylist(), instants[1], texts, own["sent"].to_pylist()))


def type_of(kinds: AbstractSet[str]) -> Any:
    """The column type for values of these kinds, None when no type keeps them all."""
    known = {"integer": pa.int64(), "number": pa.float64(), "string": pa.string(), "boolean": pa.bool_()}
    return known.get(next(iter(kinds))) if len(kinds) == 1 else None


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
        return pa.array([cell.decode() or None for cell in spelling.cells(values).tolist()], pa.string())
    if kind == pa.string():
        return pa.array([None] * len(values) if values.coded is None else values.coded.texts(), pa.string())
    if kind == pa.bool_():
        return pa.array(values.kinds == Kind.TRUE, mask=absent)
    return pa.array(np.where(absent, 0, values.numbers).astype(kind.to_pandas_dtype()), mask=absent)


def _values(values: Any, field: Any) -> list[Any]:
    """A column's values as JSON decodes them, `UNSET` where a reading has none."""
    is_json = (field.metadata or {}).get(b"releve") == JSON_MARK[b"releve"]
    read = msgspec.json.decode if is_json else _itself
    return [msgspec.UNSET if value is None else read(value) for value in values.to_pylist()]


def _itself(value: Any) -> Any:
    return value


def _text(channels: Sequence[str], values: Sequence[Any]) -> bytes:
    return canonical({name: value for name, value in zip(channels, values, strict=True) if value is not msgspec.UNSET})
