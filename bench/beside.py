"""Measures what other people's work costs devices: single readings alone, and beside one other client in a loop."""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, and its `http` would hide the standard library's.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
import itertools
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from urllib.error import URLError

from bench.history import EMAIL, Person, load
from bench.installation import Installation, temporary_folder
from bench.load import Load, Measured, drive, wrk_or_exit
from bench.report import aligned
from bench.server import Running, cpu_s, started

DESCRIPTION = """\
Measures what other people's work costs devices.

Eight connections post single readings for some seconds, alone and then beside one other client that
asks for one thing in a loop: a page of 100,000 readings, a run's export, pages, sign-ins of people,
batches. All on this machine: one ingest worker, control, PostgreSQL, wrk and the other client share
its cores, so on two of them the other client's own share is felt too.

  of alone   readings a second beside it, as a part of the rate alone in the same round
  p99        99 of 100 single readings were acknowledged within this
  ingest     processor time of the ingest process for one reading
  did        how often the other client got its answer
"""
EXAMPLES = """\
examples:
  python bench/beside.py                          about three minutes
  python bench/beside.py --seconds 2 --rounds 1   to see that it works
  python bench/beside.py --json
"""
ALONE = "alone"
LEAST_OF_ALONE, LEAST_OF_ALONE_BATCHES, MOST_P99_MS = 0.6, 0.5, 15.0
BATCHES = "batches of"
_instants = itertools.count(1_770_000_000_000, 20_000)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """One measurement.

    Attributes:
        per_second: Single readings acknowledged a second, with the batches' own where there are any.
        p99_ms: 99 of 100 single readings came within this.
        ingest_us: Processor time of the ingest process for one of them, in microseconds.
        did: How often the other client got its answer.
        refused: Single readings that were not acknowledged.
    """

    per_second: float
    p99_ms: float
    ingest_us: float
    did: int
    refused: int


def main() -> int:
    """Measure, print the table, and say whether the promise holds."""
    asked = arguments()
    wrk = Load(wrk_or_exit(), connections=8, threads=1, seconds=asked.seconds)
    with ExitStack() as stack:
        installation = stack.enter_context(Installation(stack.enter_context(temporary_folder())))
        password = installation.add("account", EMAIL, "--role", "editor")["password"]
        long, _ = load(installation, readings=asked.readings, rate=10, short_races=0)
        running = stack.enter_context(started(installation.workers(1)[0]))
        url = f"http://127.0.0.1:{installation.port}"
        person = Person.signed_in(url, password)
        number = person.open_run(long, "beside")
        others = works(installation, person, url, device=long.device, run=number, password=password)
        rounds = [
            {name: measure(wrk, running, installation, work, batch=batch) for name, (work, batch) in others.items()}
            for _ in range(asked.rounds)
        ]
    if asked.json:
        print(json.dumps([{name: asdict(found) for name, found in one.items()} for one in rounds]))
    else:
        print(table(rounds))
    broken = promises_broken(rounds)
    print("\n".join(broken) or "The promise holds.", file=sys.stderr)
    return 1 if broken else 0


def works(
    installation: Installation, person: Person, url: str, *, device: int, run: int, password: str
) -> dict[str, tuple[Callable[[], object] | None, int]]:
    """What the other client does, and how many readings it sends with it."""

    def sign_in() -> object:
        return Person.signed_in(url, password)

    def read(path: str) -> Callable[[], object]:
        return lambda: person.read("GET", path)

    def batch(count: int) -> Callable[[], object]:
        return lambda: send_batch(url, installation.token, count)

    return {
        ALONE: (None, 0),
        "a page of 100,000 readings": (read(f"/api/v1/devices/{device}/readings?limit=100000"), 0),
        "a run's export": (read(f"/api/v1/runs/{run}/export?format=csv"), 0),
        "a run's summary and buckets": (read(f"/api/v1/runs/{run}/buckets?bucket=7s&limit=100000"), 0),
        "the API document": (read("/api/schema/"), 0),
        "pages": (read("/account/login/"), 0),
        "sign-ins of people": (sign_in, 0),
        f"{BATCHES} 1,000": (batch(1_000), 1_000),
        f"{BATCHES} 10,000": (batch(10_000), 10_000),
    }


