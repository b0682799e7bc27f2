"""Spreads the tables of readings over several machines with Citus, by device; all others stay where they are."""

from typing import Any, Final, NamedTuple

import psycopg
from psycopg import sql

TABLES: Final = ("fresh_reading", "segment", "segment_column", "ladder", "expired_reading", "restored_span")
BY: Final = "device_id"
SHARDS = 64  # twice the workers that anybody wants, so that each has two
# One connection a worker for a statement of one device: the defaults, made for reports, are six times slower here.
SETTINGS: Final = {"citus.max_adaptive_executor_pool_size": "1", "citus.max_cached_conns_per_worker": "16"}


class NoCitus(Exception):
    """The database has no Citus; the message says what to do."""


class Distributed(NamedTuple):
    """One table.

    Attributes:
        table: Its name.
        shards: Into how many parts it is cut.
        was_so: Whether it was before.
    """

    table: str
    shards: int
    was_so: bool


def distribute(connection: psycopg.Connection[Any], *, shards: int = SHARDS) -> list[Distributed]:
    """Distribute the tables of readings, those that are not yet; their rows move along.

    Args:
        connection: To the coordinator, in autocommit mode.
        shards: Into how many parts; those that are distributed already keep theirs.

    Raises:
        NoCitus: The extension is not there.
    """
    if connection.execute("SELECT FROM pg_extension WHERE extname = 'citus'").fetchone() is None:
        raise NoCitus("this database has no Citus: as its superuser, CREATE EXTENSION citus; then add the workers")
    found = []
    for table in TABLES:
        was_so = shards_of(connection, table) is not None
        if not was_so:
            with connection.transaction():
                _distribute(connection, table, shards)
        found.append(Distributed(table, shards_of(connection, table) or 0, was_so))
    for setting, value in SETTINGS.items():
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                sql.Identifier(connection.info.dbname), sql.SQL(setting), sql.Literal(value)
            )
        )
    return found


def shards_of(connection: psycopg.Connection[Any], table: str) -> int | None:
    """Into how many parts a table is cut; None for one that is not distributed."""
    row = connection.execute(
        "SELECT count(*) FROM pg_dist_shard WHERE logicalrelid = to_regclass(%s) HAVING count(*) > 0", [table]
    ).fetchone()
    return int(row[0]) if row else None


def _distribute(connection: psycopg.Connection[Any], table: str, shards: int) -> None:
    """The first table says how, and the rows of a device are together in all of them."""
    with_others = "none" if table == TABLES[0] else TABLES[0]
    count = shards if table == TABLES[0] else None
    connection.execute(
        "SELECT create_distributed_table(to_regclass(%s), %s::text, colocate_with => %s::text, shard_count => %s::int)",
        [table, BY, with_others, count],
    )
