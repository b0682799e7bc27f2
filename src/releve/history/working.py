"""What a gym machine does at this moment, from its newest readings: somebody works, rests, or it is free."""

from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np

from releve.history.array import Integers, Mask, Reals
from releve.history.block import Block
from releve.history.effort import REPETITIONS
from releve.protocol.run.cut import SERIES_GAP

WATCH, REST_WATCH = "series_time", "rest_time"
CHANNELS: Final = (REPETITIONS, WATCH, REST_WATCH)
SECOND_US = 1_000_000
FREE_AFTER_US = 180 * SECOND_US  # whoever rests longer has gone, or lets somebody else in between
LEAST_PATIENCE_US = 5 * SECOND_US
WATCHED_PATIENCE_US = 2 * SECOND_US  # a machine's own watch stands still as soon as the work does
PATIENCE = 2.5  # rhythms of the readings, or of the repetitions
_GAP_US = int(SERIES_GAP.total_seconds()) * SECOND_US
_RHYTHM_OF = 30  # readings


class Phase(StrEnum):
    """What a machine does."""

    WORKING = "working"
    RESTING = "resting"
    FREE = "free"


class Working(NamedTuple):
    """A machine at an instant, and the set under way or the last one that was seen.

    Attributes:
        phase: What it does.
        begun_us: The first reading that tells the set's work.
        ended_us: The last one so far.
        rest_since_us: Since when nobody works, None while somebody does.
        repetitions: Of the set.
    """

    phase: Phase
    begun_us: int
    ended_us: int
    rest_since_us: int | None
    repetitions: float


def working(block: Block, *, now_us: int, since_us: int | None = None) -> Working | None:
    """What the machine does; None where no work is seen.

    A reading tells work where the count of repetitions has risen, or the machine's own watch of the set has while that
    of the rest has not. The rest begins with the last of them: by the machine's watch of the rest where it runs, else
    as soon as nothing has risen for longer than the readings, and the repetitions, usually take.

    Args:
        block: The machine's own newest readings that count, in the order of time.
        now_us: The present, on the device's clock.
        since_us: From when on there are all of them, so that the first may begin a set; None where that is unknown.
    """
    told = block.take(~np.isnan(block.column(REPETITIONS).numbers))
    if not len(told):
        return None
    time_us = told.time_us
    count, watch, rest = (told.column(name).numbers for name in CHANNELS)
    starts = _starts(time_us, count)
    works = _works(count, watch, rest, starts)
    works[0] = since_us is not None and time_us[0] - since_us > _GAP_US and count[0] > 0
    if not works.any():
        return None
    last = int(np.flatnonzero(works)[-1])
    first = int(np.flatnonzero(starts[: last + 1])[-1])
    following = np.flatnonzero(starts[last + 1 :])
    end = last + 1 + int(following[0]) if len(following) else len(told)
    begun = first + int(np.flatnonzero(works[first:])[0])
    rest_since_us = _rest_since_us(time_us, rest, int(time_us[begun]), last)
    if rest_since_us is None and _is_over(time_us, count, watch, (begun, last), now_us):
        rest_since_us = int(time_us[last])
    return Working(
        phase=_phase(rest_since_us, now_us),
        begun_us=int(time_us[begun]),
        ended_us=int(time_us[last]),
        rest_since_us=rest_since_us,
        repetitions=float(count[first:end].max()),
    )


def _phase(rest_since_us: int | None, now_us: int) -> Phase:
    if rest_since_us is None:
        return Phase.WORKING
    return Phase.FREE if now_us - rest_since_us > FREE_AFTER_US else Phase.RESTING


def _starts(time_us: Integers, count: Reals) -> Mask:
    """Where a set may begin: the count falls, or nothing was sent for longer than the gap."""
    starts = np.ones(len(count), bool)
    starts[1:] = (np.diff(count) < 0) | (np.diff(time_us) > _GAP_US)
    return starts


def _works(count: Reals, watch: Reals, rest: Reals, starts: Mask) -> Mask:
    works = np.zeros(len(count), bool)
    has_watched = (np.diff(watch) > 0) & ~(np.diff(rest) > 0)
    works[1:] = (np.diff(count) > 0) | has_watched | (starts[1:] & (count[1:] > 0))
    return works


def _rest_since_us(time_us: Integers, rest: Reals, begun_us: int, last: int) -> int | None:
    """When the rest began, by the machine's own watch of it; None where that does not run."""
    runs = np.flatnonzero(np.diff(rest[last:]) > 0)
    if not len(runs):
        return None
    latest = last + 1 + int(runs[-1])
    since_us = int(time_us[latest]) - round(float(rest[latest]) * SECOND_US)
    return since_us if begun_us <= since_us <= int(time_us[latest]) else int(time_us[last])


def _is_over(time_us: Integers, count: Reals, watch: Reals, work: tuple[int, int], now_us: int) -> bool:
    """Whether nothing has told work for longer than it may take."""
    begun, last = work
    rhythms = np.diff(time_us[-_RHYTHM_OF:])
    patience_us = max(
        LEAST_PATIENCE_US if np.isnan(watch[last]) else WATCHED_PATIENCE_US,
        PATIENCE * float(np.median(rhythms)) if len(rhythms) else 0,
    )
    repeated = count[last] - count[begun]
    if np.isnan(watch[last]) and repeated > 0:
        patience_us = max(patience_us, PATIENCE * float(time_us[last] - time_us[begun]) / repeated)
    return now_us - int(time_us[last]) > patience_us
