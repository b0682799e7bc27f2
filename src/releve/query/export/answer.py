"""`GET /api/v1/runs/{id}/export` and `…/devices/{id}/export`: every reading that counts, streamed."""

import asyncio
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Self

import msgspec
import structlog

from releve.http.request import Disconnected, Header, Request, Send, while_there
from releve.protocol.problem import BadRequest, Problem
from releve.query.described import Descriptions
from releve.query.which import Which
from releve.storage.pool import Pool

SOON = 1_024  # readings that are written before anything else, so that a client sees at once that they come
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


class Wish(msgspec.Struct, frozen=True):
    """How an export is asked for.

    Attributes:
        form: What it is written as.
        is_sent: Whether the numbers stand as they were sent, and no unit beside them.
    """

    form: Format
    is_sent: bool

    @classmethod
    def of(cls, asked: Mapping[str, str], *, accept: str, beside: Collection[str] = ()) -> Self:
        """What was asked for: the format by the parameter `format`, else by `Accept`; CSV where anything will do.

        Args:
            asked: The parameters.
            accept: The header.
            beside: What else may be asked for.

        Raises:
            BadRequest: A parameter is wrong.
            NotAcceptable: None of ours is accepted.
        """
        for name in asked:
            if name not in (*_KNOWN, *beside):
                raise BadRequest(f"is not a parameter; there is {', '.join((*_KNOWN, *beside))}", field=name)
        form = _format_of(asked, accept)
        told = asked.get("as", "sent" if form is Format.NDJSON else "shown")
        if told not in _AS:
            raise BadRequest("must be one of shown, sent", field="as")
        if form is Format.NDJSON and told == "shown":
            reason = "ndjson is what POST /api/v1/readings takes back, so it is as sent; ask for csv or parquet"
            raise BadRequest(reason, field="as")
        return cls(form, told == "sent")


_KNOWN = ("format", "as")
_AS = frozenset({"shown", "sent"})


def _format_of(asked: Mapping[str, str], accept: str) -> Format:
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
    """Readings on their way to a client.

    Args:
        pool: Where they are.
        which: Which.
        wish: How they are written.
        descriptions: What is told of the device's channels.
        name: What the file is called, without what it ends with.
    """

    def __init__(self, pool: Pool, which: Which, wish: Wish, descriptions: Descriptions, *, name: str) -> None:
        self._pool = pool
        self._which = which
        self._form = wish.form
        self._descriptions = Descriptions("") if wish.is_sent else descriptions
        self._name = name

    async def headers(self) -> list[Header]:
        """What its answer begins with; `X-Total-Readings` lets a client show how far it is."""
        await asyncio.to_thread(_load)
        from releve.query import counted  # noqa: PLC0415 - with numpy, which only those need who read

        charset = b"; charset=utf-8" if self._form is not Format.PARQUET else b""
        return [
            (b"content-type", self._form.encode() + charset),
            (b"content-disposition", f'attachment; filename="{self._name}.{self._form.suffix}"'.encode()),
            (b"x-total-readings", b"%d" % await counted.count(self._pool, self._which)),
            (b"cache-control", b"no-store"),
        ]

    async def reply(self, request: Request, send: Send) -> None:
        """Stream it as long as the client is there, or say how much it would be.

        Raises:
            NotAcceptable: It is Parquet, and the server lacks what writes that.
            Disconnected: It broke off in the middle.
        """
        if request.method == "HEAD":
            await send({"type": "http.response.start", "status": 200, "headers": await self.headers()})
            await send({"type": "http.response.body", "body": b""})
        else:
            await while_there(request, self.answer(send))

    async def answer(self, send: Send) -> None:
        """Stream it.

        Raises:
            NotAcceptable: It is Parquet, and the server lacks what writes that.
            Disconnected: It broke off in the middle; the connection is cut, so that nobody takes a part for the whole.
        """
        headers = await self.headers()
        from releve.query import counted  # noqa: PLC0415 - with numpy, which only those need who read
        from releve.query.export import writer  # noqa: PLC0415 - the same
        from releve.storage.scan import WHOLE  # noqa: PLC0415 - the same

        into = await writer.writer_of(self._pool, self._which, self._form, self._descriptions)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            await _piece(send, into.head())
            is_first = True
            async for block in counted.blocks(self._pool, self._which, WHOLE):
                parts = (slice(0, SOON), slice(SOON, None)) if is_first and len(block) > SOON else (slice(None),)
                for part in parts:
                    await _piece(send, await asyncio.to_thread(into.page, block.take(part)))
                is_first = False
            await _piece(send, await asyncio.to_thread(into.tail))
        except Exception as error:
            _log.exception("an export broke off", file=self._name)
            raise Disconnected from error
        await send({"type": "http.response.body", "body": b""})


async def _piece(send: Send, body: bytes) -> None:
    if body:
        await send({"type": "http.response.body", "body": body, "more_body": True})


def _load() -> None:
    """Import what exports; the first time takes long, and is not waited for on the event loop."""
    import releve.query.export.writer  # noqa: F401, PLC0415 - see above
