"""The pixels of a line as a chart draws it: through all readings, or through the buckets of an answer."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 1_000, 300
Picture = NDArray[np.bool_]


class View(NamedTuple):
    """What a picture shows.

    Attributes:
        from_us: The instant of the left edge, microseconds since 1970.
        pixel_us: How long a column of pixels is.
        low: The value of the lower edge.
        high: The value of the upper edge.
    """

    from_us: int
    pixel_us: int
    low: float
    high: float


def view_of(answer: dict[str, Any], *, low: float, high: float) -> View:
    """A column of pixels is a bucket, and one begins where a bucket does."""
    width_us = answer["width_us"]
    first_us = next((line["time"][0] for line in answer["series"] if line["time"]), answer["from"])
    return View(answer["from"] - (answer["from"] - first_us) % width_us, width_us, low, high)


def of_readings(time_us: NDArray[np.int64], values: NDArray[np.float64], view: View) -> Picture:
    """The line through all of them: each pair is joined, and the pixels that the joining line touches are black.

    Pairs within a column make a stretch of it black, without a hole, since each begins where the one before ended.
    """
    picture = np.zeros((WIDTH, HEIGHT), bool)
    if not len(time_us):
        return picture
    x = (time_us - view.from_us) // view.pixel_us
    y = np.clip(np.floor((values - view.low) / (view.high - view.low) * HEIGHT), 0, HEIGHT - 1).astype(np.int64)
    begins = np.flatnonzero(np.diff(x, prepend=x[0] - 1))
    ends = np.append(begins[1:], len(x)) - 1
    lows, highs = np.minimum.reduceat(y, begins), np.maximum.reduceat(y, begins)
    for column, low, high in zip(x[begins].tolist(), lows.tolist(), highs.tolist(), strict=True):
        picture[column, low : high + 1] = True
    for end, begin in zip(ends[:-1].tolist(), begins[1:].tolist(), strict=True):
        _join(picture, int(x[end]), int(y[end]), int(x[begin]), int(y[begin]))
    return picture


def of_buckets(line: dict[str, Any], view: View) -> Picture:
    """The line through the first, low, high and last of each bucket."""
    corners = np.array([line[name] for name in ("first", "low", "high", "last")], np.float64).T.ravel()
    return of_readings(np.repeat(np.array(line["time"], np.int64), 4), corners, view)


def _join(picture: Picture, x0: int, y0: int, x1: int, y1: int) -> None:
    """Two points of different columns."""
    columns = np.arange(x0, x1 + 1)
    middle = np.rint(y0 + (columns - x0) * (y1 - y0) / (x1 - x0)).astype(int).tolist()
    for column, start, end in zip(columns.tolist(), middle, [*middle[1:], y1], strict=True):
        picture[column, min(start, end) : max(start, end) + 1] = True
