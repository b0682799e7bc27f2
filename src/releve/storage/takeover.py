"""The table of earlier releases, month by month: which there are, and taking away those that are empty."""

from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection, errors, sql

from releve.storage.page import Span
from releve.storage.queries import query
from releve.storage.reader import Reader

LOCK_TIMEOUT: LiteralString = "SET LOCAL lock_timeout = '300ms'"


class Month(NamedTuple):
    """A partition.

    Attributes:
        name: The table.
        span: The readings that it may hold.
        rows: How many it has, as PostgreSQL estimates it.
    """

    name: str
    span: Span
    rows: int


async def months(reader: Reader) -> list[Month]:
    """The partitions that are left, the first month first."""
    rows = await reader.ask(query("takeover_partitions"), {})
    return [Month(name, Span(from_us, to_us), n) for name, from_us, to_us, n in rows]


async def next_device(reader: Reader, month: Month, *, after: int) -> int | None:
    """The next device that has rows of a month; None behind the last one."""
    values = {"after": after, "from_us": month.span.from_us, "to_us": month.span.to_us}
    rows = await reader.ask(query("takeover_device"), values)
    return int(rows[0][0]) if rows else None


async def drop_if_empty(connection: AsyncConnection[Any], month: Month) -> bool:
    """Take a partition away unless it has a row; False also where somebody is using the table, to be tried again.

    It is asked under the lock, so that nothing that an earlier release writes meanwhile is lost.
    """
    table = sql.Identifier(month.name)
    try:
        async with connection.transaction():
            await connection.execute(LOCK_TIMEOUT)
            await connection.execute("LOCK TABLE reading IN ACCESS EXCLUSIVE MODE")
            cursor = await connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(table))
            row = await cursor.fetchone()
            if row is None or row[0]:
                return False
            await connection.execute(sql.SQL("DROP TABLE {}").format(table))
    except (errors.LockNotAvailable, errors.DeadlockDetected, errors.UndefinedTable):
        return False
    return True
