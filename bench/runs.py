"""Measures how long people wait for a run of a million readings, beside the same question in SQL by hand."""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, and its `http` would hide the standard library's.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import psycopg
from bench import by_hand
from bench.history import EMAIL, Person, Stretch, load
from bench.installation import Installation, temporary_folder
from bench.report import aligned
from bench.server import Running, cpu_s, started

DESCRIPTION = """\
Measures how long a race of 1,000,000 readings takes to show, over HTTP, beside SQL by hand.

It starts all that it needs on this machine and on loopback: an embedded PostgreSQL in a temporary
folder, one worker, control, a person who signs in. The readings of a long race, and of many short ones, are
loaded and sealed; the runs are made through the API. Each round makes the long run anew and asks:

  first look        GET /api/v1/runs/{id} of a run that nobody has asked for
  summary           the same again
  5 s, 7 s buckets  ?bucket=5s&fn=mean,low,high, and another width
  /stats_race, /stats_every_5_seconds?race_id=, /get_stats_races (which lists the short races too)

After each answer the same is asked of PostgreSQL in one plain statement over a copy of the readings as
rows. Both must say the same; when they do not, it exits with 1.
"""
EXAMPLES = """\
examples:
  python bench/runs.py                              about two minutes
  python bench/runs.py --readings 100000 --rounds 1 to see that it works
  python bench/runs.py --rate 10 --rounds 5 --json  a race of 28 hours

bench/README.md says how to read the table.
"""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked over HTTP, and by hand."""

    name: str
    path: str
    statement: str
    is_true: Callable[[Any, Sequence[by_hand.Row]], bool]
    width_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question, asked once.

    Attributes:
        ms: Until the whole answer was there.
        cpu_ms: Processor time that the worker, control and PostgreSQL used meanwhile.
        by_hand_ms: The same question by hand.
        by_hand_cpu_ms: Processor time that PostgreSQL used for it.
        agrees: Whether both say the same.
    """

    ms: float
    cpu_ms: float
    by_hand_ms: float
    by_hand_cpu_ms: float
    agrees: bool

    @property
    def ratio(self) -> float:
        """How many times as long as by hand."""
        return self.ms / self.by_hand_ms


class Bench:
    """The person, the database, and what both cost."""

    def __init__(self, installation: Installation, worker: Running, connection: psycopg.Connection[Any]) -> None:
        self._installation = installation
        self._worker = worker
        self._connection = connection
        password = installation.add("account", EMAIL, "--role", "editor")["password"]
        self.person = Person.signed_in(f"http://127.0.0.1:{installation.port}", password)

    def ask(self, question: Question, stretch: Stretch) -> Asked:
        """Ask over HTTP, then by hand."""
        answer, ms, cpu_ms = self._timed(lambda: self.person.read("GET", question.path))
        found, by_hand_ms, by_hand_cpu_ms = self._timed(
            lambda: by_hand.rows(self._connection, question.statement, stretch, width=question.width_s)
        )
        agrees = question.is_true(json.loads(answer), found)
        return Asked(ms=ms, cpu_ms=cpu_ms, by_hand_ms=by_hand_ms, by_hand_cpu_ms=by_hand_cpu_ms, agrees=agrees)

    def _timed(self, work: Callable[[], Any]) -> tuple[Any, float, float]:
        before_s, start_s = self._cpu_s(), time.perf_counter()
        done = work()
        ms = (time.perf_counter() - start_s) * 1e3
        return done, round(ms, 1), round((self._cpu_s() - before_s) * 1e3)

    def _cpu_s(self) -> float:
        return self._worker.cpu_s() + cpu_s([self._installation.control_pid]) + self._installation.cpu_s()


