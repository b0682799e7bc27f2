"""Checks of the database: its version, its durability, its clock, its tables, and how fast it grows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from releve.cli.check import place
from releve.cli.check.finding import Finding, fail, ok, warn
from releve.protocol.pace import UNITS
from releve.protocol.site import is_loopback
from releve.serve import migration
from releve.storage.queries import query
from releve.storage.session import STRONG_ENOUGH

OLDEST, NEWEST = 15, 18
NAMED = 20
APART_S, FAR_APART_S = 1.0, 10.0
# What was sealed of this month's readings, since a device could send, with what its tables need beside it.
_GROWTH = """
    SELECT sum(bytes) FILTER (WHERE replaced IS NULL AND last >= since)
           * greatest(1, (pg_total_relation_size('segment') + pg_total_relation_size('segment_column')
                          + pg_total_relation_size('ladder'))::float8 / sum(bytes))
           / greatest(extract(epoch FROM now() - since) / 86400, 0.04)
    FROM segment, (
        SELECT greatest(date_trunc('month', now()), min(created_at)) AS since FROM fleet_device
    ) AS month
    GROUP BY since
"""

_COUNTERS = """
    SELECT tick_us, count(*), (array_agg(name ORDER BY name))[1:5]
    FROM boot_anchor JOIN fleet_device ON fleet_device.id = boot_anchor.device_id
    GROUP BY tick_us ORDER BY tick_us
"""


def version(connection: psycopg.Connection) -> Iterator[Finding]:
    """One that the SQL was tested with."""
    major = connection.info.server_version // 10_000
    text = connection.info.parameter_status("server_version")
    if major < OLDEST:
        yield fail("PostgreSQL", f"version {text}", f"move to PostgreSQL {OLDEST} to {NEWEST}")
    elif major > NEWEST:
        yield warn("PostgreSQL", f"version {text} is newer than any that was tested", f"prefer {OLDEST} to {NEWEST}")
    else:
        yield ok("PostgreSQL", f"version {text}")


def durability(connection: psycopg.Connection) -> Iterator[Finding]:
    """An acknowledgement means committed, so the session's own settings count."""
    for name, good in (
        ("fsync", frozenset({"on"})),
        ("synchronous_commit", STRONG_ENOUGH),
        ("full_page_writes", frozenset({"on"})),
    ):
        value = _one(connection, f"SHOW {name}")
        if value in good:
            yield ok("durability", f"{name} = {value}")
        else:
            mend = f"as superuser: ALTER SYSTEM RESET {name}; ALTER DATABASE … RESET {name}; ALTER ROLE … RESET {name}"
            yield fail("durability", f"{name} = {value}: a crash can lose what was acknowledged", mend)


def clock(connection: psycopg.Connection) -> Iterator[Finding]:
    """Ours and the database's tell the same time."""
    theirs = _one(connection, "SELECT clock_timestamp()")
    apart_s = abs((theirs - datetime.now(UTC)).total_seconds())
    detail = f"the database's differs by {apart_s:.2f} s"
    if apart_s > FAR_APART_S:
        yield fail("clock", detail, "let NTP set both machines' clocks; token lives and readings' times follow them")
    elif apart_s > APART_S:
        yield warn("clock", detail, "let NTP set both machines' clocks")
    else:
        yield ok("clock", detail)


def migrations(url: str) -> Iterator[Finding]:
    """The tables are of this version."""
    missing = migration.missing(url, migration.applications())
    if not missing:
        yield ok("migrations", "the tables are of this version")
        return
    names = ", ".join(sorted(f"{application}.{name}" for application, name in missing))
    yield fail("migrations", f"not applied: {names}", "restart with `releve up`, which applies them")


def counters(connection: psycopg.Connection) -> Iterator[Finding]:
    """In which unit each device's counter counts, as its speed shows."""
    try:
        rows = connection.execute(_COUNTERS.encode()).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return
    for tick_us, count, names in rows:
        more = ", …" if count > len(names) else ""
        devices = f"{count} device{'s' if count > 1 else ''} ({', '.join(names)}{more})"
        if tick_us in UNITS:
            yield ok("counters", f"{devices}: {UNITS[tick_us]}, as the speed shows")
        else:
            yield warn(
                "counters", f"{devices}: the unit is not known yet, taken for ms", "let it send every few seconds"
            )


def disk(connection: psycopg.Connection, growth: float | None) -> Iterator[Finding]:
    """The room on the disk that the database is on, where that is this machine's; else what is known from here."""
    host = connection.info.host
    kept = _directory(connection) if not host or host.startswith("/") or is_loopback(host) else None
    if kept is not None and place.is_there(kept):
        yield from place.room(kept, growth)
        return
    size_gib = _one(connection, "SELECT pg_database_size(current_database())") / place.GIB
    rate = f" and grows by {growth / place.GIB:.3f} GiB a day" if growth else ""
    yield ok("disk", f"the database holds {size_gib:.3f} GiB{rate}; its disk is {host}'s and is not seen from here")


def device_tokens(connection: psycopg.Connection) -> Iterator[Finding]:
    """No device falls silent because its token ends."""
    try:
        rows = connection.execute(query("ending_device_tokens"), {"teams": None}).fetchall()
    except psycopg.errors.UndefinedTable:
        return
    if not rows:
        yield ok("device tokens", "none ends within 30 days")
        return
    named = ", ".join(f"{name} ({ends:%Y-%m-%d})" for _, name, ends, _ in rows[:NAMED])
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    yield warn("device tokens", f"within 30 days ends: {named}{more}", "restart those devices, or have them sign in")


def growth_a_day(connection: psycopg.Connection) -> float | None:
    """Bytes a day of this month's readings; None before the first are sealed."""
    try:
        row = connection.execute(_GROWTH).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return float(row[0]) if row and row[0] else None


def _directory(connection: psycopg.Connection) -> Path | None:
    """Where the server keeps its data; only a role with pg_read_all_settings is told."""
    try:
        return Path(_one(connection, "SHOW data_directory"))
    except psycopg.errors.InsufficientPrivilege:
        return None


def _one(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None
