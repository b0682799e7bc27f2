"""What was kept aside, why, and trying it again: `/api/v1/devices/{id}/quarantine` and its `replay`."""

import asyncio
from collections.abc import Mapping
from typing import Any, Self

import msgspec
from psycopg import AsyncConnection

from releve.http.answer import answer, encode, send_bytes
from releve.http.request import Send
from releve.ingest.path import Path
from releve.ingest.verdict import verdict
from releve.protocol import strict_json
from releve.protocol.contract import CONTRACTS
from releve.protocol.decode import Arrival
from releve.protocol.instant import iso
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import BadReading, BadRequest, NotFound
from releve.protocol.sender import Sender
from releve.storage import bounded
from releve.storage.pool import Pool
from releve.storage.queries import query

PAGE = 100
LARGEST_PAGE = 1_000
PAGE_BYTES = 4 * 1024 * 1024
ROW_BYTES = 512  # what stands around a payload
_LARGEST_ID = 2**62

Row = dict[str, Any]


class Change(msgspec.Struct, frozen=True):
    """What a person corrects before the replay: the timestamp, or the whole reading."""

    timestamp: Any = None
    reading: dict[str, Any] | None = None

    @classmethod
    def of(cls, body: bytes) -> Self:
        """Read the request's body, which may be empty.

        Raises:
            BadReading: It is not an object with `timestamp` or `reading`.
        """
        if not body.strip():
            return cls()
        fields = strict_json.decode(body)
        if type(fields) is not dict:
            raise BadReading("the correction is an object with `timestamp` or `reading`")
        for name in fields:
            if name not in ("timestamp", "reading"):
                raise BadReading("is not a correction; there are timestamp and reading", field=name)
        if fields.get("reading") is not None and type(fields["reading"]) is not dict:
            raise BadReading("must be an object", field="reading")
        return cls(**fields)

    def apply(self, payload: bytes) -> bytes:
        """The payload to replay.

        Raises:
            BadReading: A timestamp cannot be set in what is not a reading.
        """
        if self.reading is not None:
            payload = encode(self.reading)
        if self.timestamp is None:
            return payload
        fields = strict_json.decode(payload)
        if type(fields) is not dict:
            raise BadReading("it is not an object; send the whole `reading`", field="timestamp")
        fields.pop("time", None)
        return encode({**fields, "timestamp": self.timestamp})


async def answer_page(
    connection: AsyncConnection[Any], send: Send, *, device_id: int, teams: list[int | None], asked: Mapping[str, str]
) -> None:
    """Answer a page of what is kept aside, oldest first; `?replayed=1` adds what was replayed.

    A page ends early where its payloads are large; `next` says where to go on.
    """
    for name in asked:
        if name not in ("limit", "after", "replayed"):
            raise BadRequest("is not a parameter; there are after, limit, replayed", field=name)
    limit = _number(asked, "limit", default=PAGE, low=1, high=LARGEST_PAGE)
    after = _number(asked, "after", default=0, low=0, high=_LARGEST_ID)
    rows, has_more = await _find(
        connection,
        device_id=device_id,
        teams=teams,
        after=after,
        limit=limit,
        with_replayed=asked.get("replayed") == "1",
    )
    following = rows[-1]["id"] if has_more else None
    body = await asyncio.to_thread(_page, rows, following)  # binary ones take a while to spell out
    await send_bytes(send, 200, body, ((b"content-type", b"application/json"),))


class Replay:
    """Sends what was kept aside through the path once more, as its device would.

    Args:
        pool: Lends connections.
        path: Takes them to the disk.
        sender: The device, on behalf of the person who asks.
    """

    def __init__(self, pool: Pool, path: Path, sender: Sender) -> None:
        self._pool = pool
        self._path = path
        self._sender = sender

    async def answer(self, send: Send, *, chosen: int | None, change: Change) -> None:
        """Replay one, or all that are open; answer a verdict for each.

        Raises:
            NotFound: There is no such quarantined reading of this device.
            BadReading: The one that was chosen is still wrong.
        """
        async with self._pool.connection() as connection:
            rows, _ = await _find(
                connection, device_id=self._device_id, teams=[self._sender.team_id], chosen=chosen, limit=LARGEST_PAGE
            )
        if chosen is None:
            verdicts = [{"id": row["id"], **verdict(await self._try(row, change))} for row in rows]
            with self._path.timed("answer"):
                await answer(send, 200, {"replayed": verdicts})
            return
        if not rows:
            raise NotFound("there is no such quarantined reading, or it was replayed already")
        receipt = await self._replay(rows[0], change)
        if receipt.outcome is Outcome.QUARANTINED:
            raise BadReading(f"still wrong: {receipt.reason}", field=receipt.field)
        with self._path.timed("answer"):
            await answer(send, 200, {"id": chosen, **verdict(receipt)})

    @property
    def _device_id(self) -> int:
        return self._sender.device_id or 0

    async def _try(self, row: Row, change: Change) -> Receipt:
        try:
            return await self._replay(row, change)
        except BadReading as problem:
            return Receipt(Outcome.QUARANTINED, field=problem.field, reason=problem.detail)

    async def _replay(self, row: Row, change: Change) -> Receipt:
        submission = self._path.read_one(
            change.apply(row["payload"]),
            contract=CONTRACTS[row["contract"]],
            sender=self._sender,
            arrival=Arrival(received_us=row["received_us"], transport="replay", key=None),
        )
        (receipt,) = await self._path.keep(submission)
        if receipt.outcome is not Outcome.QUARANTINED:
            async with self._pool.connection() as connection:
                await connection.execute(query("mark_replayed"), {"device": self._device_id, "id": row["id"]})
        return receipt


async def _find(
    connection: AsyncConnection[Any],
    *,
    device_id: int,
    teams: list[int | None],
    limit: int,
    after: int = 0,
    chosen: int | None = None,
    with_replayed: bool = False,
) -> tuple[list[Row], bool]:
    """The rows, and whether there are more."""
    values = {"device": device_id, "teams": teams, "after": after, "id": chosen}
    return await bounded.page(
        connection,
        "page_quarantine",
        {**values, "limit": limit + 1, "with_replayed": with_replayed},
        limit=limit,
        size=lambda row: len(row["payload"]) + ROW_BYTES,
        most_bytes=PAGE_BYTES,
    )


def _page(rows: list[Row], following: int | None) -> bytes:
    return encode({"quarantine": [_document(row) for row in rows], "next": following})


def _document(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "received": iso(row["received_us"]),
        "contract": row["contract"],
        "transport": row["transport"],
        "field": row["field"],
        "reason": row["reason"],
        "payload": row["payload"].decode("utf-8", "backslashreplace"),
        "replayed": None if row["replayed_us"] is None else iso(row["replayed_us"]),
    }


def _number(asked: Mapping[str, str], name: str, *, default: int, low: int, high: int) -> int:
    text = asked.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or not low <= int(text[:20]) <= high:
        raise BadRequest(f"must be a whole number from {low} to {high}", field=name)
    return int(text)
