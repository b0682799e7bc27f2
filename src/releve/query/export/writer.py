"""Turns blocks of readings into the bytes of an export; loads numpy, so only who exports imports it."""

from collections.abc import Mapping
from typing import Protocol

from releve.history import text
from releve.history.block import Block
from releve.history.conversion import conversions_of
from releve.protocol.described import Description
from releve.query import counted
from releve.query.described import Descriptions
from releve.query.export.answer import Format, NotAcceptable
from releve.query.which import Which
from releve.storage.pool import Pool


class Writer(Protocol):
    """Writes one file."""

    def head(self) -> bytes:
        """What comes before the first reading."""

    def page(self, block: Block) -> bytes:
        """Whole readings, after those before."""

    def tail(self) -> bytes:
        """What comes after the last."""


async def writer_of(pool: Pool, which: Which, form: Format, descriptions: Descriptions) -> Writer:
    """What writes readings in a format, its numbers as their channels are described.

    Raises:
        NotAcceptable: It is Parquet, and pyarrow is not there.
    """
    if form is Format.NDJSON:
        return NdjsonWriter()
    if form is Format.CSV:
        return CsvWriter(descriptions.of_all(await counted.channels(pool, which)))
    try:
        from releve.query.export.parquet import ParquetWriter, kinds_of  # noqa: PLC0415 - pyarrow is an extra
    except ImportError as error:
        raise NotAcceptable("Parquet needs the extra: pip install 'releve[parquet]' on the server") from error
    kinds = await kinds_of(pool, which)
    return ParquetWriter(kinds, descriptions.of_all(kinds))


class NdjsonWriter:
    """One JSON object a line, as `POST /api/v1/readings` and `releve import` read it."""

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def page(self, block: Block) -> bytes:
        """One line a reading."""
        return text.ndjson_lines(block)

    def tail(self) -> bytes:
        """Nothing."""
        return b""


class CsvWriter:
    """RFC 4180, one column a channel.

    Args:
        channels: By their names how they are described, in the order of the columns.
    """

    def __init__(self, channels: Mapping[str, Description]) -> None:
        self._channels = channels
        self._conversions = conversions_of(channels)

    def head(self) -> bytes:
        """The names of the columns, and the units of those that have one."""
        return text.csv_head(self._channels, self._channels)

    def page(self, block: Block) -> bytes:
        """One line a reading; a cell reads back as the value that it was, or was converted to."""
        return text.csv_lines(block, list(self._channels), self._conversions)

    def tail(self) -> bytes:
        """Nothing."""
        return b""
