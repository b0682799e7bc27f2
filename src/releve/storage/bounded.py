"""Rows of a statement as long as they fit: a page is bounded in bytes, whatever its rows hold."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from releve.storage.queries import query

Row = dict[str, Any]


async def page(
    connection: AsyncConnection[Any],
    name: str,
    values: Mapping[str, Any],
    *,
    limit: int,
    size: Callable[[Row], int],
    most_bytes: int,
) -> tuple[list[Row], bool]:
    """The first rows of the statement `name`, and whether there are more.

    They come one by one, and the rest is not fetched, so memory holds the page and one row.

    Args:
        connection: An idle connection.
        name: The statement; it is to answer one row more than `limit` where there are more.
        values: What the statement is told.
        limit: Most rows.
        size: Bytes of a row.
        most_bytes: Bytes of a page above which it ends; it holds one row at least.
    """
    rows: list[Row] = []
    held = 0
    async with connection.cursor(row_factory=dict_row) as cursor:
        found: AsyncGenerator[Row, None] = cursor.stream(query(name), values)  # type: ignore[assignment] # it is one
        async with aclosing(found):  # ends the statement, so that the connection is free again
            async for row in found:
                if len(rows) == limit or (rows and held + size(row) > most_bytes):
                    return rows, True
                rows.append(row)
                held += size(row)
    return rows, False
