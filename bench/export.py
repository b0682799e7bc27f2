"""Measures everything of a device as one file, beside `psql \\copy` of the same table, in one run."""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, and its `http` would hide the standard library's.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
import os
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

import psycopg
from bench.columns import readings
from bench.history import EMAIL, Person
from bench.installation import Installation, temporary_folder
from bench.report import aligned
from bench.server import Running, cpu_s, ended_cpu_s, started

from releve.history.pivot import block_of
from releve.history.segment import READINGS
from releve.storage import segments
from releve.storage.reader import ConnectionReader, now

DESCRIPTION = """\
Measures an export of all of a gym machine's readings over HTTP, everything on this machine: an embedded PostgreSQL in a
temporary folder, one worker, a person who signs in. The readings lie in segments as the sealer makes them.

  CSV, NDJSON     GET /api/v1/devices/{id}/export, read to its end and thrown away
  \\copy           the same readings as a table with a column for each channel, by `psql \\copy … to /dev/null csv`

Rounds alternate. "CPU µs" is the processor time of everybody who takes part (worker, control and PostgreSQL; psql and
PostgreSQL) for each reading: on a machine with other work the only figure to compare. It ends with 1 where an export
lacks a reading, or CSV takes more than 2.5 times the processor time of \\copy.
"""
MOST = 2.5
TABLE = """
CREATE TABLE by_hand (
    device_id integer, time timestamptz, id bigint, received timestamptz, sent text, machine_id integer,
    acceleration_x float8, acceleration_y float8, acceleration_z float8, repetitions float8, series_time float8,
    rest_time float8, PRIMARY KEY (device_id, time, id)
)"""
FILL = """
INSERT INTO by_hand SELECT %s, to_timestamp(0) + (us + %s) * interval '1 microsecond', id,
    to_timestamp(0) + (received + %s) * interval '1 microsecond', sent, measured.*
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[])
    AS every (us, id, received, sent, channels),
    json_to_record(channels::json) AS measured (
        machine_id integer, acceleration_x float8, acceleration_y float8, acceleration_z float8, repetitions float8,
        series_time float8, rest_time float8
    )"""


class Taken(NamedTuple):
    """One export.

    Attributes:
        seconds: Until the last byte.
        first_ms: Until the first byte of its body.
        cpu_us: Processor time for each reading.
        lines: How many lines came.
    """

    seconds: float
    first_ms: float
    cpu_us: float
    lines: int


class Bench:
    """An installation with a device that has sent all this.

    Args:
        installation: Runs.
        worker: Answers.
        person: Asks.
        n: How many readings there are.
    """

    def __init__(self, installation: Installation, worker: Running, person: Person, n: int) -> None:
        self._installation = installation
        self._worker = worker
        self._person = person
        self._n = n

    def exported(self, device: int, form: str) -> Taken:
        """Read an export to its end."""
        before_s, began_s = self._cpu_s(), time.perf_counter()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._installation.port}/api/v1/devices/{device}/export?format={form}",
            headers={"Authorization": f"Bearer {self._person.token}"},
        )
        with urllib.request.urlopen(request, timeout=600) as reply:  # noqa: S310 - as above
            lines = reply.read(1).count(b"\n")
            first_ms = (time.perf_counter() - began_s) * 1e3
            while piece := reply.read(1 << 20):
                lines += piece.count(b"\n")
        seconds = time.perf_counter() - began_s
        used_s = self._cpu_s() - before_s
        return Taken(seconds, first_ms, used_s / self._n * 1e6, lines)

    def copied(self) -> Taken:
        """Let psql copy the table of the same readings."""
        before_s, began_s = self._installation.cpu_s() + ended_cpu_s(os.getpid()), time.perf_counter()
        command = "\\copy (SELECT * FROM by_hand ORDER BY device_id, time, id) TO '/dev/null' CSV HEADER"
        database = self._installation.environment["DATABASE_URL"]
        done = subprocess.run(["psql", database, "-Xc", command], capture_output=True, check=True)  # noqa: S607 - of the PATH
        seconds = time.perf_counter() - began_s
        used_s = self._installation.cpu_s() + ended_cpu_s(os.getpid()) - before_s
        return Taken(seconds, 0, used_s / self._n * 1e6, int(done.stdout.split()[-1]) + 1)

    def memory_mb(self) -> float:
        """The most memory that control has had, which answers exports, in megabytes [proc_pid_status(5)]."""
        status = Path(f"/proc/{self._installation.control_pid}/status").read_text("utf-8")
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def _cpu_s(self) -> float:
        control_s = cpu_s([self._installation.control_pid])
        return self._worker.cpu_s() + control_s + self._installation.cpu_s()