def send_batch(url: str, token: str, count: int) -> None:
    """Send readings that nobody has sent before."""
    first = next(_instants)
    items = [{"time": first + number, "channels": {"a": number, "b": 1.5, "c": 2.5}} for number in range(count)]
    headers = {"token": token, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v1/readings", json.dumps(items).encode(), headers)  # noqa: S310 - our own address
    urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 - as above


def measure(
    wrk: Load, running: Running, installation: Installation, work: Callable[[], object] | None, *, batch: int
) -> Beside:
    """Drive single readings beside one other client."""
    before_s = cpu_s(running.pids)
    with looping(work) as done:
        found: Measured = drive(wrk, running, installation)
        did = len(done)
    used_s = cpu_s(running.pids) - before_s
    return Beside(
        per_second=found.per_second + did * batch / wrk.seconds,
        p99_ms=found.p99_ms,
        ingest_us=1e6 * used_s / max(found.answered + did * batch, 1),
        did=did,
        refused=found.refused + found.broken,
    )


@contextmanager
def looping(work: Callable[[], object] | None) -> Iterator[list[int]]:
    """Do it again and again in a thread; what is counted are the times that it was answered."""
    done: list[int] = []
    is_over = threading.Event()

    def loop() -> None:
        while work is not None and not is_over.is_set():
            try:
                work()
            except URLError as error:
                print(f"the other client: {error}", file=sys.stderr)
                is_over.wait(0.5)
            else:
                done.append(1)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield done
    finally:
        is_over.set()
        thread.join()


def of_alone(rounds: list[dict[str, Beside]], name: str) -> float:
    """The rate beside it as a part of the rate alone in the same round, the median of the rounds."""
    return median(one[name].per_second / max(one[ALONE].per_second, 1) for one in rounds)


def table(rounds: list[dict[str, Beside]]) -> str:
    """One line for each other client."""
    lines: list[list[str]] = [["beside", "readings/s", "of alone", "p99 ms", "ingest µs", "did", "refused"]]
    for name in rounds[0]:
        found = [one[name] for one in rounds]
        lines.append([
            name,
            f"{median(each.per_second for each in found):,.0f}",
            f"{of_alone(rounds, name):.2f}",
            f"{median(each.p99_ms for each in found):.1f}",
            f"{median(each.ingest_us for each in found):.0f}",
            str(sum(each.did for each in found)),
            str(sum(each.refused for each in found)),
        ])  # fmt: skip
    return aligned(lines)


def promises_broken(rounds: list[dict[str, Beside]]) -> list[str]:
    """What is not as it should be on two cores that nothing else uses."""
    broken = []
    for name in rounds[0]:
        least = LEAST_OF_ALONE_BATCHES if name.startswith(BATCHES) else LEAST_OF_ALONE
        if of_alone(rounds, name) < least:
            broken.append(f"beside {name}: {of_alone(rounds, name):.2f} of the rate alone, wanted {least}")
        p99_ms = median(one[name].p99_ms for one in rounds)
        if p99_ms > MOST_P99_MS and not name.startswith(BATCHES):
            broken.append(f"beside {name}: p99 {p99_ms:.1f} ms, wanted {MOST_P99_MS:g}")
    return broken


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=5, help="how long each is driven (default 5)")
    parser.add_argument("--rounds", type=int, default=3, help="how often (default 3)")
    parser.add_argument("--readings", type=int, default=400_000, help="in the run that is read (default 400,000)")
    parser.add_argument("--json", action="store_true", help="every round as JSON instead of the table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
