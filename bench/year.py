"""Measures charts of ten million readings of a year: from ladders and from columns, beside rows in SQL and InfluxDB."""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, and its `http` would hide the standard library's.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlencode

import numpy as np
import psycopg
from bench import picture
from bench.history import EMAIL, Person
from bench.influx import Influx, influx
from bench.installation import Installation, temporary_folder
from bench.report import aligned
from bench.server import cpu_s, started
from numpy.typing import NDArray

from releve.history.array import all_same
from releve.history.block import Block, Identities
from releve.history.column import Column
from releve.history.identity import Rule
from releve.history.segment import READINGS
from releve.history.sent import Sent
from releve.storage import segments
from releve.storage.reader import ConnectionReader, now

DESCRIPTION = """\
Measures series of 2,000 points over spans of a year in which a device sent 10,000,000 readings, over HTTP, everything
on this machine: an embedded PostgreSQL in a temporary folder, one worker, control, a person who signs in. The readings
go into segments as the sealer makes them; the last ones stay rows.

  cold    the first time that a span is asked for
  warm    the median of the following times, and the processor time that each took of control and of PostgreSQL
  SQL     the same buckets by one statement over the same readings as rows (device_id, time, v), key first
  Influx  the same buckets by InfluxDB 1 over the same readings, where `influxd` is installed

It ends with 1 where a bucket is not what SQL says, a planted spike of one reading is not in the chart of the year,
or one of 200 random zooms, drawn at 1,000 x 300 pixels, differs from the line through all readings in one pixel.
"""
YEAR_US = 365 * 86_400_000_000
START_US = 1_735_689_600_000_000  # 2025-01-01
FRESH = 600
SPIKES = 50
RAW = 2_500  # so few readings are answered as they are
DAYS = (365.0, 182.0, 100.0, 80.0, 30.0, 7.0, 1.0)
ROWS = "CREATE TABLE by_hand (device_id integer, time timestamptz, v float8, PRIMARY KEY (device_id, time))"
KEEP = """
INSERT INTO by_hand SELECT %s, to_timestamp(0) + us * interval '1 microsecond', v
FROM unnest(%s::bigint[], %s::float8[]) AS each (us, v)"""
FRESH_ROWS = """
INSERT INTO fresh_reading (device_id, time, id, received, channels)
SELECT %s, to_timestamp(0) + us * interval '1 microsecond', us, to_timestamp(0) + us * interval '1 microsecond',
       '{"v":' || v || '}'
FROM unnest(%s::bigint[], %s::float8[]) AS each (us, v)"""
BY_HAND = """
SELECT start, count(*), (array_agg(v ORDER BY time))[1], min(v), max(v), (array_agg(v ORDER BY time DESC))[1]
FROM (
    SELECT time, v, (us - %(origin)s) / %(width)s * %(width)s + %(origin)s AS start
    FROM (
        SELECT time, v, (extract(epoch FROM time) * 1000000)::bigint AS us FROM by_hand
        WHERE device_id = %(device)s AND time >= to_timestamp(0) + %(from)s * interval '1 microsecond'
          AND time < to_timestamp(0) + %(to)s * interval '1 microsecond'
    ) AS each
) AS placed GROUP BY start ORDER BY start"""


class Device(NamedTuple):
    """What a device sent.

    Attributes:
        id: Its number.
        time_us: The instants.
        values: Of its only channel, v.
        spikes: Which readings were planted.
    """

    id: int
    time_us: NDArray[np.int64]
    values: NDArray[np.float64]
    spikes: NDArray[np.int64]


def main() -> int:
    """Load, measure, print, check."""
    asked = arguments()
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        installation = stack.enter_context(Installation(folder))
        stack.enter_context(started(installation.workers(1)[0]))
        connection = stack.enter_context(psycopg.connect(installation.environment["DATABASE_URL"], autocommit=True))
        password = installation.add("account", EMAIL, "--role", "editor")["password"]
        person = Person.signed_in(f"http://127.0.0.1:{installation.port}", password)
        device = made(int(installation.add("device", "year", "--contract", "generic")["id"]), asked.readings)
        load(connection, device)
        beside = stack.enter_context(influx(folder))
        if beside is not None:
            beside.write(device.time_us, device.values)
        lines, faults = [], []
        for days in [each for each in DAYS if asked.readings * each / 365 > RAW]:
            line, wrong = measured(installation, person, connection, beside, device, days, asked.rounds)
            lines.append(line)
            faults += wrong
        faults += unseen(person, device)
        different = zooms(person, device, asked.zooms)
    print(
        aligned(
            [
                [
                    "days",
                    "buckets",
                    "width s",
                    "cold ms",
                    "warm ms",
                    "CPU ms here",
                    "PostgreSQL",
                    "SQL ms",
                    "Influx ms",
                ],
                *lines,
            ]
        )
    )
    print(f"{asked.zooms} zooms: {different} pixels differ" + ("" if beside else "; InfluxDB is not installed"))
    print("\n".join(faults) or "everything is as it should be")
    return 1 if faults or different else 0


