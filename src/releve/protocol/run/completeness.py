"""Whether readings are missing, judged by the rhythm that the readings themselves show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

FIRST_GAPS = 1000  # enough to show a rhythm
PATIENCE = 3  # times the rhythm: one late reading is no gap
MOST_GAPS = 100


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A time in which readings are missing."""

    since: datetime
    until: datetime

    @property
    def length_s(self) -> float:
        """How long it lasted, in seconds."""
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """How many readings came, and how many the rhythm promised; the longest gaps in the order of time."""

    received: int
    expected: int
    rhythm_s: float | None
    gaps: list[Gap]

    @property
    def ratio(self) -> float:
        """Received of expected, 1 when nothing is missing."""
        return self.received / self.expected if self.expected else 1.0


def rhythm_s(times: Sequence[datetime]) -> float | None:
    """The median of the first thousand gaps, in seconds; None for fewer than two readings."""
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times[: FIRST_GAPS + 1])]
    return median(gaps) if gaps else None


def expected(*, received: int, span_s: float, rhythm_s: float | None) -> int:
    """How many readings a rhythm gives in a span that begins and ends with one; never fewer than came.

    >>> expected(received=8, span_s=9.0, rhythm_s=1.0)
    10
    """
    return received if not rhythm_s else max(received, round(span_s / rhythm_s) + 1)


def gaps_of(times: Sequence[datetime], *, longer_than_s: float) -> list[Gap]:
    """The gaps between neighbours that are longer."""
    found = (Gap(since=earlier, until=later) for earlier, later in pairwise(times))
    return [gap for gap in found if gap.length_s > longer_than_s]


def longest(gaps: Sequence[Gap]) -> list[Gap]:
    """The hundred longest, in the order of time."""
    chosen = sorted(gaps, key=lambda gap: (-gap.length_s, gap.since))[:MOST_GAPS]
    return sorted(chosen, key=lambda gap: gap.since)
