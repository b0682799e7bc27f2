"""Measures acknowledged QoS 1 publishes a second, beside Mosquitto and beside our own HTTP."""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, where `http.py` hides the standard library's `http`.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
import json
import shutil
from contextlib import ExitStack
from dataclasses import asdict, replace

from bench.installation import Installation, temporary_folder
from bench.load import Load, Measured, Publishing, drive, wrk_or_exit
from bench.report import Promise, table
from bench.server import Running, Server, free_port, started, together

DESCRIPTION = """\
Measures how many QoS 1 publishes a second Relevé acknowledges, one gym reading a publish.

It starts all that it needs on this machine and on loopback: an embedded PostgreSQL in a temporary
folder, the migrations, one device, and the servers below. They are driven in alternation, round
after round, so that a noisy machine is noisy for all of them; a short first round warms up and is
not shown.

  mosquitto  takes the same publishes and acknowledges them from memory: it keeps and commits nothing
  mqtt       Relevé: a PUBACK is sent once the reading is decoded, checked and committed
  http       the same worker over POST /data with `wrk`, one reading a request, 64 connections

Afterwards it counts: what was acknowledged must be in the database. It exits with 1 when it is not.
"""
EXAMPLES = """\
examples:
  python bench/mqtt.py                              about a minute
  python bench/mqtt.py --connections 100 --window 10 --rounds 5
  python bench/mqtt.py --seconds 10 --json

bench/README.md says how to read the table.
"""
WARM_UP_S = 1
WRK_THREADS = 2
WRK_CONNECTIONS = 64


def main() -> int:
    """Measure, print, check."""
    asked = arguments()
    publishing = Publishing(connections=asked.connections, window=asked.window, seconds=asked.seconds)
    wrk = Load(wrk_or_exit(), connections=WRK_CONNECTIONS, threads=WRK_THREADS, seconds=asked.seconds)
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        mqtt_port = free_port()
        installation = stack.enter_context(Installation(folder, mqtt_port=mqtt_port))
        mosquitto = stack.enter_context(started(broker(folder)))
        http = together(stack.enter_context(started(one)) for one in installation.workers(asked.workers))["releve"]
        mqtt = Running(replace(http.server, port=mqtt_port), http.pids)

        def one_round(publishing: Publishing, wrk: Load) -> dict[str, Measured]:
            return {
                "mosquitto": publishing.drive(mosquitto, installation, secret=None),
                "mqtt": publishing.drive(mqtt, installation, secret=installation.secret),
                "http": drive(wrk, http, installation),
            }

        warm_up = one_round(replace(publishing, seconds=WARM_UP_S), replace(wrk, seconds=WARM_UP_S))
        rounds = [one_round(publishing, wrk) for _ in range(asked.rounds)]
        most = {"mqtt": asked.connections * asked.window, "http": WRK_CONNECTIONS}
        promise = Promise.of([warm_up, *rounds], installation, http.server, under_way=most)
    show(rounds, promise, as_json=asked.json)
    return 0 if promise.is_kept else 1


def broker(folder: Path) -> Server:
    """A Mosquitto that keeps nothing, not yet started."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        sys.exit("mosquitto is not installed; on Debian or Ubuntu: apt-get install mosquitto")
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n", "utf-8")
    return Server(name="mosquitto", command=[program, "-c", str(settings)], port=port, ready=None)


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is driven (3)")
    parser.add_argument("--seconds", type=int, default=5, help="how long each time (5)")
    parser.add_argument("--connections", type=int, default=8, help="MQTT connections (8)")
    parser.add_argument("--window", type=int, default=100, help="publishes under way on each (100)")
    parser.add_argument("--workers", type=int, default=1, help="worker processes of Relevé (1)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser.parse_args()


def show(rounds: list[dict[str, Measured]], promise: Promise, *, as_json: bool) -> None:
    """Print what was measured."""
    if as_json:
        measured = [{name: asdict(one) for name, one in each.items()} for each in rounds]
        print(json.dumps({"rounds": measured, "promise": asdict(promise)}, indent=2))
        return
    print(table(rounds, limit="mosquitto"))
    print(f"\n{promise}")


if __name__ == "__main__":
    sys.exit(main())
