"""When was it? The rules that turn a sender's timestamp into an instant; pure, the present is passed in.

Instants are integers: microseconds since 1970-01-01 UTC. Every answer names the rule that was used.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

import msgspec

EARLIEST_US = 946_684_800_000_000  # 2000-01-01: a device without a clock reports 1970 or its firmware's date
DAY_US = 86_400_000_000
AHEAD_US = DAY_US  # more is a wrong clock, not a fast one
OLDEST_US = 20 * 365 * DAY_US + 5 * DAY_US
SMALLEST_EPOCH = 946_684_800  # 2000-01-01 in seconds; whatever is smaller is a counter
WRAP = 2**32  # where counters begin again
TICK_US = 1_000  # of a counter whose unit is not known: milliseconds, as `millis()` counts
LATENESS_US = 5_000_000  # how much earlier than its last reading a device may seem to have booted
WRAP_SLACK_US = 3_600_000_000  # crystals err by minutes in the 49.7 days between two wraps
SILENCE_US = 3_600_000_000  # a device that was silent for an hour and can have booted since then, has
EPOCH_PAST_US = 31_536_000_000_000  # a year: a board that boots without a network seldom keeps what it measures longer
REPEAT_US = 600_000_000  # the same uptime with the same content within this is a repeat, not a reboot
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what a naive time in UTC is counted from
_DAY_S = 86_400


class Rule(StrEnum):
    """Which rule gave a reading its instant."""

    ZONED = "zoned"
    NAIVE = "naive"
    NAIVE_FIRST = "naive-first"  # of the hour that clocks repeat, the first pass
    NAIVE_SECOND = "naive-second"
    EPOCH_S = "epoch-s"
    EPOCH_MS = "epoch-ms"
    EPOCH_US = "epoch-us"
    EPOCH_NS = "epoch-ns"
    UPTIME = "uptime"
    SERVER = "received"


_NAIVE, _SERVER = Rule.NAIVE, Rule.SERVER  # looking a member up in its enum costs more than the arithmetic around it


_LIKE_A_COUNT = frozenset({Rule.EPOCH_S, Rule.EPOCH_MS})


class BadTimestamp(ValueError):
    """The timestamp is not ISO 8601 text and not a number."""


class Instant(msgspec.Struct, frozen=True, gc=False):
    """A reading's instant.

    Attributes:
        time_us: The instant; for `Rule.UPTIME`, an estimate until the anchor is known.
        rule: Where it came from.
        count: What a counter of the device showed, for `Rule.UPTIME` and for numbers that might be such.
        other_us: The second instant that an ambiguous local time may mean (the hour that clocks repeat).
    """

    time_us: int
    rule: Rule
    count: float | None = None
    other_us: int | None = None

    @property
    def follows_server(self) -> bool:
        """Whether the instant depends on when we received it, so that a repeat would get another one."""
        return self.rule is _SERVER or self.count is not None or self.other_us is not None


class Anchor(msgspec.Struct, frozen=True):
    """What a device has shown of its counter.

    Attributes:
        boot_us: The earliest plausible instant of the present boot, or whatever the counter's zero is.
        count: The greatest count seen since, with 2³² added for each wrap.
        received_us: When that was received.
    """

    boot_us: int
    count: int
    received_us: int


def resolve(
    sent: Any, *, zone: tzinfo, received_us: int, counts_uptime: bool = False, may_count_uptime: bool = False
) -> Instant:
    """Find the instant that a timestamp means.

    Args:
        sent: The timestamp as sent: ISO 8601 text, a number, or None for none.
        zone: The zone of text that names none.
        received_us: The present.
        counts_uptime: Whether the device has counted from its boot before, so that a number as large as epoch seconds
            may be 10.9 days of milliseconds.
        may_count_uptime: Whether its contract lets it, so that such a number is one at first contact already, where
            it would be no likely time.

    Raises:
        BadTimestamp: It is none of these.
    """
    if sent is None:
        return Instant(received_us, Rule.SERVER)
    if type(sent) is str:
        return _from_text(sent, zone=zone, received_us=received_us)
    if type(sent) is int or type(sent) is float:
        instant = _from_number(sent, received_us=received_us)
        if (counts_uptime or may_count_uptime) and instant.rule in _LIKE_A_COUNT and type(sent) is int:
            return _perhaps_count(
                sent, instant, received_us=received_us, is_known=counts_uptime, may_count=may_count_uptime
            )
        return instant
    raise BadTimestamp("must be ISO 8601 text, a number, or left out")


def implausible(time_us: int, *, received_us: int, added_us: int = 0) -> str | None:
    """Why an instant cannot be right, or None: such a reading is quarantined, never silently first or last.

    Args:
        time_us: The instant.
        received_us: The present.
        added_us: When the device was added; 0 where that does not matter, as for history that is imported.
    """
    if time_us < EARLIEST_US:
        return "before the year 2000: the device's clock is not set"
    if time_us < EARLIEST_US + DAY_US:
        return "in the first day of 2000, where clocks begin: the device's clock was never set"
    if time_us > received_us + AHEAD_US:
        return "more than a day ahead: the device's clock is wrong"
    if time_us < added_us - OLDEST_US:
        return "more than 20 years before the device was added: its clock is wrong, or it is history to import"
    return None


def place(
    counts: Sequence[float], anchor: Anchor | None, *, received_us: int, tick_us: int = TICK_US
) -> tuple[list[int], Anchor]:
    """Place the counts of one submission, in order; answers their instants and the anchor from now on.

    The boot instant is the earliest one that any reading allows, because a reading is only ever delayed, never early:
    so the greatest count of each rising stretch is placed first and the others follow from it.

    Args:
        counts: At least one count.
        anchor: What is known of the device's boot; None at its first contact.
        received_us: When the submission was received.
        tick_us: Microseconds that the counter's unit lasts.
    """
    stretches = _rising_stretches(counts)
    instants: list[list[int]] = []
    for stretch, latest_us in zip(stretches, _latest_ends(stretches, received_us, tick_us), strict=True):
        anchor, base = _anchor(stretch[-1], anchor, received_us=latest_us, tick_us=tick_us)
        instants.append([anchor.boot_us + int((base + count) * tick_us) for count in stretch])
    if anchor is None:
        raise ValueError("there is no count to place")
    return [instant for stretch in instants for instant in stretch], anchor


def continues(number: float, anchor: Anchor | None, *, received_us: int, tick_us: int = TICK_US) -> bool:
    """Whether a number of the size of an epoch continues a device's counter instead.

    A counter of milliseconds is as large as epoch seconds from 10.9 days on; one of microseconds after 16 minutes. A
    device that counted up to there has an anchor.
    """
    if anchor is None:
        return False
    elapsed = (received_us - anchor.boot_us) // tick_us
    slack = min(AHEAD_US // tick_us, WRAP // 20)
    return abs((elapsed if number >= WRAP else elapsed % WRAP) - number) <= slack


def _anchor(count: float, anchor: Anchor | None, *, received_us: int, tick_us: int) -> tuple[Anchor, int]:
    """The anchor after one count, and the wraps that lie under it.

    A count that falls is a wrap if the device must have reached 2³² by now, a late reading if the device cannot have
    booted since its last one, and else a reboot. One that rises after a long silence may be a reboot too.
    """
    booted = Anchor(received_us - int(count * tick_us), int(count), received_us)
    if anchor is None:
        return booted, 0
    base = _wraps(count, anchor, received_us=received_us, tick_us=tick_us)
    if base + count < anchor.count:
        return (booted, 0) if booted.boot_us >= anchor.received_us - LATENESS_US else (anchor, base)
    if base == 0 and booted.boot_us >= anchor.received_us + SILENCE_US:
        return booted, 0
    boot_us = min(anchor.boot_us, received_us - int((base + count) * tick_us))
    return Anchor(boot_us, int(base + count), received_us), base


def _wraps(count: float, anchor: Anchor, *, received_us: int, tick_us: int) -> int:
    seen = anchor.count // WRAP if count < WRAP else 0
    elapsed = (received_us - anchor.boot_us) // tick_us
    expected = round((elapsed - count) / WRAP)
    fits = abs(elapsed - count - expected * WRAP) <= min(WRAP_SLACK_US // tick_us, WRAP // 20)
    return (expected if fits and expected >= 0 else seen) * WRAP


def _rising_stretches(counts: Sequence[float]) -> list[list[float]]:
    stretches: list[list[float]] = []
    for count in counts:
        if stretches and count >= stretches[-1][-1]:
            stretches[-1].append(count)
        else:
            stretches.append([count])
    return stretches


def _latest_ends(stretches: list[list[float]], received_us: int, tick_us: int) -> list[int]:
    """When each stretch can have ended at the latest: the next one began with the counter at zero."""
    ends = [received_us]
    for following in reversed(stretches[1:]):
        ends.append(ends[-1] - int(following[-1] * tick_us))
    return ends[::-1]


def _from_text(text: str, *, zone: tzinfo, received_us: int) -> Instant:
    if len(text) < len("2026-01-01T00:00") or text[10] not in "Tt ":
        raise BadTimestamp("must be ISO 8601 with a date and a time, such as 2026-06-01T12:00:00Z")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return Instant(_microseconds(moment - _EPOCH), Rule.ZONED)
        if zone is UTC:
            return Instant(_microseconds(moment - _NAIVE_EPOCH), _NAIVE)
        return _local(moment, zone=zone, received_us=received_us)
    except (ValueError, OverflowError) as error:
        raise BadTimestamp(f"not ISO 8601: {error}") from error


def _local(moment: datetime, *, zone: tzinfo, received_us: int) -> Instant:
    """A naive time in the device's zone; in the hour that clocks repeat, the pass that is not in the future."""
    first = _microseconds(moment.replace(tzinfo=zone) - _EPOCH)
    second = _microseconds(moment.replace(tzinfo=zone, fold=1) - _EPOCH)
    if second <= first:  # the same instant, or an hour that clocks skip
        return Instant(first, Rule.NAIVE)
    if second <= received_us + LATENESS_US:
        return Instant(second, Rule.NAIVE_SECOND, other_us=first)
    return Instant(first, Rule.NAIVE_FIRST, other_us=second)


