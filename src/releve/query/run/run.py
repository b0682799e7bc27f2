"""A run as the data plane reads it: where its readings are, and which of them count."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, LiteralString

import msgspec
from psycopg.rows import dict_row, tuple_row

from releve.protocol.run.part import split_part
from releve.storage.pool import Pool
from releve.storage.queries import query

PAGE = 5_000
_GREATEST_ID = 2**63 - 1


class Run(msgspec.Struct, frozen=True):
    """A run and the exclusions that touch it.

    Attributes:
        id: Its number.
        team_id: The team that it belongs to.
        name: What people call it.
        values: What the statements about it are told.
    """

    id: int
    team_id: int
    name: str
    values: dict[str, Any]


async def find(pool: Pool, number: int) -> Run | None:
    """A run by its number, None when there is none."""
    async with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("find_run"), {"run": number})
        row = await cursor.fetchone()
        if row is None:
            return None
        await cursor.execute(query("find_exclusions"), row)
        exclusions = await cursor.fetchall()
    values = {"device": row["device_id"] or 0, "ended_us": row["ended_us"], **_part(row["part"]), **_out(exclusions)}
    start = {"after_us": row["started_us"] - 1, "after_id": _GREATEST_ID}  # everything from the start on is after it
    return Run(row["id"], row["team_id"], row["name"] or f"{row['kind']} {row['id']}", values | start)


def statement(name: str) -> LiteralString:
    """A statement about a run's readings, put together."""
    text = query(name).replace("/*points*/", query("run_points"))
    return text.replace("/*readings*/", query("run_readings"))


async def rows(pool: Pool, run: Run, name: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a statement about a run answers."""
    async with pool.connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(statement(name), {**run.values, **values})
        return await cursor.fetchall()


async def pages(pool: Pool, run: Run, name: str, **values: Any) -> AsyncIterator[list[tuple[Any, ...]]]:
    """What a statement answers, page by page; no connection is held while a page is on its way to a slow reader."""
    after: Mapping[str, Any] = {}
    while True:
        page = await rows(pool, run, name, **{**values, **after, "limit": PAGE})
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = {"after_us": page[-1][0], "after_id": page[-1][1]}


def _part(part: str) -> dict[str, Any]:
    name, value = split_part(part)
    try:
        number = json.dumps(int(value)) if value else None
    except ValueError:
        number = None
    return {"part_name": name, "part_number": number, "part_text": json.dumps(value)}


def _out(exclusions: list[dict[str, Any]]) -> dict[str, Any]:
    parts = [split_part(exclusion["part"]) for exclusion in exclusions]
    return {
        "x_since": [exclusion["since"] for exclusion in exclusions],
        "x_until": [exclusion["until"] for exclusion in exclusions],
        "x_reading": [exclusion["reading_id"] for exclusion in exclusions],
        "x_name": [name for name, _ in parts],
        "x_value": [value for _, value in parts],
    }
