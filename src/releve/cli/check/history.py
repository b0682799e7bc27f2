"""Checks of history: whether rows are sealed in time, and how far the take-over of an earlier release's table is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from releve.cli.check.finding import Finding, ok, warn
from releve.serve.process.snapshot import STALE_S, age_s
from releve.storage.queries import query

BEHIND_H = 2
_SEALED = """
    SELECT count(*), coalesce(sum(n), 0), coalesce(sum(bytes), 0), sum(value_count) FROM segment WHERE replaced IS NULL
"""
_BEHIND = f"""
    SELECT count(*) FROM fresh_reading
    WHERE received < now() - interval '{BEHIND_H} hours' AND time < now() - interval '{BEHIND_H} hours'
"""  # noqa: S608 - a number of ours
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0


def sealed(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    """Rows become columns within two hours."""
    try:
        segments, n, size, values = connection.execute(_SEALED).fetchone() or (0, 0, 0, None)
        behind = (connection.execute(_BEHIND.encode()).fetchone() or (0,))[0]
    except psycopg.errors.UndefinedTable:
        return
    detail = f"{n:,} readings in {segments:,} segments" + (f", {size / values:.2f} bytes a value" if values else "")
    if behind:
        yield warn(
            "history",
            f"sealing is behind: {behind:,} readings are rows for more than {BEHIND_H} hours; {detail}",
            "look for service=seal in the log, and run `releve history verify`; nothing is lost meanwhile",
        )
    else:
        yield ok("history", detail)


def taken_over(connection: psycopg.Connection[Any], data_dir: Path) -> Iterator[Finding]:
    """What an earlier release stored as rows is taken over while the server runs."""
    try:
        months = connection.execute(query("takeover_partitions")).fetchall()
    except psycopg.errors.UndefinedTable:
        return
    rows = sum(row[3] for row in months)
    if not rows:
        return
    detail = f"about {rows:,} readings of an earlier release, of {len(months)} months, are rows still"
    yield ok("take-over", f"{detail}; {_pace(data_dir) or 'the server takes them over while it runs'}")


def _pace(data_dir: Path) -> str | None:
    """What the running server says of its pace."""
    try:
        counts = msgspec.json.decode((data_dir / "run" / "maintenance.metrics.json").read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    progress = counts.get("take_over")
    if age_s(counts) > STALE_S or not progress or not progress["per_s"]:
        return None
    return f"{progress['per_s']:,.0f} a second are taken over, so {_long(progress['rows'] / progress['per_s'])} more"


def _long(seconds: float) -> str:
    """A time to wait, in words.

    >>> _long(90), _long(7_300), _long(400_000)
    ('2 minutes', '2 hours', '5 days')
    """
    if seconds < HOUR_S:
        return f"{max(1, round(seconds / MINUTE_S))} minutes"
    return f"{round(seconds / HOUR_S)} hours" if seconds < DAY_S else f"{round(seconds / DAY_S)} days"