def main() -> int:
    """Load, measure, print, check."""
    asked = arguments()
    with ExitStack() as stack:
        installation = stack.enter_context(Installation(stack.enter_context(temporary_folder())))
        worker = stack.enter_context(started(installation.workers(1)[0]))
        password = installation.add("account", EMAIL, "--role", "editor")["password"]
        person = Person.signed_in(f"http://127.0.0.1:{installation.port}", password)
        device = int(installation.add("device", "press", "--contract", "gym")["id"])
        with psycopg.connect(installation.environment["DATABASE_URL"], autocommit=True) as connection:
            n = load(connection, device, asked.readings)
        bench = Bench(installation, worker, person, n)
        found: dict[str, list[Taken]] = {"\\copy": [], "CSV": [], "NDJSON": []}
        for _ in range(asked.rounds):
            found["\\copy"].append(bench.copied())
            found["CSV"].append(bench.exported(device, "csv"))
            found["NDJSON"].append(bench.exported(device, "ndjson"))
        memory_mb = bench.memory_mb()
    lines = [["", "readings/s", "first byte ms", "CPU µs", "of \\copy"]]
    base_us = median(taken.cpu_us for taken in found["\\copy"])
    lines += [row(name, taken, n, base_us) for name, taken in found.items()]
    print(aligned(lines))
    print(f"{n:,} readings; control's memory at most {memory_mb:.0f} MB")
    is_whole = all(taken.lines == n + (name != "NDJSON") for name, each in found.items() for taken in each)
    ratio = median(taken.cpu_us for taken in found["CSV"]) / base_us
    print(f"CSV takes {ratio:.2f} of \\copy" if is_whole else "an export lacks readings")
    return int(not is_whole or ratio > MOST)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=1_000_000, help="how many; 1,000,000 by default")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts")
    return parser.parse_args()


def load(connection: psycopg.Connection, device: int, wanted: int) -> int:
    """Store the same readings again and again, each time later, in segments and as rows; how many they are."""
    connection.execute(TABLE)
    rows = readings("gym", READINGS)
    length_us = rows[-1].time_us - rows[0].time_us + 1_000_000
    block, reader = block_of(rows), ConnectionReader(connection)
    columns = [[row.time_us for row in rows], [row.id for row in rows], [row.received_us for row in rows]]
    texts = [[row.sent for row in rows], [row.channels.decode() for row in rows]]
    rounds = max(1, wanted // READINGS)
    for number in range(rounds):
        later = block.take(slice(None))
        later.time_us, later.received_us = block.time_us + number * length_us, block.received_us + number * length_us
        with connection.transaction():
            now(segments.lock(reader, [device]))
            now(segments.add(reader, device, later))
        connection.execute(FILL, [device, number * length_us, number * length_us, *columns, *texts])
    connection.execute("VACUUM ANALYZE by_hand")
    return rounds * READINGS


def row(name: str, taken: list[Taken], n: int, base_us: float) -> list[str]:
    cpu_us = median(each.cpu_us for each in taken)
    speed = n / median(each.seconds for each in taken)
    first_ms = median(each.first_ms for each in taken)
    return [name, f"{speed:,.0f}", f"{first_ms:.0f}" if first_ms else "", f"{cpu_us:.2f}", f"{cpu_us / base_us:.2f}"]


if __name__ == "__main__":
    sys.exit(main())
