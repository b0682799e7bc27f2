"""`GET /api/v1/devices/{id}/readings`: one page of a device's readings as JSON, CSV or NDJSON."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Self

import msgspec

from releve.http.answer import encode, send_bytes
from releve.http.request import Header, Send
from releve.protocol.clock import EARLIEST_US
from releve.protocol.problem import BadRequest
from releve.query.instant import LATEST_US, instant_us
from releve.storage.pool import Pool

PAGE = 1_000
LARGEST_PAGE = 100_000
PAGE_BYTES = 16 * 1024 * 1024
LARGEST_TABLE = 2_000_000  # cells of a page as CSV
SPAN = ("from", "to")
KNOWN = frozenset({*SPAN, "channels", "limit", "cursor", "order"})
_ID_RANGE = 2**63


class Format(StrEnum):
    """The media types that a page comes in."""

    JSON = "application/json"
    CSV = "text/csv"
    NDJSON = "application/x-ndjson"


class Page(msgspec.Struct, frozen=True):
    """What was asked for.

    Attributes:
        from_us: The first instant.
        to_us: The instant behind the last.
        after: The instant and the identity of the reading at which the page before this one ended, None for the first.
        channels: The channels that are shown; readings that have none of them are left out. None for all.
        limit: Most readings.
        is_descending: Whether the newest comes first.
        format: How they are written.
    """

    from_us: int
    to_us: int
    after: tuple[int, int] | None
    channels: list[str] | None
    limit: int
    is_descending: bool
    format: Format

    @classmethod
    def of(cls, asked: Mapping[str, str], *, accept: str) -> Self:
        """Read the query parameters.

        Raises:
            BadRequest: One of them is unknown or wrong.
        """
        _refuse_unknown(asked)
        from_us, to_us = span_of(asked)
        return cls(
            from_us=from_us,
            to_us=to_us,
            after=_cursor(asked["cursor"]) if "cursor" in asked else None,
            channels=list(dict.fromkeys(name for name in asked.get("channels", "").split(",") if name)) or None,
            limit=_limit(asked),
            is_descending=_choice(asked, "order", ("asc", "desc")) == "desc",
            format=_format(accept),
        )


async def answer_page(pool: Pool, send: Send, *, device_id: int, teams: Sequence[int], page: Page) -> None:
    """Answer one page of what these teams own; `next` (and the header Link) names the following one, if any.

    A page ends early where its readings are large.

    Raises:
        BadRequest: A table would have too many cells.
    """
    await asyncio.to_thread(_load)
    from releve.query.device.found import found  # noqa: PLC0415 - with numpy, which only those need who read

    written = await found(pool, device_id, teams, page)
    cursor = None
    if written.next is not None:
        cursor = urlsafe_b64encode("{}:{}".format(*written.next).encode()).decode()
    headers: list[Header] = [(b"content-type", f"{page.format}; charset=utf-8".encode())]
    if cursor is not None:
        headers.append((b"link", f'<?cursor={cursor}>; rel="next"'.encode()))
    body = written.body
    if page.format is Format.JSON:
        body = b'{"device":%d,"readings":[%b],"next":%b}' % (device_id, body, encode(cursor))
    await send_bytes(send, 200, body, headers)


def _load() -> None:
    """Import what reads; the first time takes long, and is not waited for on the event loop."""
    import releve.query.device.found  # noqa: F401, PLC0415 - see above


def span_of(asked: Mapping[str, str]) -> tuple[int, int]:
    """The first instant that is asked for, and the one behind the last: by default all of them.

    Raises:
        BadRequest: One of them is none.
    """
    return _instant(asked, "from", EARLIEST_US), _instant(asked, "to", LATEST_US)


def _refuse_unknown(asked: Mapping[str, str]) -> None:
    for name in asked:
        if name not in KNOWN:
            raise BadRequest(f"is not a parameter; there are {', '.join(sorted(KNOWN))}", field=name)


def _choice(asked: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = asked.get(name, choices[0])
    if value not in choices:
        raise BadRequest(f"must be one of {', '.join(choices)}", field=name)
    return value


def _instant(asked: Mapping[str, str], name: str, default_us: int) -> int:
    return instant_us(asked[name], field=name) if name in asked else default_us


def _limit(asked: Mapping[str, str]) -> int:
    text = asked.get("limit", str(PAGE))
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:10]) <= LARGEST_PAGE:
        raise BadRequest(f"must be a whole number from 1 to {LARGEST_PAGE}", field="limit")
    return int(text)


def _cursor(text: str) -> tuple[int, int]:
    try:
        time_us, _, own_id = urlsafe_b64decode(text.encode("ascii")).decode("ascii").partition(":")
        position = int(time_us), int(own_id)
    except ValueError as error:
        raise BadRequest("is not one that this address gave", field="cursor") from error
    if not (0 <= position[0] <= LATEST_US and -_ID_RANGE <= position[1] < _ID_RANGE):
        raise BadRequest("is not one that this address gave", field="cursor")
    return position


def _format(accept: str) -> Format:
    for wanted in accept.lower().split(","):
        media = wanted.partition(";")[0].strip()
        if media in ("application/x-ndjson", "application/ndjson", "application/jsonl"):
            return Format.NDJSON
        if media == Format.CSV:
            return Format.CSV
        if media in (Format.JSON, "*/*", "application/*"):
            return Format.JSON
    return Format.JSON
