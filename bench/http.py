"""Measures acknowledged POSTs a second, beside a bare answer and beside other ways to build the same thing."""
# ruff: noqa: E402 - see the next comment

import sys
from pathlib import Path

# Run as a script, this folder would come first on the path, and this file would hide the standard library's `http`.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry).resolve() != ROOT / "bench")]

import argparse
import json
from contextlib import ExitStack
from dataclasses import asdict, replace

from bench import peers
from bench.installation import Installation, temporary_folder
from bench.load import Load, Measured, drive, wrk_or_exit
from bench.report import Promise, table
from bench.server import Running, Server, started, together

DESCRIPTION = """\
Measures how many readings a second Relevé acknowledges over HTTP, one reading a request.

It starts all that it needs on this machine and on loopback: an embedded PostgreSQL in a temporary
folder, the migrations, one device, and the servers below. `wrk` then drives them in alternation,
round after round, so that a noisy machine is noisy for all of them; a short first round warms up
and is not shown.

  bare     uvicorn with uvloop and httptools that reads the body and answers a constant: the limit
  releve   POST /data: authenticated, decoded, checked, committed with its neighbours, then answered
  insert   raw ASGI; one INSERT and one commit a request on 16 connections: without group commit
  django   Django REST framework; a serializer and one ORM insert a request, in 8 threads
  fastapi  FastAPI; a model and one INSERT a request, where FastAPI is installed (we do not depend on it)

Afterwards it counts: what was acknowledged must be in the database. It exits with 1 when it is not.
"""
EXAMPLES = """\
examples:
  python bench/http.py                                         about two minutes
  python bench/http.py --peer bare --peer releve --rounds 7
  python bench/http.py --workers 2 --seconds 10 --json

bench/README.md says how to read the table.
"""
WARM_UP_S = 1


def main() -> int:
    """Measure, print, check."""
    asked = arguments()
    load = Load(wrk_or_exit(), connections=asked.connections, threads=asked.threads, seconds=asked.seconds)
    with ExitStack() as stack:
        installation = stack.enter_context(Installation(stack.enter_context(temporary_folder())))
        driven = together(stack.enter_context(started(server)) for server in chosen(asked, installation))

        def one_round(load: Load) -> dict[str, Measured]:
            return {name: drive(load, one, installation) for name, one in driven.items()}

        warm_up = one_round(replace(load, seconds=WARM_UP_S))
        rounds = [one_round(load) for _ in range(asked.rounds)]
        every = [warm_up, *rounds]
        promise = promised(every, installation, driven, asked.connections)
    show(rounds, promise, as_json=asked.json)
    return 1 if promise is not None and not promise.is_kept else 0


def promised(
    rounds: list[dict[str, Measured]], installation: Installation, driven: dict[str, Running], connections: int
) -> Promise | None:
    """Whether all that was acknowledged is in the database; None when we were not driven."""
    if "releve" not in driven:
        return None
    return Promise.of(rounds, installation, driven["releve"].server, under_way={"releve": connections})


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ("bare", "releve", *peers.NAMES)
    parser.add_argument("--peer", action="append", choices=names, help="drive this one; repeatable, all by default")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is driven (3)")
    parser.add_argument("--seconds", type=int, default=5, help="how long each time (5)")
    parser.add_argument("--connections", type=int, default=64, help="kept-alive connections (64)")
    parser.add_argument("--threads", type=int, default=2, help="threads of wrk (2)")
    parser.add_argument("--workers", type=int, default=1, help="worker processes of Relevé (1)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    asked = parser.parse_args()
    asked.peer = asked.peer or [name for name in names if peers.is_installed(name)]
    return asked


def chosen(asked: argparse.Namespace, installation: Installation) -> list[Server]:
    """The servers that were asked for, not yet started; the limit first."""
    workers = installation.workers(asked.workers) if "releve" in asked.peer else []
    others = [peers.server(name, installation) for name in peers.NAMES if name in asked.peer]
    return [*([peers.server("bare", installation)] if "bare" in asked.peer else []), *workers, *others]


def show(rounds: list[dict[str, Measured]], promise: Promise | None, *, as_json: bool) -> None:
    """Print what was measured."""
    if as_json:
        measured = [{name: asdict(one) for name, one in each.items()} for each in rounds]
        print(json.dumps({"rounds": measured, "promise": promise and asdict(promise)}, indent=2))
        return
    print(table(rounds))
    if promise is not None:
        print(f"\n{promise}")


if __name__ == "__main__":
    sys.exit(main())
