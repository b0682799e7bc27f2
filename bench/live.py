"""Measures what live viewers cost the ingest process, in processor time for a reading."""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, and its `http` would hide the standard library's.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from statistics import median

from bench.history import EMAIL, Person
from bench.installation import Installation, temporary_folder
from bench.load import Load, drive, wrk_or_exit
from bench.report import aligned
from bench.server import Running, cpu_s, started

DESCRIPTION = """\
Measures what live viewers cost ingest.

Eight connections post single readings for some seconds: alone, then while viewers have a live stream
(GET /api/v1/live) each. Ten other devices report five times a second all the while, and fifty viewers
follow each. Then one viewer of all devices, the driven one too, reads nothing at all. One ingest worker;
all on this machine.

  ingest     processor time of the ingest process for one reading
  of a core  what the process used beyond what the same readings cost alone in the same round, as a part of one
             core, which is all that it has: so much of its throughput viewers take, at most 0.10
  events     what the viewers got
"""
EXAMPLES = """\
examples:
  python bench/live.py                          about a minute
  python bench/live.py --seconds 2 --rounds 1   to see that it works
  python bench/live.py --json
"""
ALONE, WATCHED, STUCK = "alone", "viewers", "one that reads nothing"
DEVICES, EACH_HZ, OF_ONE = 10, 5, 80
MOST_OF_CORE = 0.10


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One measurement.

    Attributes:
        per_second: Readings acknowledged a second.
        p99_ms: 99 of 100 came within this.
        answered: How many those were.
        used_s: Processor time of the ingest process, in seconds.
        seconds: How long it was driven.
        events: What viewers got.
    """

    per_second: float
    p99_ms: float
    answered: int
    used_s: float
    seconds: int
    events: int

    @property
    def ingest_us(self) -> float:
        """Processor time of the ingest process for one reading, in microseconds."""
        return 1e6 * self.used_s / max(self.answered, 1)


@dataclass
class Watching:
    """Viewers in a loop of their own."""

    port: int
    heads: list[str]
    is_stuck: bool = False
    events: int = 0
    opened: threading.Event = field(default_factory=threading.Event)

    async def run(self, is_over: threading.Event) -> None:
        """Open all streams, then read until it is over."""
        pairs = []
        for head in self.heads:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(head.encode())
            status = await reader.readline()
            if b" 200 " not in status:
                raise SystemExit(f"a viewer was answered {status!r}: {await reader.read(2_000)!r}")
            pairs.append((reader, writer))
        self.opened.set()
        reading = [asyncio.create_task(self._read(reader)) for reader, _ in pairs if not self.is_stuck]
        await asyncio.to_thread(is_over.wait)
        for task in reading:
            task.cancel()
        for _, writer in pairs:
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while piece := await reader.read(65_536):
            self.events += piece.count(b"\nid: ")


def main() -> int:
    """Measure, print the table, and say whether the promise holds."""
    asked = arguments()
    wrk = Load(wrk_or_exit(), connections=8, threads=1, seconds=asked.seconds)
    with ExitStack() as stack:
        installation = stack.enter_context(Installation(stack.enter_context(temporary_folder())))
        devices = [installation.add("device", f"watched-{number}") for number in range(DEVICES)]
        heads = heads_of(devices, asked.viewers)
        running = stack.enter_context(started(installation.workers(1)[0]))
        tokens = tokens_of(installation, len(heads) // OF_ONE + 1)
        rounds = []
        for _ in range(asked.rounds):
            with reporting(installation.port, [device["secret"] for device in devices]):
                wanted = [head.replace("TOKEN", tokens[place // OF_ONE]) for place, head in enumerate(heads)]
                driven = head_of("", tokens[0])
                rounds.append({
                    ALONE: measure(wrk, running, installation, Watching(installation.port, [])),
                    f"{len(heads)} {WATCHED}": measure(wrk, running, installation, Watching(installation.port, wanted)),
                    STUCK: measure(wrk, running, installation, Watching(installation.port, [driven], is_stuck=True)),
                })  # fmt: skip
    as_json = [{name: asdict(found) for name, found in one.items()} for one in rounds]
    print(json.dumps(as_json) if asked.json else table(rounds))
    broken = promises_broken(rounds)
    print("\n".join(broken) or "The promise holds.", file=sys.stderr)
    return 1 if broken else 0


def tokens_of(installation: Installation, count: int) -> list[str]:
    """Access tokens of so many people, because one has a limited number of streams."""
    url = f"http://127.0.0.1:{installation.port}"
    tokens = []
    for number in range(count):
        added = installation.add("account", f"{number}-{EMAIL}", "--role", "viewer")
        signing_in = {"username": added["email"], "password": added["password"]}
        tokens.append(str(Person(url, "").ask("POST", "/api/token/", signing_in)["access"]))
    return tokens


def heads_of(devices: list[dict[str, object]], viewers: int) -> list[str]:
    """What viewers ask for, many of them for the same device; `TOKEN` stands for theirs."""
    numbers = [device["id"] for device in devices]
    return [head_of(f"?device={numbers[viewer % len(numbers)]}", "TOKEN") for viewer in range(viewers)]


def head_of(query: str, token: str) -> str:
    """A request."""
    return f"GET /api/v1/live{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"


@contextmanager
def reporting(port: int, secrets: list[str]) -> Iterator[None]:
    """The devices send readings, one after the other."""
    is_over = threading.Event()

    def report() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        number = 0
        while not is_over.wait(1 / EACH_HZ / len(secrets)):
            number += 1
            headers = {"Authorization": f"Bearer {secrets[number % len(secrets)]}", "Content-Type": "application/json"}
            with suppress(OSError, http.client.HTTPException):
                connection.request("POST", "/api/v1/readings", json.dumps({"speed": number}), headers)
                connection.getresponse().read()

    thread = threading.Thread(target=report)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def measure(wrk: Load, running: Running, installation: Installation, watching: Watching) -> Measurement:
    """Drive single readings while they watch."""
    is_over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(watching.run(is_over)))
    thread.start()
    if not watching.opened.wait(120):
        raise SystemExit("the viewers were not let in")
    before_s, before = cpu_s(running.pids), watching.events
    found = drive(wrk, running, installation)
    used_s, events = cpu_s(running.pids) - before_s, watching.events - before
    is_over.set()
    thread.join()
    return Measurement(
        per_second=found.per_second,
        p99_ms=found.p99_ms,
        answered=found.answered,
        used_s=used_s,
        seconds=wrk.seconds,
        events=events,
    )


def of_core(rounds: list[dict[str, Measurement]], name: str) -> float:
    """What was used beyond what the readings cost alone, as a part of a core, the median of the rounds."""
    return median(
        (one[name].used_s - one[name].answered * one[ALONE].ingest_us / 1e6) / one[name].seconds for one in rounds
    )


def table(rounds: list[dict[str, Measurement]]) -> str:
    """One line for each."""
    lines: list[list[str]] = [["while there are", "readings/s", "p99 ms", "ingest µs", "of a core", "events"]]
    for name in rounds[0]:
        found = [one[name] for one in rounds]
        lines.append([
            name,
            f"{median(each.per_second for each in found):,.0f}",
            f"{median(each.p99_ms for each in found):.1f}",
            f"{median(each.ingest_us for each in found):.1f}",
            f"{of_core(rounds, name):.3f}",
            str(sum(each.events for each in found)),
        ])  # fmt: skip
    return aligned(lines)


def promises_broken(rounds: list[dict[str, Measurement]]) -> list[str]:
    """What is not as it should be."""
    return [
        f"{name}: {of_core(rounds, name):.3f} of a core, wanted at most {MOST_OF_CORE:g}"
        for name in rounds[0]
        if of_core(rounds, name) > MOST_OF_CORE
    ]


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--viewers", type=int, default=500, help="how many (default 500)")
    parser.add_argument("--seconds", type=int, default=5, help="how long each is driven (default 5)")
    parser.add_argument("--rounds", type=int, default=3, help="how often (default 3)")
    parser.add_argument("--json", action="store_true", help="every round as JSON instead of the table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
