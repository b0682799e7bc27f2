"""Measures how much memory an idle MQTT link takes in a worker."""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, where `http.py` hides the standard library's `http`.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
import json
import resource
import time
from contextlib import ExitStack
from dataclasses import replace

from bench.installation import DEVICE, Installation, temporary_folder
from bench.publisher import Connection
from bench.server import Running, free_port, started

DESCRIPTION = """\
Measures how much memory of a worker an idle MQTT link takes.

It starts all that it needs on this machine and on loopback, opens a first hundred links, so that what
is made once is made, then the others. Each has let its client in; with --publishes each has also taken
some readings before it fell idle. What the kernel keeps for the sockets is not the worker's.
"""
EXAMPLES = """\
examples:
  python bench/links.py                              2,000 links
  python bench/links.py --links 500 --publishes 3
"""
OF_ONE_DEVICE = 100
WARM_UP = 100
SETTLE_S = 2.0


def main() -> int:
    """Measure and print."""
    asked = arguments()
    own, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, max(own, asked.links + 1_000)), most))
    with ExitStack() as stack:
        mqtt_port = free_port()
        installation = stack.enter_context(Installation(stack.enter_context(temporary_folder()), mqtt_port=mqtt_port))
        logins = [(DEVICE, installation.secret)]
        for number in range(1, -(-(asked.links + WARM_UP) // OF_ONE_DEVICE)):
            name = f"{DEVICE}-{number}"
            logins.append((name, str(installation.add("device", name, "--contract", "gym")["secret"])))
        worker = stack.enter_context(started(installation.workers(1)[0]))
        running = Running(replace(worker.server, port=mqtt_port), worker.pids)
        links = opened(mqtt_port, logins, range(WARM_UP), asked.publishes)
        before = resident_bytes(running)
        links += opened(mqtt_port, logins, range(WARM_UP, WARM_UP + asked.links), asked.publishes)
        each = (resident_bytes(running) - before) / asked.links
    if asked.json:
        print(json.dumps({"links": asked.links, "publishes": asked.publishes, "bytes_each": round(each)}))
    else:
        print(f"{asked.links:,} idle links after {asked.publishes} publishes each: {each / 1000:.1f} kB a link")
    return 0


def opened(port: int, logins: list[tuple[str, str]], numbers: range, publishes: int) -> list[Connection]:
    """Links that were let in, and have an answer to all that they sent."""
    links = [Connection(port, logins[number // OF_ONE_DEVICE], number=number, run=1) for number in numbers]
    for link in links:
        if publishes:
            link.publish(publishes)
    for link in links:
        while link.acknowledged < publishes:
            link.read()
    return links


def resident_bytes(running: Running) -> int:
    """What the worker holds that is its own, once it has come to rest."""
    time.sleep(SETTLE_S)
    total = 0
    for pid in running.pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                total += int(line.split()[1]) * 1024
    return total


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--links", type=int, default=2_000, help="idle links (2000)")
    parser.add_argument("--publishes", type=int, default=0, help="readings that each took before (0)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
