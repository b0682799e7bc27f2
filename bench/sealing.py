"""What sealing costs and leaves: bytes a value as PostgreSQL's relations measure it, and processor time a reading.

Rows as the lab's devices send them are stored as fresh rows, a stretch of about 8,000 readings at a time as a device of
10 Hz has them after a quarter of an hour, and sealed by the steps of the background work, merging included. Beside them
are the same rows in the table of earlier releases. Processor time is that of this process and of PostgreSQL's backend.
Ends with 1 where a value takes more bytes than promised.
"""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, and its `http` would hide the standard library's.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
from bench.columns import readings
from bench.installation import temporary_folder
from bench.server import cpu_s

from releve.history.block import Row
from releve.serve import migration
from releve.storage import sealing, segments
from releve.storage.embedded import EmbeddedPostgres
from releve.storage.queries import query
from releve.storage.reader import ConnectionReader, now
from releve.storage.scan import EVER

MOST_BYTES = {"gym": 1.0, "car": 1.0, "random": 7.0}
SEALED = ("segment", "segment_column", "ladder")
STRETCH = 8_000
_COPY = "COPY fresh_reading (device_id, time, id, received, channels, sent) FROM STDIN"
_SIZE = "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) AS own (name)"
_AS_ROWS = "INSERT INTO reading SELECT device_id, time, id, received, channels::jsonb, sent FROM fresh_reading"
_MONTHS = (
    "SELECT releve_ensure_partition(time) FROM (SELECT DISTINCT date_trunc('day', time) FROM fresh_reading) AS d (time)"
)


class Cost(NamedTuple):
    """What a kind of device cost, microseconds a reading and bytes."""

    n: int
    values: int
    own_us: float
    postgres_us: float
    written: float
    column_bytes: int
    relation_bytes: int
    row_bytes: int


def measured(connection: psycopg.Connection[Any], kind: str, n: int) -> Cost:
    """Seal some readings of a device, and measure."""
    tables = ", ".join((*SEALED, "fresh_reading", "reading"))
    connection.execute(f"TRUNCATE {tables}".encode())
    rows = readings(kind, n)
    own_s = postgres_s = row_bytes = 0.0
    written = 0
    backend = [connection.info.backend_pid]
    for first in range(0, n, STRETCH):
        _store(connection, rows[first : first + STRETCH])
        connection.execute(_MONTHS.encode())
        connection.execute(_AS_ROWS.encode())
        before_s, backend_s = time.process_time(), cpu_s(backend)
        for step in _steps(connection):
            written += step.written
        own_s += time.process_time() - before_s
        postgres_s += cpu_s(backend) - backend_s
    sealed = now(segments.of_span(ConnectionReader(connection), 1, *EVER))
    connection.execute("UPDATE segment SET replaced = replaced - interval '1 hour'")
    connection.execute(query("drop_replaced"), {"older_s": 900})
    for table in SEALED:
        connection.execute(f"VACUUM (FULL, ANALYZE) {table}".encode())
    relation_bytes = _one(connection, _SIZE, [list(SEALED)])
    row_bytes = _one(connection, "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits", None)
    values = _one(connection, "SELECT sum(value_count) FROM segment WHERE replaced IS NULL", None)
    columns = sum(each.size for each in sealed)
    return Cost(n, values, own_s / n * 1e6, postgres_s / n * 1e6, written / n, columns, relation_bytes, row_bytes)


def _steps(connection: psycopg.Connection[Any]) -> Iterator[sealing.Step]:
    while True:
        with connection.transaction():
            step = now(sealing.seal(ConnectionReader(connection), 1, older_s=-3e9))
        yield step
        if not step.is_more:
            return


def _store(connection: psycopg.Connection[Any], rows: list[Row]) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(["int4", "timestamptz", "int8", "timestamptz", "text", "text"])
        for row in rows:
            copy.write_row((1, _text(row.time_us), row.id, _text(row.received_us), row.channels.decode(), row.sent))


def _text(us: int) -> str:
    seconds, rest = divmod(us, 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:06}Z"


def _one(connection: psycopg.Connection[Any], statement: str, values: Any) -> Any:
    row = connection.execute(statement.encode(), values).fetchone()
    return row[0] if row else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=["gym", "car", "esp32", "random"], help="all by default")
    parser.add_argument("--readings", type=int, default=160_000, help="of each device")
    asked = parser.parse_args()
    is_good = True
    heads = ["device", "B/value", "of columns", "as rows", "us/reading", "PostgreSQL us", "together", "written times"]
    with temporary_folder() as folder:
        postgres = EmbeddedPostgres(Path(folder))
        url = postgres.start()
        try:
            migration.migrate_apart({**os.environ, "DATABASE_URL": url, "RELEVE_DATA_DIR": str(folder)})
            print("  ".join(heads))
            with psycopg.connect(url, autocommit=True) as connection:
                for kind in asked.kinds:
                    cost = measured(connection, kind, asked.readings)
                    a_value = cost.relation_bytes / cost.values
                    figures = [f"{bytes_ / cost.values:.2f}" for bytes_ in (cost.column_bytes, cost.row_bytes)]
                    figures += [f"{us:.1f}" for us in (cost.own_us, cost.postgres_us, cost.own_us + cost.postgres_us)]
                    cells = [kind, f"{a_value:.2f}", *figures, f"{cost.written:.1f}"]
                    print("  ".join(cell.rjust(len(head)) for cell, head in zip(cells, heads, strict=True)), flush=True)
                    is_good &= a_value <= MOST_BYTES.get(kind, a_value)
        finally:
            postgres.stop()
    print("sizes as promised" if is_good else "larger than promised")
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