def made(device_id: int, n: int) -> Device:
    """A sensor that sends in a steady rhythm but for some hours of silence, with spikes of one reading."""
    chance = np.random.default_rng(10)
    steps = chance.integers(900, 1_100, n) * (YEAR_US // n // 1_000)
    steps[chance.choice(n, 40)] += chance.integers(3_600_000_000, 10_800_000_000, 40)
    values = np.round(20 + 5 * np.sin(np.arange(n) / 5_000) + chance.normal(0, 0.3, n), 2)
    spikes = np.sort(chance.choice(n - FRESH, SPIKES, replace=False))
    values[spikes] = 100 + np.arange(SPIKES)
    return Device(device_id, START_US + np.cumsum(steps), values, spikes)


def load(connection: psycopg.Connection[Any], device: Device) -> None:
    """Store what it sent: as segments, the last ones as rows; and as rows for SQL."""
    connection.execute(ROWS)
    reader = ConnectionReader(connection)
    sealed = len(device.time_us) - FRESH
    for first in range(0, sealed, READINGS):
        here = slice(first, min(first + READINGS, sealed))
        with connection.transaction():
            now(segments.lock(reader, [device.id]))
            now(segments.add(reader, device.id, block(device.time_us[here], device.values[here])))
    rest = [device.id, device.time_us[sealed:].tolist(), device.values[sealed:].tolist()]
    connection.execute(FRESH_ROWS, rest)
    for first in range(0, len(device.time_us), 500_000):
        here = slice(first, first + 500_000)
        connection.execute(KEEP, [device.id, device.time_us[here].tolist(), device.values[here].tolist()])
    connection.execute("VACUUM ANALYZE")


def block(time_us: NDArray[np.int64], values: NDArray[np.float64]) -> Block:
    """Readings as the sealer packs them."""
    n = len(time_us)
    return Block(
        time_us,
        {"v": Column.of_numbers(values)},
        received_us=time_us + 20_000,
        identities=Identities(all_same(Rule.CONTENT, n), np.zeros(n, np.int64)),
        sent=Sent.none(n),
        is_whole=True,
    )


def series(person: Person, device: Device, from_us: int, to_us: int, points: int) -> dict[str, Any]:
    """What the server answers."""
    asked = urlencode({"channel": "v", "from": from_us, "to": to_us, "points": points})
    found: dict[str, Any] = json.loads(person.read("GET", f"/api/v1/devices/{device.id}/series?{asked}"))
    return found


def measured(
    installation: Installation,
    person: Person,
    connection: psycopg.Connection[Any],
    beside: Influx | None,
    device: Device,
    days: float,
    rounds: int,
) -> tuple[list[str], list[str]]:
    """The line of a span that ends with the last reading, and what is not as SQL says."""
    to_us = int(device.time_us[-1]) // 1_000 * 1_000 + 1_000
    from_us = max(START_US, to_us - int(days * 86_400_000_000))
    cold_ms, found = timed(lambda: series(person, device, from_us, to_us, 2_000))
    before_s = cpu_s([installation.control_pid]), installation.cpu_s()
    warm_ms = median(timed(lambda: series(person, device, from_us, to_us, 2_000))[0] for _ in range(rounds))
    own_s, theirs_s = cpu_s([installation.control_pid]) - before_s[0], installation.cpu_s() - before_s[1]
    width_us, [line] = found["width_us"], found["series"]
    origin_us = from_us - (from_us - line["time"][0]) % width_us
    values = {"device": device.id, "from": from_us, "to": to_us, "width": width_us, "origin": origin_us}
    sql_ms, rows = timed(lambda: connection.execute(BY_HAND, values).fetchall())
    told = zip(*(line[name] for name in ("time", "n", "first", "low", "high", "last")), strict=True)
    wrong = [] if list(told) == rows else [f"{days:g} days: not what SQL says"]
    influx_ms = "-"
    if beside is not None:
        influx_ms = f"{timed(lambda: beside.buckets(from_us, to_us, width_us))[0]:,.0f}"
    times = [f"{ms:,.0f}" for ms in (cold_ms, warm_ms, own_s / rounds * 1e3, theirs_s / rounds * 1e3, sql_ms)]
    return [f"{days:g}", f"{len(rows):,}", f"{width_us / 1e6:,.0f}", *times, influx_ms], wrong


def unseen(person: Person, device: Device) -> list[str]:
    """Which spikes the chart of everything does not show."""
    found = series(person, device, START_US, int(device.time_us[-1]) + 1_000_000, 2_000)
    line = found["series"][0]
    place = np.searchsorted(line["time"], device.time_us[device.spikes], side="right") - 1
    shown = np.array(line["high"])[place] >= device.values[device.spikes]
    return [f"the spike {number} is not seen" for number in np.flatnonzero(~shown).tolist()]


def zooms(person: Person, device: Device, n: int) -> int:
    """How many pixels of random zooms differ from the line through all readings."""
    chance = np.random.default_rng(3)
    different = 0
    for _ in range(n):
        length_us = int(YEAR_US * chance.uniform(0.001, 0.98) ** 2) // 1_000 * 1_000
        from_us = int(chance.integers(START_US, START_US + YEAR_US - length_us)) // 1_000 * 1_000
        found = series(person, device, from_us, from_us + length_us, picture.WIDTH)
        if found["raw"]:
            continue
        view = picture.view_of(found, low=float(device.values.min()), high=float(device.values.max()))
        first, last = np.searchsorted(device.time_us, [from_us, from_us + length_us])
        seen = picture.of_readings(device.time_us[first:last], device.values[first:last], view)
        different += int(np.count_nonzero(seen != picture.of_buckets(found["series"][0], view)))
    return different


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """How long it takes, in milliseconds, and what it answers."""
    began = time.perf_counter()
    found = work()
    return (time.perf_counter() - began) * 1e3, found


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=10_000_000, help="readings of the year (10000000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often a span is asked for once it is warm (5)")
    parser.add_argument("--zooms", type=int, default=200, help="how many are drawn (200)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
