"""What people send to a device: commands, and its configuration."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from releve.http.answer import answer
from releve.http.request import Send
from releve.protocol import command, strict_json
from releve.protocol.instant import iso, us_of
from releve.protocol.problem import BadReading, NotFound, Throttled
from releve.storage.queries import query

LARGEST_BYTES = 65_536
PAGE = 100
_NEWEST = 2**63 - 1

Row = dict[str, Any]


async def answer_new(
    connection: AsyncConnection[Any], send: Send, *, device_id: int, contract: str, by: str, body: bytes
) -> None:
    """Put a command into the device's queue; 202, for it may be offline.

    `{"command": …, "expires_s": 3600}`, or for a car `{"topic": "esp32bis/ajustments", "text": "left"}`.

    Raises:
        BadReading: A field is wrong.
        Throttled: The device has not fetched very many commands.
    """
    wanted = command.of(_object(body), contract=contract)
    values = {
        "device": device_id, "topic": wanted.topic, "body": Jsonb(wanted.body), "by": by,
        "expires_s": wanted.expires_s,
    }  # fmt: skip
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("count_waiting_commands"), {"device": device_id})
        waiting = await cursor.fetchone()
        if waiting is not None and waiting["count"] >= command.MOST_WAITING:
            raise Throttled(f"{waiting['count']} commands wait for this device already")
        await cursor.execute(query("add_command"), values)
        row = await cursor.fetchone()
    await answer(send, 202, _command(row or {}))


async def answer_page(
    connection: AsyncConnection[Any],
    send: Send,
    *,
    device_id: int,
    teams: list[int],
    asked: Mapping[str, str],
    whole: Callable[[str], int],
) -> None:
    """The device's commands while these teams owned it, newest first, with what became of each."""
    before = whole(asked["before"]) if "before" in asked else _NEWEST
    async with connection.cursor(row_factory=dict_row) as cursor:
        values = {"device": device_id, "teams": teams, "before": before, "limit": PAGE}
        await cursor.execute(query("page_commands"), values)
        rows = await cursor.fetchall()
    following = rows[-1]["id"] if len(rows) == PAGE else None
    await answer(send, 200, {"data": [_command(row) for row in rows], "next": following})


async def answer_config(connection: AsyncConnection[Any], send: Send, *, device_id: int) -> None:
    """The device's configuration.

    Raises:
        NotFound: None was ever put.
    """
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("find_config"), {"device": device_id})
        row = await cursor.fetchone()
    if row is None:
        raise NotFound("this device has no configuration")
    await answer(send, 200, _config(row))


async def answer_new_config(
    connection: AsyncConnection[Any], send: Send, *, device_id: int, by: str, body: bytes
) -> None:
    """Replace the device's configuration by any JSON object; the device finds it retained.

    Raises:
        BadReading: It is no object.
    """
    values = {"device": device_id, "body": Jsonb(_object(body)), "by": by}
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("keep_config"), values)
        row = await cursor.fetchone()
    await answer(send, 200, _config(row or {}))


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > LARGEST_BYTES:
        raise BadReading(f"{len(body)} bytes; at most {LARGEST_BYTES}")
    fields = strict_json.decode(body)
    if type(fields) is not dict:
        raise BadReading("must be a JSON object")
    return fields


def _command(row: Row) -> Row:
    state = "answered" if row["answered"] else "delivered" if row["delivered"] else "waiting"
    if state == "waiting" and row["expires"] <= datetime.now(row["expires"].tzinfo):
        state = "expired"
    is_plain = row["topic"] is not None
    return {
        "id": row["id"],
        "command": None if is_plain else row["body"],
        "topic": row["topic"],
        "text": row["body"] if is_plain else None,
        "state": state,
        "answer": _answer(row["answer"]),
        **{name: _iso(row[name]) for name in ("created", "expires", "delivered", "answered")},
        "created_by": row["created_by"],
    }


def _config(row: Row) -> Row:
    return {"config": row["body"], "changed": _iso(row["changed"]), "changed_by": row["changed_by"]}


def _answer(text: str | None) -> Any:
    """What the device answered: as JSON where it is some."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _iso(time: datetime | None) -> str | None:
    return None if time is None else iso(us_of(time))
