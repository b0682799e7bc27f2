"""How fast readings are being committed, as measured; what a group and the queue may hold follows from it."""

GROUP_S = 0.1  # what a small sender waits for when a flood's group is under way
QUEUE_S = 1.0
LARGEST_GROUP = 10_000
SMALLEST_GROUP = 256
SMALLEST_QUEUE = 1_000
TELLING = 64  # readings of a group below which its time says nothing but how long a commit takes
_FIRST_PER_S = 20_000.0  # before anything was measured
_WEIGHT = 0.2


class Pace:
    """Readings a second that one writer commits, the last groups counting most."""

    def __init__(self) -> None:
        self._per_s = _FIRST_PER_S

    def note(self, readings: int, elapsed_s: float) -> None:
        """A group was committed in so long."""
        if readings >= TELLING:
            self._per_s += _WEIGHT * (readings / max(elapsed_s, 1e-6) - self._per_s)

    @property
    def group(self) -> int:
        """Most readings of one group, so that its commit takes about `GROUP_S`."""
        return min(LARGEST_GROUP, max(SMALLEST_GROUP, int(self._per_s * GROUP_S)))

    @property
    def queue(self) -> int:
        """Readings that are about `QUEUE_S` of work."""
        return max(SMALLEST_QUEUE, int(self._per_s * QUEUE_S))
