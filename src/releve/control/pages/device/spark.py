"""A channel's last values as the points of a small line, drawn by the server."""

from collections.abc import Sequence
from typing import Any

WIDTH = 120
HEIGHT = 26
_MARGIN = 2.0
_FEWEST = 3  # two points are a stroke, not a course


def points(values: Sequence[Any]) -> str:
    """The `points` of an SVG polyline, oldest value first; empty when nothing changes.

    >>> points([1, 2, 3])
    '0.0,24.0 60.0,13.0 120.0,2.0'
    """
    numbers = [float(value) for value in values if is_number(value)]
    if len(numbers) < _FEWEST or min(numbers) == max(numbers):
        return ""
    low, high = min(numbers), max(numbers)
    step = WIDTH / (len(numbers) - 1)
    return " ".join(f"{index * step:.1f},{_height(value, low, high):.1f}" for index, value in enumerate(numbers))


def is_number(value: Any) -> bool:
    """A channel's value is a quantity; JSON's booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _height(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low)
    return HEIGHT - _MARGIN - share * (HEIGHT - 2 * _MARGIN)