def _from_number(number: float, *, received_us: int) -> Instant:
    size = abs(number)
    if size < SMALLEST_EPOCH:
        if number < 0:
            raise BadTimestamp("must not be negative")
        return Instant(received_us, Rule.UPTIME, count=number)
    if size < SMALLEST_EPOCH * 1_000:
        return Instant(_scaled(number, 1_000_000, 1), Rule.EPOCH_S)
    if size < SMALLEST_EPOCH * 1_000_000:
        return Instant(_scaled(number, 1_000, 1), Rule.EPOCH_MS)
    if size < SMALLEST_EPOCH * 1_000_000_000:
        return Instant(_scaled(number, 1, 1), Rule.EPOCH_US)
    return Instant(_scaled(number, 1, 1_000), Rule.EPOCH_NS)


def _perhaps_count(number: int, instant: Instant, *, received_us: int, is_known: bool, may_count: bool) -> Instant:
    """What an integer of the size of an epoch is to a device that counts, or may count, from its boot.

    Where it is below 2³² and cannot be an epoch, or is none that its contract's devices would send, it is a count; else
    the anchor tells, of a device that is known to count.
    """
    is_ahead = instant.time_us > received_us + AHEAD_US
    if 0 <= number < WRAP and (is_ahead or (may_count and instant.time_us < received_us - EPOCH_PAST_US)):
        return Instant(received_us, Rule.UPTIME, count=number)
    return Instant(instant.time_us, instant.rule, count=number) if is_known else instant


def _scaled(number: float, factor: int, divisor: int) -> int:
    return number * factor // divisor if type(number) is int else round(number * factor / divisor)


def _microseconds(elapsed: timedelta) -> int:
    return (elapsed.days * _DAY_S + elapsed.seconds) * 1_000_000 + elapsed.microseconds
