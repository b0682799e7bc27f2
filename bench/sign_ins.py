"""Measures how fast a fleet of devices is let in, and what those who are in already keep of their rate meanwhile."""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, and its `http` would hide the standard library's.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from statistics import median

import psycopg
from bench.installation import DEVICE, Installation, temporary_folder
from bench.load import Load, Measured, drive, measured, wrk_or_exit
from bench.report import aligned
from bench.server import Running, started

DESCRIPTION = """\
Measures how fast devices are let in.

A fleet signs in over HTTP, as after a power cut: so many connections, one device after another. Then
the same beside eight connections of devices that are in and post single readings. wrk, PostgreSQL and
the worker share this machine's cores.

  per second   sign-ins answered with a token
  worker µs    processor time of the ingest process for one sign-in
  database µs  PostgreSQL's
  herd s       how long a fleet of --devices takes at that rate
"""
EXAMPLES = """\
examples:
  python bench/sign_ins.py
  python bench/sign_ins.py --devices 2000 --rounds 1   to see that it works
"""
LEAST, HERD_S, LEAST_KEPT = 1500, 10.0, 0.5
FLEET = """
INSERT INTO fleet_device (name, team_id, contract, timezone, secret_hash, is_enabled, created_at)
SELECT 'herd-' || lpad(number::text, 5, '0'), team_id, contract, timezone, secret_hash, true, now()
FROM fleet_device, generate_series(0, %s - 1) AS number WHERE name = %s"""


def main() -> int:
    """Measure, print the table, and say whether the promise holds."""
    asked = arguments()
    wrk = Load(wrk_or_exit(), connections=64, threads=1, seconds=asked.seconds)
    with ExitStack() as stack:
        installation = stack.enter_context(Installation(stack.enter_context(temporary_folder())))
        with psycopg.connect(installation.environment["DATABASE_URL"]) as connection:
            connection.execute(FLEET, (asked.devices, DEVICE))
        running = stack.enter_context(started(installation.workers(1)[0]))
        few = replace(wrk, connections=8)
        sign_in(replace(wrk, seconds=1), running, installation, asked.devices)
        alone = [sign_in(wrk, running, installation, asked.devices) for _ in range(asked.rounds)]
        pairs = [beside(wrk, few, running, installation, asked.devices) for _ in range(asked.rounds)]
    print(table(alone, pairs, devices=asked.devices))
    broken = promises_broken(alone, pairs, devices=asked.devices)
    print("\n".join(broken) or "The promise holds.", file=sys.stderr)
    return 1 if broken else 0


def sign_in(load: Load, running: Running, installation: Installation, devices: int) -> Measured:
    """Let wrk sign devices in."""
    url = f"http://127.0.0.1:{running.server.port}/auth/login"
    command = [
        load.wrk,
        *("--threads", str(load.threads), "--connections", str(load.connections), "--duration", f"{load.seconds}s"),
        *("--timeout", "30s", "--script", str(Path(__file__).with_name("sign_ins.lua")), url, "--"),
        *(str(devices), installation.secret),
    ]
    return measured(command, running, installation)


def beside(
    herd: Load, few: Load, running: Running, installation: Installation, devices: int
) -> tuple[Measured, Measured, Measured]:
    """Readings alone, then sign-ins and readings at the same time."""
    alone = drive(few, running, installation)
    with ThreadPoolExecutor(1) as other:
        asked = other.submit(sign_in, herd, running, installation, devices)
        readings = drive(few, running, installation)
        return alone, asked.result(), readings


def kept(pairs: list[tuple[Measured, Measured, Measured]]) -> float:
    """The rate of readings beside sign-ins as a part of the rate alone, the median of the rounds."""
    return median(readings.per_second / alone.per_second for alone, _, readings in pairs)


def table(alone: list[Measured], pairs: list[tuple[Measured, Measured, Measured]], *, devices: int) -> str:
    """Three lines of medians."""
    lines = [["", "per second", "p50 ms", "p99 ms", "worker µs", "database µs", "herd s", "not 2xx"]]
    rows = {
        "sign-ins": alone,
        "sign-ins beside readings": [each for _, each, _ in pairs],
        "readings alone": [each for each, _, _ in pairs],
        f"readings beside sign-ins ({kept(pairs):.2f})": [each for _, _, each in pairs],
    }
    for name, found in rows.items():
        rate = median(each.per_second for each in found)
        lines.append([
            name,
            f"{rate:,.0f}",
            f"{median(each.p50_ms for each in found):.1f}",
            f"{median(each.p99_ms for each in found):.1f}",
            f"{median(each.cpu_us for each in found):.0f}",
            f"{median(each.database_us for each in found):.0f}",
            f"{devices / rate:.1f}" if name.startswith("sign-ins") else "",
            str(sum(each.refused + each.broken for each in found)),
        ])  # fmt: skip
    return aligned(lines)


def promises_broken(
    alone: list[Measured], pairs: list[tuple[Measured, Measured, Measured]], *, devices: int
) -> list[str]:
    """What is not as it should be on two cores that nothing else uses."""
    rate = median(each.per_second for each in alone)
    herd_s = devices / median(each.per_second for _, each, _ in pairs)
    checks = {
        f"{rate:,.0f} sign-ins a second, wanted {LEAST:,}": rate >= LEAST,
        f"{devices:,} devices are in after {herd_s:.1f} s, wanted {HERD_S:g}": herd_s <= HERD_S,
        f"those who are in keep {kept(pairs):.2f} of their rate, wanted {LEAST_KEPT:g}": kept(pairs) >= LEAST_KEPT,
        "every sign-in is answered": not any(each.refused + each.broken for each in alone),
    }
    return [text for text, holds in checks.items() if not holds]


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=5, help="how long each is driven (default 5)")
    parser.add_argument("--rounds", type=int, default=3, help="how often (default 3)")
    parser.add_argument("--devices", type=int, default=10_000, help="in the fleet (default 10,000)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
