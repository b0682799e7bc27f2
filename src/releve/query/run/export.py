"""`GET /api/v1/runs/{id}/export`: every reading of a run that counts, streamed as CSV, NDJSON or Parquet."""

import asyncio
from collections.abc import Mapping
from enum import StrEnum

import structlog

from releve.http.request import Disconnected, Header, Send
from releve.protocol.problem import BadRequest, Problem
from releve.query.run.run import Run
from releve.storage.pool import Pool

_log = structlog.get_logger()


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
        await asyncio.to_thread(_load)
        from releve.query.run import readings  # noqa: PLC0415 - with numpy, which only those need who read

        charset = b"; charset=utf-8" if self._form is not Format.PARQUET else b""
        return [
            (b"content-type", self._form.encode() + charset),
            (b"content-disposition", f'attachment; filename="run-{self._run.id}.{self._form.suffix}"'.encode()),
            (b"x-total-readings", b"%d" % await readings.count(self._pool, self._run)),
            (b"cache-control", b"no-store"),
        ]

    async def answer(self, send: Send) -> None:
        """Stream it.

        Raises:
            NotAcceptable: It is Parquet, and the server lacks what writes that.
            Disconnected: It broke off in the middle; the connection is cut, so that nobody takes a part for the whole.
        """
        headers = await self.headers()
        from releve.query.run import readings, writer  # noqa: PLC0415 - with numpy, which only those need who read
        from releve.storage.scan import WHOLE  # noqa: PLC0415 - the same

        into = await writer.writer_of(self._pool, self._run, self._form)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            await _piece(send, into.head())
            async for block in readings.blocks(self._pool, self._run, WHOLE):
                await _piece(send, await asyncio.to_thread(into.page, block))
            await _piece(send, await asyncio.to_thread(into.tail))
        except Exception as error:
            _log.exception("an export broke off", run=self._run.id)
            raise Disconnected from error
        await send({"type": "http.response.body", "body": b""})


async def _piece(send: Send, body: bytes) -> None:
    if body:
        await send({"type": "http.response.body", "body": body, "more_body": True})


def _load() -> None:
    """Import what exports; the first time takes long, and is not waited for on the event loop."""
    import releve.query.run.writer  # noqa: F401, PLC0415 - see above