def main() -> int:
    """Load, measure, print, check."""
    asked = arguments()
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        installation = stack.enter_context(Installation(folder))
        worker = stack.enter_context(started(installation.workers(1)[0]))
        connection = stack.enter_context(psycopg.connect(installation.environment["DATABASE_URL"], autocommit=True))
        bench = Bench(installation, worker, connection)
        long, short = load(installation, readings=asked.readings, rate=asked.rate, short_races=asked.short_races)
        for place, stretch in enumerate(short, start=1):
            bench.person.open_run(stretch, f"short {place}")
        rounds = [one_round(bench, long) for _ in range(asked.rounds)]
    show(rounds, as_json=asked.json)
    return 0 if all(one.agrees for each in rounds for one in each.values()) else 1


def one_round(bench: Bench, stretch: Stretch) -> dict[str, Asked]:
    """Make the long run, ask everything about it, and take it away again."""
    number = bench.person.open_run(stretch, "long")
    answers = {question.name: bench.ask(question, stretch) for question in questions(number)}
    bench.person.delete_run(number)
    return answers


def questions(number: int) -> list[Question]:
    """Everything that is asked about the run of this number, in order."""
    run = f"/api/v1/runs/{number}"
    buckets = f"{run}/buckets?fn=mean,low,high&limit=100000&bucket="
    return [
        Question(name="first look", path=run, statement=by_hand.SUMMARY, is_true=by_hand.is_summary),
        Question(name="summary", path=run, statement=by_hand.SUMMARY, is_true=by_hand.is_summary),
        Question(
            name="5 s buckets",
            path=f"{buckets}5s",
            statement=by_hand.BUCKETS,
            is_true=by_hand.is_buckets,
            width_s=5,
        ),
        Question(
            name="7 s buckets",
            path=f"{buckets}7s",
            statement=by_hand.BUCKETS,
            is_true=by_hand.is_buckets,
            width_s=7,
        ),
        Question(
            name="/stats_race",
            path=f"/stats_race?race_id={number}",
            statement=by_hand.STATISTICS,
            is_true=by_hand.is_statistics,
        ),
        Question(
            name="/stats_every_5_seconds",
            path=f"/stats_every_5_seconds?race_id={number}",
            statement=by_hand.EVERY_5_SECONDS,
            is_true=by_hand.is_list,
        ),
        Question(
            name="/get_stats_races",
            path="/get_stats_races",
            statement=by_hand.OF_ALL_RACES,
            is_true=by_hand.is_list,
        ),
    ]


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readings", type=int, default=1_000_000, help="readings of the long race (1000000)")
    parser.add_argument("--rate", type=int, default=100, help="readings a second (100); fewer make more buckets")
    parser.add_argument("--short-races", type=int, default=200, help="races of a minute beside it (200)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each question is asked (3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser.parse_args()


def show(rounds: list[dict[str, Asked]], *, as_json: bool) -> None:
    """Print what was measured."""
    if as_json:
        print(json.dumps({"rounds": [{name: asdict(one) for name, one in each.items()} for each in rounds]}, indent=2))
        return
    numbers = [f"round {number}" for number in range(1, len(rounds) + 1)]
    headings = ["question", *numbers, "median ms", "by hand ms", "ratio", "CPU ms", "by hand CPU ms", "ratio", "agrees"]
    print(aligned([headings, *(_line(name, [each[name] for each in rounds]) for name in rounds[0])]))


def _line(name: str, asked: list[Asked]) -> list[str]:
    cpu_ms, by_hand_cpu_ms = (median(one.cpu_ms for one in asked), median(one.by_hand_cpu_ms for one in asked))
    return [
        name,
        *(f"{one.ms:,.0f}" for one in asked),
        f"{median(one.ms for one in asked):,.0f}",
        f"{median(one.by_hand_ms for one in asked):,.0f}",
        f"{median(one.ratio for one in asked):.2f}",
        f"{cpu_ms:,.0f}",
        f"{by_hand_cpu_ms:,.0f}",
        f"{cpu_ms / max(1.0, by_hand_cpu_ms):.2f}",
        "yes" if all(one.agrees for one in asked) else "NO",
    ]


if __name__ == "__main__":
    sys.exit(main())
