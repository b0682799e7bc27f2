"""Measures a look at a thousand devices: the latest value of each, and the day's least and greatest."""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, and its `http` would hide the standard library's.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
import json
import time
from contextlib import ExitStack
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
import psycopg
from bench.history import EMAIL, Person
from bench.installation import Installation, temporary_folder
from bench.report import aligned
from bench.server import cpu_s, started
from bench.year import FRESH_ROWS, KEEP, ROWS, block

from releve.history.segment import READINGS
from releve.storage import segments
from releve.storage.placing import rewrites
from releve.storage.reader import ConnectionReader, now
from releve.storage.segments import Sealed

DESCRIPTION = """\
Measures GET /api/v1/latest of 1,000 devices, each with 30 days of readings, one a minute: the latest number, the day's
least and greatest. All but the last hour is in segments, as large as the sealer leaves them. Everything on this
machine: an embedded PostgreSQL in a temporary folder, one worker, control, a person who signs in.

SQL answers the same by one statement over the day's readings as rows (device_id, time, v), key first: rows of the other
29 days are not there to be passed over. It ends with 1 where both do not say the same.
"""
DAYS, FRESH = 30, 60
MINUTE_US, DAY_US = 60_000_000, 86_400_000_000
MORE = """
INSERT INTO fleet_device SELECT (jsonb_populate_record(NULL::fleet_device, to_jsonb(device) || jsonb_build_object(
    'id', device.id + number, 'name', 'fleet-' || number,
    'secret_hash', md5(number::text) || md5('fleet' || number)))).*
FROM fleet_device AS device, generate_series(1, %s) AS number WHERE device.id = %s"""
BY_HAND = """
SELECT device_id, (array_agg(v ORDER BY time DESC))[1], min(v), max(v) FROM by_hand
WHERE time >= to_timestamp(0) + %s * interval '1 microsecond' GROUP BY device_id ORDER BY device_id"""


def main() -> int:
    """Load, measure, print, check."""
    asked = arguments()
    with ExitStack() as stack:
        installation = stack.enter_context(Installation(stack.enter_context(temporary_folder())))
        stack.enter_context(started(installation.workers(1)[0]))
        connection = stack.enter_context(psycopg.connect(installation.environment["DATABASE_URL"], autocommit=True))
        password = installation.add("account", EMAIL, "--role", "editor")["password"]
        person = Person.signed_in(f"http://127.0.0.1:{installation.port}", password)
        first = int(installation.add("device", "fleet", "--contract", "generic")["id"])
        connection.execute(MORE, [asked.devices - 1, first])
        connection.execute(ROWS)
        day_us = load(connection, range(first, first + asked.devices))
        lines, agrees = [], True
        for name, since_us in (("day of UTC", day_us), ("day of another zone", day_us - DAY_US // 12)):
            line, same = measured(installation, person, connection, name, since_us, asked)
            lines.append(line)
            agrees = agrees and same
    print(aligned([["since", "first ms", "ms", "CPU ms here", "CPU ms PostgreSQL", "SQL ms"], *lines]))
    print("agrees with SQL" if agrees else "DOES NOT AGREE WITH SQL")
    return 0 if agrees else 1


def load(connection: psycopg.Connection[Any], devices: range) -> int:
    """Store what they sent until an hour before midnight; the start of the last day."""
    chance = np.random.default_rng(4)
    reader = ConnectionReader(connection)
    end_us = time.time_ns() // 1_000 // DAY_US * DAY_US
    n = DAYS * 1_440 - 60
    edges = pieces(n - FRESH)
    for device in devices:
        time_us = end_us - DAYS * DAY_US + np.arange(n) * MINUTE_US + chance.integers(0, MINUTE_US, n)
        values = np.round(20 + 5 * np.sin(np.arange(n) / 230 + device) + chance.normal(0, 0.3, n), 2)
        with connection.transaction():
            now(segments.lock(reader, [device]))
            for first, last in pairwise(edges):
                now(segments.add(reader, device, block(time_us[first:last], values[first:last])))
        connection.execute(FRESH_ROWS, [device, time_us[-FRESH:].tolist(), values[-FRESH:].tolist()])
        day = time_us >= end_us - DAY_US - DAY_US // 12
        connection.execute(KEEP, [device, time_us[day].tolist(), values[day].tolist()])
    connection.execute("VACUUM ANALYZE")
    return end_us - DAY_US


def pieces(n: int) -> list[int]:
    """Where segments end that the sealer made of so many readings, an hour's at a time."""
    sealed: list[Sealed] = []
    for first in range(0, n, FRESH):
        fresh = np.arange(first, min(first + FRESH, n))
        for each in rewrites(sealed, fresh):
            begin = min([int(fresh[0]), *(old.first_us for old in each.segments)])
            end = begin + each.n
            count = max(1, round(each.n / READINGS))
            bounds = [begin + (end - begin) * place // count for place in range(count + 1)]
            new = [Sealed(0, last - since, since, last - 1, 7 * (last - since)) for since, last in pairwise(bounds)]
            sealed = sorted([*(old for old in sealed if old not in each.segments), *new], key=lambda it: it.first_us)
    return [0, *(each.last_us + 1 for each in sealed)]


def measured(
    installation: Installation,
    person: Person,
    connection: psycopg.Connection[Any],
    name: str,
    since_us: int,
    asked: argparse.Namespace,
) -> tuple[list[str], bool]:
    """The line of one question, and whether it agrees with SQL."""
    devices = "&".join(f"device={number}" for (number,) in connection.execute("SELECT DISTINCT device_id FROM by_hand"))
    path = f"/api/v1/latest?channel=v&from={since_us}&{devices}"
    taken, own, theirs, found = [], [], [], b""
    for _ in range(asked.rounds + 1):
        before = time.perf_counter(), cpu_s([installation.control_pid]), installation.cpu_s()
        found = person.read("GET", path)
        taken.append((time.perf_counter() - before[0]) * 1e3)
        own.append((cpu_s([installation.control_pid]) - before[1]) * 1e3)
        theirs.append((installation.cpu_s() - before[2]) * 1e3)
    began = time.perf_counter()
    rows = connection.execute(BY_HAND, [since_us]).fetchall()
    sql_ms = (time.perf_counter() - began) * 1e3
    told = [
        (each["device"], *(each["channels"]["v"][name] for name in ("last", "low", "high")))
        for each in json.loads(found)["devices"]
    ]
    figures = (taken[0], median(taken[1:]), median(own[1:]), median(theirs[1:]), sql_ms)
    return [name, *(f"{ms:,.0f}" for ms in figures)], told == rows


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1_000, help="how many (1000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often it is looked at them (5)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
