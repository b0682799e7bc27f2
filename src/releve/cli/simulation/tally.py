"""What became of the simulated readings, counted as they end."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

LATENCIES_KEPT = 100_000


@dataclass
class Tally:
    """What became of the readings so far."""

    sent: int = 0
    acknowledged: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))

    def percentile_ms(self, share: float) -> float | None:
        """The latency that this share of the answers kept below, in milliseconds.

        >>> Tally(latencies_s=deque([0.001, 0.002, 0.003])).percentile_ms(0.5)
        2.0
        """
        ordered = sorted(self.latencies_s)
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2) if ordered else None

    def summary(self) -> dict[str, Any]:
        """The numbers to end with."""
        return {
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "stored": self.outcomes["stored"],
            "duplicate": self.outcomes["duplicate"],
            "quarantined": self.outcomes["quarantined"],
            "failed": self.failures.total(),
            "failures": dict(self.failures),
            "p50_ms": self.percentile_ms(0.5),
            "p99_ms": self.percentile_ms(0.99),
        }
