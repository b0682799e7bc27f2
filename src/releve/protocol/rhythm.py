"""Whether a device or a machine is heard: while readings arrive at its own rhythm. One rule for everybody; pure."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

JUDGED_BY = 20  # newest readings whose gaps tell the rhythm
PATIENCE = 3  # gaps that may be missed: one is a bad link, three are silence
SHORTEST_S = 10.0
UNKNOWN_S = 300.0  # with a single reading there is no rhythm yet


def patience_s(received_us: Sequence[int]) -> float:
    """How long it may say nothing, in seconds.

    >>> minute = 60_000_000
    >>> patience_s([0, 5 * minute, 10 * minute]), patience_s([0, 1_000_000]), patience_s([0])
    (900.0, 10.0, 300.0)

    Args:
        received_us: When its last readings were received, in any order; more than `JUDGED_BY` are not looked at.
    """
    instants = sorted(received_us)[-JUDGED_BY:]
    gaps_us = [later - earlier for earlier, later in pairwise(instants)]
    return max(SHORTEST_S, PATIENCE * median(gaps_us) / 1e6) if gaps_us else UNKNOWN_S


def is_heard(received_us: Sequence[int], *, last_us: int, now_us: int) -> bool:
    """Whether it is heard.

    Args:
        received_us: When its last readings were received.
        last_us: When it was last heard, which may be known before the reading can be read.
        now_us: The present.

    >>> second = 1_000_000
    >>> [is_heard([8 * second, 9 * second], last_us=9 * second, now_us=now * second) for now in (11, 60)]
    [True, False]
    """
    return now_us - last_us <= patience_s(received_us) * 1e6
