"""Curves of runs over one grid, so that they can be subtracted; pure."""

from math import floor

LARGEST_GRID = 10_000
USUAL_GRID = 500
_SLACK = 1e-9


class Curve:
    """Interpolates points that come in order onto a grid, holding only the last point and the grid.

    Points whose place does not rise above every one before (a car that stands, a sensor that jumps back) are left out.

    Attributes:
        values: The value at each place of the grid.
        elapsed_s: How long the run had gone on there, in seconds.
    """

    def __init__(self, grid: list[float]) -> None:
        self._grid = grid
        self._slack = _SLACK * max(1.0, abs(grid[0]), abs(grid[-1]))
        self._before: tuple[float, float, float] | None = None
        self.values: list[float] = []
        self.elapsed_s: list[float] = []

    def add(self, x: float, value: float, elapsed_s: float) -> None:
        """Take one point.

        >>> curve = Curve([0.0, 1.0, 2.0])
        >>> for point in ((0.0, 10.0, 0.0), (2.0, 14.0, 4.0)):
        ...     curve.add(*point)
        >>> curve.values, curve.elapsed_s
        ([10.0, 12.0, 14.0], [0.0, 2.0, 4.0])
        """
        if self._before is not None and x <= self._before[0]:
            return
        start = self._before or (x, value, elapsed_s)
        while len(self.values) < len(self._grid) and self._grid[len(self.values)] <= x + self._slack:
            share = _share(start[0], x, self._grid[len(self.values)])
            self.values.append(start[1] + share * (value - start[1]))
            self.elapsed_s.append(start[2] + share * (elapsed_s - start[2]))
        self._before = x, value, elapsed_s


def grid(low: float, high: float, step: float | None) -> list[float]:
    """Places from `low` up to `high`, one every `step`, or the usual number of them.

    >>> grid(0.0, 1.0, 0.5)
    [0.0, 0.5, 1.0]

    Raises:
        ValueError: They would be too many.
    """
    if high <= low:
        return [low]
    width = step or (high - low) / (USUAL_GRID - 1)
    count = floor((high - low) / width + _SLACK) + 1
    if count > LARGEST_GRID:
        raise ValueError(f"{count} places; at most {LARGEST_GRID}")
    return [low + place * width for place in range(count)]


def delta(values: list[float], reference: list[float]) -> list[float]:
    """How far a curve lies above another.

    >>> delta([3.0, 5.0], [1.0, 6.0])
    [2.0, -1.0]
    """
    return [value - other for value, other in zip(values, reference, strict=True)]


def _share(start: float, end: float, place: float) -> float:
    return min(max((place - start) / (end - start), 0.0), 1.0) if end > start else 0.0
