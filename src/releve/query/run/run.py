"""A run as the data plane reads it: where its readings are, and which of them count."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, LiteralString

import msgspec
from psycopg.rows import dict_row, tuple_row

from releve.storage.counting import LeftOut, counting, counting_values
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
        readings: A statement of its readings that count.
        values: What the statements about it are told.
    """

    id: int
    team_id: int
    name: str
    readings: LiteralString
    values: dict[str, Any]


async def find(pool: Pool, number: int) -> Run | None:
    """A run by its number, None when there is none."""
    async with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query("find_run"), {"run": number})
        row = await cursor.fetchone()
        if row is None:
            return None
        await cursor.execute(query("find_exclusions"), row)
        left_out = [LeftOut(**exclusion) for exclusion in await cursor.fetchall()]
    values = {"device": row["device_id"] or 0, "ended_us": row["ended_us"]} | counting_values(row["part"], left_out)
    start = {"after_us": row["started_us"] - 1, "after_id": _GREATEST_ID}  # everything from the start on is after it
    name = row["name"] or f"{row['kind']} {row['id']}"
    readings = counting(query("run_readings"), row["part"], left_out)
    return Run(row["id"], row["team_id"], name, readings, values | start)


def statement(run: Run, name: str) -> LiteralString:
    """A statement about a run's readings, put together."""
    text = query(name).replace("/*points*/", query("run_points"))
    return text.replace("/*readings*/", run.readings)


async def rows(pool: Pool, run: Run, name: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a statement about a run answers."""
    async with pool.connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(statement(run, name), {**run.values, **values})
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
