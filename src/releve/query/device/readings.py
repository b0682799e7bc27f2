"""`GET /api/v1/devices/{id}/readings`: one page of a device's readings as JSON, CSV or NDJSON."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Self

import msgspec
from psycopg import AsyncConnection

from releve.http.answer import encode, send_bytes
from releve.http.request import Header, Send
from releve.protocol import cell
from releve.protocol.clock import EARLIEST_US
from releve.protocol.column import OWN_COLUMNS
from releve.protocol.instant import iso
from releve.protocol.problem import BadRequest
from releve.query.instant import LATEST_US, instant_us
from releve.query.run.export import header, table
from releve.storage import bounded

PAGE = 1_000
LARGEST_PAGE = 100_000
ROW_BYTES = 64  # what stands around a reading's channels
PAGE_BYTES = 16 * 1024 * 1024
LARGEST_TABLE = 2_000_000  # cells of a page as CSV
KNOWN = frozenset({"from", "to", "channels", "limit", "cursor", "order"})
_ID_RANGE = 2**63


class Format(StrEnum):
    """The media types that a page comes in."""

    JSON = "application/json"
    CSV = "text/csv"
    NDJSON = "application/x-ndjson"


class Page(msgspec.Struct, frozen=True):
    """What was asked for: the span [from, to), the channels, and where the page before this one ended."""

    values: dict[str, Any]
    is_descending: bool
    format: Format

    @classmethod
    def of(cls, asked: Mapping[str, str], *, accept: str) -> Self:
        """Read the query parameters.

        Raises:
            BadRequest: One of them is unknown or wrong.
        """
        _refuse_unknown(asked)
        is_descending = _choice(asked, "order", ("asc", "desc")) == "desc"
        first_us, last_us = _instant(asked, "from", EARLIEST_US), _instant(asked, "to", LATEST_US)
        if is_descending:
            start, end = (last_us, -_ID_RANGE), first_us
        else:
            start, end = (first_us, -_ID_RANGE), last_us
        if "cursor" in asked:
            start = _cursor(asked["cursor"])
        elif not is_descending:
            start = start[0] - 1, _ID_RANGE - 1  # nothing has this key, and everything from `from` on is after it
        channels = [name for name in asked.get("channels", "").split(",") if name] or None
        values = {
            "after_us": start[0],
            "after_id": start[1],
            "to_us": end,
            "channels": channels,
            "limit": _limit(asked),
        }
        return cls(values, is_descending, _format(accept))


async def answer_page(
    connection: AsyncConnection[Any], send: Send, *, device_id: int, teams: list[int], page: Page
) -> None:
    """Answer one page of what these teams own; `next` (and the header Link) names the following one, if any.

    A page ends early where its readings are large.
    """
    name = "page_readings_descending" if page.is_descending else "page_readings_ascending"
    values = {**page.values, "device": device_id, "teams": teams, "limit": page.values["limit"] + 1}
    rows, has_more = await bounded.page(
        connection, name, values, limit=page.values["limit"], size=_size, most_bytes=PAGE_BYTES
    )
    cursor_text = None
    if has_more:
        cursor_text = urlsafe_b64encode(f"{rows[-1]['time_us']}:{rows[-1]['id']}".encode()).decode()
    headers: list[Header] = [(b"content-type", f"{page.format}; charset=utf-8".encode())]
    if cursor_text is not None:
        headers.append((b"link", f'<?cursor={cursor_text}>; rel="next"'.encode()))
    # In a thread, because a large page takes a second, and others are to be answered meanwhile.
    body = await asyncio.to_thread(_body, rows, page, device_id=device_id, cursor=cursor_text)
    await send_bytes(send, 200, body, headers)


def _body(rows: list[dict[str, Any]], page: Page, *, device_id: int, cursor: str | None) -> bytes:
    if page.format is Format.CSV:
        return _csv(rows, page.values["channels"])
    documents = [_document(row) for row in rows]
    if page.format is Format.NDJSON:
        return b"".join(encode(document) + b"\n" for document in documents)
    return encode({"device": device_id, "readings": documents, "next": cursor})


def _size(row: Mapping[str, Any]) -> int:
    return len(row["channels"]) + ROW_BYTES


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    document = {
        "time": iso(row["time_us"]),
        "id": str(row["id"]),  # beyond 2⁵³, so not a number that every reader of JSON keeps
        "received": iso(row["received_us"]),
        "channels": msgspec.Raw(row["channels"].encode()),
    }
    if row["sent"] is not None:
        document["sent"] = row["sent"]
    return document


def _csv(rows: Sequence[Mapping[str, Any]], channels: list[str] | None) -> bytes:
    """As a run's export has it; `sent` stands there where the time of a reading is not what its sender wrote."""
    decoded = [(row, msgspec.json.decode(row["channels"])) for row in rows]
    names = list(dict.fromkeys(channels or ())) or sorted(_names(values for _, values in decoded))
    if len(names) * len(rows) > LARGEST_TABLE:
        raise _too_wide(len(names))
    own = OWN_COLUMNS if any(row["sent"] is not None for row, _ in decoded) else OWN_COLUMNS[:3]
    lines = [[*own, *header(names)]]
    for row, values in decoded:
        written = [iso(row["time_us"]), str(row["id"]), iso(row["received_us"]), cell.write_text(row["sent"] or "")]
        lines.append([*written[: len(own)], *(cell.write(values.get(name)) for name in names)])
    return table(lines)


def _names(readings: Iterable[Mapping[str, Any]]) -> set[str]:
    """The channels of a page; it is not looked through to the end where each reading has others."""
    names: set[str] = set()
    for count, values in enumerate(readings, 1):
        names.update(values)
        if len(names) * count > LARGEST_TABLE:
            raise _too_wide(len(names))
    return names


def _too_wide(columns: int) -> BadRequest:
    return BadRequest(
        f"a table of {columns} channels and more is too large; name some `channels`, lower `limit`,"
        " or ask for application/x-ndjson",
        field="channels",
    )


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
