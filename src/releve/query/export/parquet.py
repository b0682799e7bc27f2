"""Writes readings as Parquet, a row group for some thousand readings; needs pyarrow, which is an extra."""

import io
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from pyarrow import parquet

from releve.history.block import Block, joined
from releve.history.conversion import conversions_of, converted
from releve.history.table import NOT_DESCRIBED, kinds_in, schema_of, table_of
from releve.protocol.described import Description
from releve.query import counted
from releve.query.which import Which
from releve.storage.pool import Pool

GROUP = 8_192  # readings that a row group has at least, unless it is the last


async def kinds_of(pool: Pool, which: Which) -> dict[str, set[str]]:
    """Every channel of readings and what kinds of values it has, so that a table can have a column for each."""
    names = await counted.named(pool, which)
    found: dict[str, set[str]] = {name: set() for name in names}
    async for block in counted.blocks(pool, which, names):
        for name, kinds in found.items():
            kinds.update(kinds_in(block.column(name)))
    return {name: kinds for name, kinds in found.items() if kinds}


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
        self, channels: Mapping[str, AbstractSet[str]], described: Mapping[str, Description] = NOT_DESCRIBED
    ) -> None:
        self._conversions = conversions_of(described)
        self._channels = {
            name: _converted(kinds) if name in self._conversions else kinds for name, kinds in channels.items()
        }
        self._schema = schema_of(self._channels, described)
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
        shown = converted(block, self._conversions)
        self._writer.write_table(table_of(block, self._channels, self._schema, shown=shown))


def _converted(kinds: AbstractSet[str]) -> AbstractSet[str]:
    """What the kinds of values become: a number that is converted is no whole one."""
    return {"number" if kind == "integer" else kind for kind in kinds}
