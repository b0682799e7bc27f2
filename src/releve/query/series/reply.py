"""Answers a chart: a few at a time, within a deadline, only as long as somebody waits, and not again what is known."""

import asyncio
import zlib
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from releve.http.answer import send_bytes
from releve.http.request import Header, Request, Send, while_there
from releve.protocol.problem import Problem
from releve.query.series.asked import Asked
from releve.query.series.source import Source, with_descriptions
from releve.storage.pool import Pool

if TYPE_CHECKING:
    from releve.query.series.draw import Charts
    from releve.storage.rungs import Silent

AT_ONCE = 2  # so that other routes find a connection and a processor
DEADLINE_S = 60.0
WORTH_PACKING = 1_000
_MEDIA = {"json": b"application/json", "csv": b"text/csv; charset=utf-8"}


class TakesTooLong(Problem):
    """The chart was not drawn in time; ask for a shorter span, or again when less is going on."""

    title = "Takes too long"
    status = 503
    retry_after_s = 10
    puback = None


class Replies:
    """Draws and answers charts.

    Args:
        pool: Where the readings are.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._silent: Silent | None = None

    async def answer(self, request: Request, send: Send, *, asked: Asked, sources: Sequence[Source]) -> None:
        """Answer a chart, or that the one which the client has is still true.

        Raises:
            BadRequest: The answer would be too large, or there is nothing to draw.
            TakesTooLong: It was not drawn in time.
            Disconnected: The client hung up.
        """
        await while_there(request, self._answer(request, send, asked, sources))

    async def _answer(self, request: Request, send: Send, asked: Asked, sources: Sequence[Source]) -> None:
        is_packed = takes_gzip(request.text(b"accept-encoding"))
        try:
            async with asyncio.timeout(DEADLINE_S), self._turn:
                tag, body = await self._tagged(asked, sources, request.text(b"if-none-match"), is_packed=is_packed)
        except TimeoutError as error:
            raise TakesTooLong from error
        headers: list[Header] = [
            (b"etag", tag.encode()),
            (b"cache-control", b"private, no-cache"),
            (b"vary", b"accept, accept-encoding, authorization"),
        ]
        if body is None:
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        headers.append((b"content-type", _MEDIA[asked.format]))
        if is_packed and len(body) >= WORTH_PACKING:
            body = await asyncio.to_thread(zlib.compress, body, 5, 31)
            headers.append((b"content-encoding", b"gzip"))
        await send_bytes(send, 200, body, headers)

    async def _tagged(
        self, asked: Asked, sources: Sequence[Source], known: str, *, is_packed: bool
    ) -> tuple[str, bytes | None]:
        """The answer's tag and its body; no body where the client knows that tag.

        The tag is of what the answer is computed from, which is asked for before and after. Where that cannot be told
        so cheaply, or something came meanwhile, it is of the body itself, and weak.
        """
        await asyncio.to_thread(_load)
        from releve.query.series import document, draw  # noqa: PLC0415 - they bring numpy, which only charts need
        from releve.query.series.version import version  # noqa: PLC0415 - as above
        from releve.storage.rungs import Silent  # noqa: PLC0415 - as above

        if self._silent is None:
            self._silent = Silent()
        sources = await with_descriptions(self._pool, sources)
        spans = await draw.spans_of(self._pool, sources)
        coding = "gzip" if is_packed else "identity"
        before = await version(self._pool, asked, sources, spans, coding=coding)
        if before is not None and is_known(known, f'"{before}"'):
            return f'"{before}"', None
        charts: Charts = await draw.draw(self._pool, asked, sources, spans=spans, silent=self._silent)
        body = await asyncio.to_thread(document.body, asked, sources, charts)
        if before is not None and before == await version(self._pool, asked, sources, spans, coding=coding):
            return f'"{before}"', body
        tag = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
        return tag, None if is_known(known, tag) else body


def is_known(known: str, tag: str) -> bool:
    """Whether `If-None-Match` names the tag, compared weakly (RFC 9110, section 13.1.2).

    >>> is_known('"a", W/"b"', 'W/"b"'), is_known("*", 'W/"b"'), is_known('"a"', 'W/"b"')
    (True, True, False)
    """
    names = [each.strip().removeprefix("W/") for each in known.split(",")]
    return names == ["*"] or tag.removeprefix("W/") in names


def takes_gzip(accepted: str) -> bool:
    """Whether `Accept-Encoding` asks for gzip by its name.

    >>> takes_gzip("br, gzip;q=0.5"), takes_gzip("gzip;q=0"), takes_gzip("identity")
    (True, False, False)
    """
    for each in accepted.lower().split(","):
        coding, _, weight = each.partition(";")
        if coding.strip() in ("gzip", "x-gzip"):
            return weight.replace(" ", "").rstrip("0.") not in ("q=", "q")
    return False


def _load() -> None:
    """Import what draws; the first time takes long, and is not waited for on the event loop."""
    import releve.query.series.document  # noqa: F401, PLC0415 - see above
