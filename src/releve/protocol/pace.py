"""Which unit a device's counter counts in, learnt from its own speed against the wall clock; pure."""

import msgspec

from releve.protocol.clock import TICK_US, WRAP

UNITS = {1_000_000: "s", 1_000: "ms", 1: "µs"}
JUDGED_OVER_US = 1_500_000  # a shorter stretch tells nothing: two readings of a queue come at once
TOLERANCE = 2.5  # a count of whole seconds over 2 s, and networks
REBOOT_US = 60_000_000  # in which a device may have been switched off and on again


class Pace(msgspec.Struct, frozen=True):
    """What a device has shown of its counter's speed.

    Attributes:
        tick_us: Microseconds that one count lasts; None while that is not known.
        base: A count and when it was received, in microseconds, from which the speed is measured; None when there is
            nothing to learn.
    """

    tick_us: int | None = None
    base: tuple[int, int] | None = None

    @property
    def presumed_us(self) -> int:
        """What one count lasts, or is taken to last."""
        return self.tick_us or TICK_US

    def rebooted(self, count: float, *, received_us: int) -> "Pace":
        """After a reboot, which may have brought another program: the unit is kept until the speed says otherwise."""
        return Pace(self.tick_us, (int(count), received_us))


def learn(pace: Pace | None, count: float, *, received_us: int) -> tuple[Pace, str | None]:
    """What is known of a counter after one more live count, and what is wrong with it, None for nothing.

    >>> first, _ = learn(None, 849_128_400, received_us=0)
    >>> learn(first, 849_128_402, received_us=2_000_000)
    (Pace(tick_us=1000000, base=None), None)

    Args:
        pace: What is known; None at the first contact.
        count: What the counter showed last.
        received_us: When that was received.
    """
    if pace is None:
        return Pace(None, (int(count), received_us)), None
    if pace.base is None:
        return (pace, None) if pace.tick_us is not None else (Pace(None, (int(count), received_us)), None)
    base, base_us = pace.base
    elapsed_us = received_us - base_us
    if elapsed_us < JUDGED_OVER_US or count == base:
        return pace, None
    has_fallen = count < base
    risen = count - base + (WRAP if has_fallen and base > WRAP // 2 else 0)
    tick_us = _unit(risen, elapsed_us)
    if tick_us is not None:
        return Pace(tick_us), None
    following = Pace(pace.tick_us, (int(count), received_us))
    may_have_booted = has_fallen or (elapsed_us >= REBOOT_US and count * TICK_US <= elapsed_us)
    if pace.tick_us is not None or may_have_booted:
        return following, None
    speed = risen * 1e6 / elapsed_us
    return (
        following,
        f"the counter makes {speed:.3g} steps a second: no seconds, milliseconds or microseconds",
    )


def _unit(risen: float, elapsed_us: int) -> int | None:
    for tick_us in UNITS:
        if elapsed_us / TOLERANCE <= risen * tick_us <= elapsed_us * TOLERANCE:
            return tick_us
    return None
