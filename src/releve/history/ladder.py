"""A segment's ladder: what each channel did on a grid of time, in arrays that any SQL client can read.

A width is one of a chain in which each divides the next, and rungs start at multiples of it since 1970. So the ladders
of neighbouring segments join, whatever their widths, and every coarser grid of the chain follows from a finer one. A
full segment takes the narrowest width that gives it at most 64 rungs: as the steps of the chain are at most sixfold,
that is 11 to 64 of a stretch that is not short, some 0.05 bytes for each value. A small one has fewer: one for 64
readings, or four.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from releve.history.block import Block
from releve.history.bucket import Buckets, buckets_of
from releve.history.grid import Even

MOST_RUNGS = 64
FEWEST_RUNGS = 4
READINGS_A_RUNG = 64  # on average, or a small segment's ladder would be larger than itself
_SECOND_US, _HOUR_US, _DAY_US = 1_000_000, 3_600_000_000, 86_400_000_000
WIDTHS_US = (
    *(1_000, 5_000, 10_000, 50_000, 100_000, 500_000),
    *(_SECOND_US, 5 * _SECOND_US, 15 * _SECOND_US, 60 * _SECOND_US, 300 * _SECOND_US, 900 * _SECOND_US),
    *(_HOUR_US, 6 * _HOUR_US, _DAY_US, 4 * _DAY_US, 16 * _DAY_US, 64 * _DAY_US, 384 * _DAY_US, 1_536 * _DAY_US),
)


class Ladder(NamedTuple):
    """What the numeric channels of a segment did on its grid.

    Attributes:
        width_us: How wide a rung is.
        channels: The rungs of each channel that has a number.
    """

    width_us: int
    channels: Mapping[str, Buckets]


def width_us(first_us: int, last_us: int, *, most: int = MOST_RUNGS) -> int:
    """The narrowest width that gives a stretch at most so many rungs.

    >>> width_us(0, 3_600_000_000 - 1) // 1_000_000
    60
    """
    fit = (width for width in WIDTHS_US if last_us // width - first_us // width < most)
    return next(fit, WIDTHS_US[-1])


def ladder_of(block: Block) -> Ladder:
    """The ladder of a segment's readings, one or more."""
    most = min(MOST_RUNGS, max(FEWEST_RUNGS, len(block) // READINGS_A_RUNG))
    width = width_us(int(block.time_us[0]), int(block.time_us[-1]), most=most)
    rungs = {}
    for name, column in block.channels.items():
        measured = column.measured
        if measured is None:
            rungs[name] = buckets_of(block.time_us, column.numbers, Even(width))
        elif np.any(measured):
            rungs[name] = buckets_of(block.time_us[measured], column.numbers[measured], Even(width))
    return Ladder(width, rungs)


def divides(width: int, grid: Even) -> bool:
    """Whether each rung of a width lies wholly in one bucket of a grid, so that its buckets can be made of the rungs.

    >>> divides(1_000_000, Even(5_000_000)), divides(1_000_000, Even(1_500_000))
    (True, False)
    """
    return grid.width_us % width == 0 and grid.origin_us % width == 0
