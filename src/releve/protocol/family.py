"""What presenting a refresh token means: one sign-in is one family of them, and the family learns its client.

A person's tokens rotate: presenting the newest one answers its successor. The published phone apps never store the
successor and present their first token for its whole life, so a family trusts its first token until the successor has
been presented once. From then on its client is known to store what it is given, and the family is strict: only the
newest token is good, and for a moment its parent, because an answer may be lost and two tabs may ask at once.
"""

from enum import Enum
from typing import assert_never

FIRST = 0
CLOCKS_APART_S = 5.0  # two machines' clocks, or one request's wait for the other's lock


class Presented(Enum):
    """What the token is to its family."""

    NEWEST = "rotates"
    AGAIN = "gets the same successor once more"
    SPENT = "was spent before; somebody else may have it"
    UNKNOWN = "was never issued"

    @property
    def is_good(self) -> bool:
        """Whether a pair of tokens is the answer."""
        match self:
            case Presented.NEWEST | Presented.AGAIN:
                return True
            case Presented.SPENT | Presented.UNKNOWN:
                return False
        assert_never(self)


def presented(generation: int, *, newest: int, since_rotation_s: float, grace_s: float) -> Presented:
    """Judge the token of a generation.

    Args:
        generation: The token's.
        newest: The family's.
        since_rotation_s: Seconds since the newest was first issued. Below zero the clock was set back, and there is no
            telling how long ago that was: no grace.
        grace_s: How long the parent of the newest is still good.

    >>> presented(0, newest=1, since_rotation_s=86400.0, grace_s=60.0)
    <Presented.AGAIN: 'gets the same successor once more'>
    >>> presented(1, newest=2, since_rotation_s=86400.0, grace_s=60.0)
    <Presented.SPENT: 'was spent before; somebody else may have it'>
    """
    if generation == newest:
        return Presented.NEWEST
    if generation > newest:
        return Presented.UNKNOWN
    if generation == FIRST and newest == FIRST + 1:
        return Presented.AGAIN
    is_in_grace = -CLOCKS_APART_S <= since_rotation_s <= grace_s
    return Presented.AGAIN if generation == newest - 1 and is_in_grace else Presented.SPENT
