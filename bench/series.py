"""Measures how long a chart of a million readings takes over HTTP, and what reading them as columns saves."""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, and its `http` would hide the standard library's.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import Any
from urllib.parse import urlencode

import psycopg
from bench.history import EMAIL, Person, Stretch, load
from bench.installation import Installation, temporary_folder
from bench.report import aligned
from bench.server import cpu_s, started
from psycopg.rows import tuple_row

from releve.history.block import Row
from releve.history.pivot import block_of
from releve.storage.pool import Pool
from releve.storage.scan import Span, blocks

DESCRIPTION = """\
Measures charts of a device with 1,000,000 readings of 4 channels, over HTTP, everything on this machine:
an embedded PostgreSQL in a temporary folder, one worker, control, a person who signs in.

Below them: the same stretch read by storage/scan.py from segments, with one channel or four, and as whole rows of
JSON that are turned into columns here.

The chart of 2,000 points is also computed in one SQL statement. When both do not say the same, it exits with 1.
"""
EVER = Span(0, 4_000_000_000_000_000)
PAGE = 16_384
BY_HAND = """
SELECT bucket, count(*), min(speed), max(speed) FROM (
    SELECT (extract(epoch FROM time) * 1000000)::bigint AS time_us, (channels -> 'speed')::float8 AS speed,
           (((extract(epoch FROM time) * 1000000)::bigint - %(from)s) / %(width)s) AS bucket
    FROM by_hand WHERE device_id = %(device)s
) AS each GROUP BY bucket ORDER BY bucket
"""
ROWS = """
SELECT (extract(epoch FROM time) * 1000000)::bigint, id, (extract(epoch FROM received) * 1000000)::bigint,
       channels::text
FROM by_hand WHERE device_id = %s
  AND (time, id) > (to_timestamp(0) + %s::bigint * interval '1 microsecond', %s::bigint)
ORDER BY time, id LIMIT %s
"""


def main() -> int:
    """Load, measure, print, check."""
    asked = arguments()
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        installation = stack.enter_context(Installation(folder))
        stack.enter_context(started(installation.workers(1)[0]))
        url = installation.environment["DATABASE_URL"]
        connection = stack.enter_context(psycopg.connect(url, autocommit=True))
        password = installation.add("account", EMAIL, "--role", "editor")["password"]
        person = Person.signed_in(f"http://127.0.0.1:{installation.port}", password)
        stretch, _ = load(installation, readings=asked.readings, rate=asked.rate, short_races=0)
        clock = Clock(installation, asked.rounds)
        lines = [clock.line(name, partial(person.read, "GET", path)) for name, path in charts(stretch.device)]
        found = json.loads(person.read("GET", charts(stretch.device)[0][1]))
        lines.append(clock.line("2,000 points in SQL by hand", lambda: by_hand(connection, stretch, found)))
        lines += [
            clock.line(f"columns of {len(names)}, read only", partial(columns, url, stretch.device, names))
            for names in (["speed"], ["speed", "track", "battery", "distance"])
        ]
        lines.append(clock.line("rows, read and turned", lambda: whole_rows(connection, stretch.device)))
        agrees = says_the_same(found, by_hand(connection, stretch, found))
    print(aligned([["question", "ms, each round", "median ms", "CPU ms here", "CPU ms PostgreSQL"], *lines]))
    print("agrees with SQL" if agrees else "DOES NOT AGREE WITH SQL")
    return 0 if agrees else 1


def charts(device: int) -> list[tuple[str, str]]:
    """What is asked over HTTP."""
    path = f"/api/v1/devices/{device}/series?"
    three = [("channel", "speed"), ("channel", "battery"), ("channel", "distance")]
    hourly = {"channel": "speed", "bucket": "1m", "zone": "Europe/Paris", "fn": "mean,p95,time_weighted_mean"}
    return [
        ("2,000 points of 1 channel", path + "channel=speed"),
        ("2,000 points of 3 channels", path + urlencode(three)),
        ("minutes: mean, p95, weighted", path + urlencode(hourly)),
    ]


class Clock:
    """Times questions."""

    def __init__(self, installation: Installation, rounds: int) -> None:
        self._installation = installation
        self._rounds = rounds

    def line(self, name: str, work: Callable[[], Any]) -> list[str]:
        """Ask a question some times."""
        taken, own, theirs = [], [], []
        for _ in range(self._rounds):
            before = time.perf_counter(), self._own_s(), self._installation.cpu_s()
            work()
            taken.append((time.perf_counter() - before[0]) * 1e3)
            own.append((self._own_s() - before[1]) * 1e3)
            theirs.append((self._installation.cpu_s() - before[2]) * 1e3)
        each = " ".join(f"{ms:,.0f}" for ms in taken)
        return [name, each, *(f"{median(values):,.0f}" for values in (taken, own, theirs))]

    def _own_s(self) -> float:
        """Of control and of this program."""
        return cpu_s([self._installation.control_pid]) + time.process_time()


def by_hand(connection: psycopg.Connection[Any], stretch: Stretch, found: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The number, the least and the greatest speed of each bucket."""
    values = {"device": stretch.device, "from": found["from"], "width": found["width_us"]}
    return connection.execute(BY_HAND, values).fetchall()


def says_the_same(found: dict[str, Any], rows: list[tuple[Any, ...]]) -> bool:
    """Whether the chart has the buckets that SQL has."""
    [line] = found["series"]
    return list(zip(line["n"], line["low"], line["high"], strict=True)) == [row[1:] for row in rows]


def columns(url: str, device: int, names: list[str]) -> int:
    """Read everything as the routes read it."""

    async def read() -> int:
        pool = Pool(url, application="bench")
        n = 0
        async for block in blocks(pool, device, names, EVER):
            n += len(block)
        await pool.close()
        return n

    return asyncio.run(read())


def whole_rows(connection: psycopg.Connection[Any], device: int) -> int:
    """Read everything as rows of JSON, and turn them into the same columns."""
    n, after = 0, (-1, 0)
    with connection.cursor(row_factory=tuple_row) as cursor:
        while True:
            rows = cursor.execute(ROWS, [device, *after, PAGE]).fetchall()
            if not rows:
                return n
            block_of([Row(*row[:3], row[3].encode()) for row in rows])
            n, after = n + len(rows), (rows[-1][0], rows[-1][1])


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=1_000_000, help="readings of the device (1000000)")
    parser.add_argument("--rate", type=int, default=100, help="readings a second (100)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each question is asked (3)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
