"""The table of a measurement, and the check of promise P1: what was acknowledged is in the database."""

import re
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self

from bench.installation import Installation
from bench.load import Measured
from bench.server import Server

SETTLE_S = 10.0
_STORED = re.compile(rb'releve_readings_total\{outcome="stored",transport="(?:http|mqtt)"\} ([0-9.e+]+)')
Rounds = Sequence[Mapping[str, Measured]]


@dataclass(frozen=True, kw_only=True)
class Promise:
    """Acknowledged readings beside the rows.

    What is under way when a load generator hangs up is committed, but it counts no answer: at most one a connection
    and round over HTTP, a window of them over MQTT. The server's own count knows those too, so it is compared without
    that allowance.

    Attributes:
        acknowledged: The 2xx answers and PUBACKs that the load generators saw.
        stored: What the workers say they stored.
        rows: What is in the database.
        under_way: How many answers the load generators may have missed at most.
    """

    acknowledged: int
    stored: int
    rows: int
    under_way: int

    @classmethod
    def of(cls, rounds: Rounds, installation: Installation, server: Server, *, under_way: Mapping[str, int]) -> Self:
        """Count, once what was under way has settled.

        Args:
            rounds: All of them, the warm-up too.
            installation: Where the rows are.
            server: Whose metrics are asked.
            under_way: By the names of what reached the database through it, the most answers missed in a round.
        """
        stored = _settled(installation, server)
        return cls(
            acknowledged=sum(each[name].acknowledged for each in rounds for name in under_way),
            stored=stored,
            rows=installation.rows(),
            under_way=sum(under_way.values()) * len(rounds),
        )

    @property
    def is_kept(self) -> bool:
        """Nothing acknowledged is missing, and nothing is there twice."""
        return self.stored == self.rows and 0 <= self.rows - self.acknowledged <= self.under_way

    def __str__(self) -> str:
        verdict = "kept" if self.is_kept else "BROKEN"
        return (
            f"P1 {verdict}: {self.acknowledged} were seen acknowledged, the server counts {self.stored} stored,"
            f" the database holds {self.rows} rows ({self.rows - self.acknowledged} answers were under way"
            f" when the load ended, at most {self.under_way})."
        )


def table(rounds: Rounds, *, limit: str = "bare") -> str:
    """One line a server: each round's answers a second, and the medians; ratios to the one that is the limit."""
    names = list(rounds[0])
    headings = [f"round {number}" for number in range(1, len(rounds) + 1)]
    lines = [
        [
            "server",
            *headings,
            "median/s",
            f"of {limit}",
            "CPU µs",
            f"of {limit}",
            "PG µs",
            "p50 ms",
            "p99 ms",
            "non-2xx",
            "broken",
        ]
    ]
    lines += [_line(name, rounds, limit) for name in names]
    return aligned(lines)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """A table in columns: the first to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _line(name: str, rounds: Rounds, limit: str) -> list[str]:
    measured = [each[name] for each in rounds]
    # The ratio of each round, then their median: a machine that slows down slows both of a round.
    ratios = [each[name].per_second / each[limit].per_second for each in rounds if limit in each]
    costs = [each[limit].cpu_us / each[name].cpu_us for each in rounds if limit in each]
    return [
        name,
        *(f"{one.per_second:,.0f}" for one in measured),
        f"{median(one.per_second for one in measured):,.0f}",
        f"{median(ratios):.2f}" if ratios else "-",
        f"{median(one.cpu_us for one in measured):.0f}",
        f"{median(costs):.2f}" if costs else "-",
        f"{median(one.database_us for one in measured):.0f}",
        f"{median(one.p50_ms for one in measured):.1f}",
        f"{median(one.p99_ms for one in measured):.1f}",
        str(sum(one.refused for one in measured)),
        str(sum(one.broken for one in measured)),
    ]


def _settled(installation: Installation, server: Server) -> int:
    """The workers' own count of what they stored, once it stands still and agrees with the rows, or time is up."""
    deadline_s = time.monotonic() + SETTLE_S
    while (stored := _stored(server)) != installation.rows() and time.monotonic() < deadline_s:
        time.sleep(0.2)
    return stored


def _stored(server: Server) -> int:
    address = f"http://127.0.0.1:{server.port}/metrics"
    with urllib.request.urlopen(address, timeout=30) as reply:
        return sum(int(float(count)) for count in _STORED.findall(reply.read()))
