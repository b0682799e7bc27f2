"""What the ingest path counts: plain numbers, because a metrics library's locks would cost more than the work.

Served at /metrics by `releve.ingest.metrics`, summed over the workers.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from time import perf_counter
from typing import Any

BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
GROUP_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
STEPS = ("authenticate", "decode", "commit", "answer")


class Histogram:
    """Counts of values per bucket, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def add_all(self, values: Sequence[float]) -> None:
        """Count several."""
        bounds, counts = self.bounds, self.counts
        for value in values:
            counts[bisect_left(bounds, value)] += 1
        self.total += sum(values)


class Timing:
    """Adds the time within it to a histogram; what ends with an exception is not counted."""

    __slots__ = ("_began_s", "_histogram")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._began_s = 0.0

    def __enter__(self) -> None:
        self._began_s = perf_counter()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._histogram.add(perf_counter() - self._began_s)


class Counters:
    """The counts of one worker since it started."""

    def __init__(self) -> None:
        self.outcomes: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.problems: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.sign_ins: defaultdict[str, int] = defaultdict(int)
        self.steps = {step: Histogram(BOUNDS_S) for step in STEPS}
        self.groups = Histogram(GROUP_BOUNDS)
        self.group_s = Histogram(BOUNDS_S)
        self.depth = 0

    def time(self, step: str, elapsed_s: float) -> None:
        """Count how long one submission spent in a step of the path."""
        self.steps[step].add(elapsed_s)

    def times(self, step: str, elapsed_s: Sequence[float]) -> None:
        """Count how long each of several submissions spent in a step."""
        self.steps[step].add_all(elapsed_s)

    def committed(self, readings: int, elapsed_s: float) -> None:
        """Count one group that was committed."""
        self.groups.add(readings)
        self.group_s.add(elapsed_s)

    def ended(self, transport: str, outcome: str, readings: int = 1) -> None:
        """Count readings by how they ended."""
        self.outcomes[transport, outcome] += readings

    def refused(self, transport: str, problem: str) -> None:
        """Count a submission that was refused as a whole."""
        self.problems[transport, problem] += 1

    def signed_in(self, event: str) -> None:
        """Count what became of a device's sign-in."""
        self.sign_ins[event] += 1

    def snapshot(self) -> dict[str, Any]:
        """Everything as plain JSON values, for the sibling worker that is asked for the metrics."""
        return {
            "outcomes": [[*key, count] for key, count in self.outcomes.items()],
            "problems": [[*key, count] for key, count in self.problems.items()],
            "sign_ins": [[event, count] for event, count in self.sign_ins.items()],
            "steps": {step: [histogram.counts, histogram.total] for step, histogram in self.steps.items()},
            "groups": [self.groups.counts, self.groups.total],
            "group_s": [self.group_s.counts, self.group_s.total],
            "depth": self.depth,
        }
