"""`GET /api/v1/runs/{id}/export`: every reading of a run that counts, streamed as CSV, NDJSON or Parquet."""

import csv
import io
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Protocol

import msgspec
import structlog

from releve.http.answer import encode
from releve.http.request import Disconnected, Header, Send
from releve.protocol import cell
from releve.protocol.column import OWN_COLUMNS, column
from releve.protocol.instant import iso
from releve.protocol.problem import BadRequest, Problem
from releve.query.run.run import Run, pages, rows
from releve.storage.pool import Pool

_log = structlog.get_logger()
Row = tuple[Any, ...]


class NotAcceptable(Problem):
    """An export is text/csv, application/x-ndjson or application/vnd.apache.parquet."""

    title = "Not acceptable"
    status = 406


class Format(StrEnum):
    """The media types of an export."""

    CSV = "text/csv"
    NDJSON = "application/x-ndjson"
    PARQUET = "application/vnd.apache.parquet"

    @property
    def suffix(self) -> str:
        """How a file of it ends."""
        return self.name.lower()


class Writer(Protocol):
    """Turns pages of readings into bytes."""

    def head(self) -> bytes:
        """What comes before the first reading."""

    def page(self, page: list[Row]) -> bytes:
        """A page of readings."""

    def tail(self) -> bytes:
        """What comes after the last."""


def format_of(asked: Mapping[str, str], *, accept: str) -> Format:
    """The format that was asked for: by the parameter `format`, else by `Accept`; CSV where anything will do.

    Raises:
        BadRequest: A parameter is wrong.
        NotAcceptable: None of ours is accepted.
    """
    for name in asked:
        if name != "format":
            raise BadRequest("is not a parameter; there is format", field=name)
    if "format" in asked:
        found = {each.suffix: each for each in Format}.get(asked["format"])
        if found is None:
            raise BadRequest("must be one of csv, ndjson, parquet", field="format")
        return found
    for wanted in accept.lower().split(","):
        media = wanted.partition(";")[0].strip()
        if media in _MEDIA:
            return _MEDIA[media]
    raise NotAcceptable


_MEDIA = {
    **{each.value: each for each in Format},
    "application/ndjson": Format.NDJSON,
    "application/jsonl": Format.NDJSON,
    "application/x-parquet": Format.PARQUET,
    "text/*": Format.CSV,
    "*/*": Format.CSV,
    "": Format.CSV,
}


class Export:
    """A run on its way to a client.

    Args:
        pool: Where its readings are.
        run: The run.
        form: What it is written as.
    """

    def __init__(self, pool: Pool, run: Run, form: Format) -> None:
        self._pool = pool
        self._run = run
        self._form = form

    async def headers(self) -> list[Header]:
        """What its answer begins with; `X-Total-Readings` lets a client show how far it is."""
        total = (await rows(self._pool, self._run, "count_run"))[0][0]
        charset = b"; charset=utf-8" if self._form is not Format.PARQUET else b""
        return [
            (b"content-type", self._form.encode() + charset),
            (b"content-disposition", f'attachment; filename="run-{self._run.id}.{self._form.suffix}"'.encode()),
            (b"x-total-readings", b"%d" % total),
            (b"cache-control", b"no-store"),
        ]

    async def answer(self, send: Send) -> None:
        """Stream it.

        Raises:
            Disconnected: It broke off in the middle; the connection is cut, so that nobody takes a part for the whole.
        """
        writer = await _writer(self._pool, self._run, self._form)
        await send({"type": "http.response.start", "status": 200, "headers": await self.headers()})
        try:
            await _piece(send, writer.head())
            async for page in pages(self._pool, self._run, "page_run"):
                await _piece(send, writer.page(page))
            await _piece(send, writer.tail())
        except Exception as error:
            _log.exception("an export broke off", run=self._run.id)
            raise Disconnected from error
        await send({"type": "http.response.body", "body": b""})


async def _writer(pool: Pool, run: Run, form: Format) -> Writer:
    if form is Format.NDJSON:
        return NdjsonWriter()
    channels = {name: set(kinds) for name, kinds in await rows(pool, run, "run_columns")}
    if form is Format.CSV:
        return CsvWriter(list(channels))
    try:
        from releve.query.run.parquet import ParquetWriter  # noqa: PLC0415 - pyarrow is an extra
    except ImportError as error:
        raise NotAcceptable("Parquet needs the extra: pip install 'releve[parquet]' on the server") from error
    return ParquetWriter(channels)


async def _piece(send: Send, body: bytes) -> None:
    if body:
        await send({"type": "http.response.body", "body": body, "more_body": True})


class NdjsonWriter:
    """One JSON object a line, as `POST /api/v1/readings` and `releve import` read it."""

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def page(self, page: list[Row]) -> bytes:
        """One line a reading."""
        return b"".join(encode(_document(row)) + b"\n" for row in page)

    def tail(self) -> bytes:
        """Nothing."""
        return b""


class CsvWriter:
    """RFC 4180, one column a channel."""

    def __init__(self, channels: list[str]) -> None:
        self._channels = channels

    def head(self) -> bytes:
        """The names of the columns."""
        return table([[*OWN_COLUMNS, *header(self._channels)]])

    def page(self, page: list[Row]) -> bytes:
        """One line a reading; a cell reads back as the value that it was."""
        return table([[*_own(row), *self._cells(row)] for row in page])

    def tail(self) -> bytes:
        """Nothing."""
        return b""

    def _cells(self, row: Row) -> list[str]:
        channels = msgspec.json.decode(row[4])
        return [cell.write(channels.get(name)) for name in self._channels]


def _own(row: Row) -> list[str]:
    return [iso(row[0]), str(row[1]), iso(row[2]), cell.write_text(row[3] or "")]


def header(channels: Iterable[str]) -> list[str]:
    """The heads of the columns of channels."""
    return [cell.write_text(column(name)) for name in channels]


def table(cells: list[list[str]]) -> bytes:
    """Lines of CSV as RFC 4180 has it; a cell holds no line break, so each reading is one line."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(cells)
    return text.getvalue().encode()


def _document(row: Row) -> dict[str, Any]:
    document = {"time": iso(row[0]), "id": str(row[1]), "received": iso(row[2])}
    sent = {"sent": row[3]} if row[3] is not None else {}
    return {**document, **sent, "channels": msgspec.Raw(row[4].encode())}
