"""When was it? The rules that turn a sender's timestamp into an instant; pure, the present is passed in.

Instants are integers: microseconds since 1970-01-01 UTC. Every answer names the rule that was used.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

import msgspec

EARLIEST_US = 946_684_800_000_000  # 2000-01-01: a device without a clock reports 1970 or its firmware's date
AHEAD_US = 86_400_000_000  # one day: more is a wrong clock, not a fast one
SMALLEST_EPOCH = 946_684_800  # 2000-01-01 in seconds; whatever is smaller counts milliseconds since boot
WRAP_MS = 2**32
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
    EPOCH_S = "epoch-s"
    EPOCH_MS = "epoch-ms"
    EPOCH_US = "epoch-us"
    EPOCH_NS = "epoch-ns"
    UPTIME = "uptime"
    SERVER = "received"


_NAIVE, _SERVER = Rule.NAIVE, Rule.SERVER  # looking a member up in its enum costs more than the arithmetic around it


class BadTimestamp(ValueError):
    """The timestamp is not ISO 8601 text and not a number."""


class Instant(msgspec.Struct, frozen=True, gc=False):
    """A reading's instant.

    Attributes:
        time_us: The instant; for `Rule.UPTIME`, the uptime's estimate until its anchor is known.
        rule: Where it came from.
        uptime_ms: Milliseconds since boot, for `Rule.UPTIME` and for numbers that might be one.
        other_us: The second instant that an ambiguous local time may mean (the hour that clocks repeat).
    """

    time_us: int
    rule: Rule
    uptime_ms: int | None = None
    other_us: int | None = None

    @property
    def month(self) -> tuple[int, int]:
        """Year and month of the instant in UTC: the partition it belongs to."""
        moment = _EPOCH + timedelta(microseconds=self.time_us)
        return moment.year, moment.month

    @property
    def follows_server(self) -> bool:
        """Whether the instant depends on when we received it, so that a repeat would get another one."""
        return self.rule is _SERVER or self.uptime_ms is not None or self.other_us is not None


class Anchor(msgspec.Struct, frozen=True):
    """What a device has shown of its uptime clock.

    Attributes:
        boot_us: The earliest plausible instant of the present boot.
        uptime_ms: The greatest uptime seen since, with 2³² added for each wrap.
        received_us: When that was received.
    """

    boot_us: int
    uptime_ms: int
    received_us: int


def resolve(
    sent: Any, *, zone: tzinfo, received_us: int, counts_uptime: bool = False, may_count_uptime: bool = False
) -> Instant:
    """Find the instant that a timestamp means.

    Args:
        sent: The timestamp as sent: ISO 8601 text, a number, or None for none.
        zone: The zone of text that names none.
        received_us: The present.
        counts_uptime: Whether the device has counted milliseconds since boot before, so that a number as large as
            epoch seconds may be 10.9 days of uptime.
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
        if (counts_uptime or may_count_uptime) and instant.rule is Rule.EPOCH_S and type(sent) is int:
            return _perhaps_uptime(
                sent, instant, received_us=received_us, is_known=counts_uptime, may_count=may_count_uptime
            )
        return instant
    raise BadTimestamp("must be ISO 8601 text, a number, or left out")


def implausible(time_us: int, *, received_us: int) -> str | None:
    """Why an instant cannot be right, or None: such a reading is quarantined, never silently first or last."""
    if time_us < EARLIEST_US:
        return "before the year 2000: the device's clock is not set"
    if time_us > received_us + AHEAD_US:
        return "more than a day ahead: the device's clock is wrong"
    return None


def place(uptimes_ms: list[int], anchor: Anchor | None, *, received_us: int) -> tuple[list[int], Anchor]:
    """Place the uptimes of one submission, in order; answers their instants and the anchor from now on.

    The boot instant is the earliest one that any reading allows, because a reading is only ever delayed, never early:
    so the greatest uptime of each rising stretch is placed first and the others follow from it.

    Args:
        uptimes_ms: At least one uptime, in milliseconds, each below 2³².
        anchor: What is known of the device's boot; None at its first contact.
        received_us: When the submission was received.
    """
    stretches = _rising_stretches(uptimes_ms)
    instants: list[list[int]] = []
    for stretch, latest_us in zip(stretches, _latest_ends(stretches, received_us), strict=True):
        anchor, base_ms = _anchor(stretch[-1], anchor, received_us=latest_us)
        instants.append([anchor.boot_us + (base_ms + uptime) * 1000 for uptime in stretch])
    if anchor is None:
        raise ValueError("there is no uptime to place")
    return [instant for stretch in instants for instant in stretch], anchor


def continues_uptime(number: int, anchor: Anchor | None, *, received_us: int) -> bool:
    """Whether a number of the size of epoch seconds continues a device's uptime instead.

    Uptimes from 10.9 days on are as large as epoch seconds; a device that counted up to there has an anchor.
    """
    if anchor is None:
        return False
    elapsed_ms = (received_us - anchor.boot_us) // 1000
    return abs(elapsed_ms % WRAP_MS - number) <= AHEAD_US // 1000


def _anchor(uptime_ms: int, anchor: Anchor | None, *, received_us: int) -> tuple[Anchor, int]:
    """The anchor after one uptime, and the wraps in milliseconds that lie under it.

    An uptime that falls is a wrap if the device must have reached 2³² by now, a late reading if the device cannot have
    booted since its last one, and else a reboot. One that rises after a long silence may be a reboot too.
    """
    booted = Anchor(received_us - uptime_ms * 1000, uptime_ms, received_us)
    if anchor is None:
        return booted, 0
    base_ms = _wraps_ms(uptime_ms, anchor, received_us=received_us)
    if base_ms + uptime_ms < anchor.uptime_ms:
        return (booted, 0) if booted.boot_us >= anchor.received_us - LATENESS_US else (anchor, base_ms)
    if base_ms == 0 and booted.boot_us >= anchor.received_us + SILENCE_US:
        return booted, 0
    boot_us = min(anchor.boot_us, received_us - (base_ms + uptime_ms) * 1000)
    return Anchor(boot_us, base_ms + uptime_ms, received_us), base_ms


def _wraps_ms(uptime_ms: int, anchor: Anchor, *, received_us: int) -> int:
    seen = anchor.uptime_ms // WRAP_MS
    elapsed_ms = (received_us - anchor.boot_us) // 1000
    expected = round((elapsed_ms - uptime_ms) / WRAP_MS)
    fits = abs(elapsed_ms - uptime_ms - expected * WRAP_MS) <= WRAP_SLACK_US // 1000
    return (expected if fits and expected >= 0 else seen) * WRAP_MS


def _rising_stretches(uptimes_ms: list[int]) -> list[list[int]]:
    stretches: list[list[int]] = []
    for uptime in uptimes_ms:
        if stretches and uptime >= stretches[-1][-1]:
            stretches[-1].append(uptime)
        else:
            stretches.append([uptime])
    return stretches


def _latest_ends(stretches: list[list[int]], received_us: int) -> list[int]:
    """When each stretch can have ended at the latest: the next one began with the counter at zero."""
    ends = [received_us]
    for following in reversed(stretches[1:]):
        ends.append(ends[-1] - following[-1] * 1000)
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
    chosen, other = (second, first) if second <= received_us + LATENESS_US else (first, second)
    return Instant(chosen, Rule.NAIVE, other_us=other)


def _from_number(number: float, *, received_us: int) -> Instant:
    size = abs(number)
    if size < SMALLEST_EPOCH:
        if number < 0:
            raise BadTimestamp("must not be negative")
        return Instant(received_us, Rule.UPTIME, uptime_ms=int(number))
    if size < SMALLEST_EPOCH * 1_000:
        return Instant(_scaled(number, 1_000_000, 1), Rule.EPOCH_S)
    if size < SMALLEST_EPOCH * 1_000_000:
        return Instant(_scaled(number, 1_000, 1), Rule.EPOCH_MS)
    if size < SMALLEST_EPOCH * 1_000_000_000:
        return Instant(_scaled(number, 1, 1), Rule.EPOCH_US)
    return Instant(_scaled(number, 1, 1_000), Rule.EPOCH_NS)


def _perhaps_uptime(number: int, instant: Instant, *, received_us: int, is_known: bool, may_count: bool) -> Instant:
    """What an integer of the size of epoch seconds is to a device that counts, or may count, milliseconds since boot.

    Where it cannot be an epoch, or is none that its contract's devices would send, it is an uptime; else the anchor
    tells, of a device that is known to count.
    """
    if not 0 <= number < WRAP_MS:
        return instant
    is_ahead = instant.time_us > received_us + AHEAD_US
    if is_ahead or (may_count and instant.time_us < received_us - EPOCH_PAST_US):
        return Instant(received_us, Rule.UPTIME, uptime_ms=number)
    return Instant(instant.time_us, Rule.EPOCH_S, uptime_ms=number) if is_known else instant


def _scaled(number: float, factor: int, divisor: int) -> int:
    return number * factor // divisor if type(number) is int else round(number * factor / divisor)


def _microseconds(elapsed: timedelta) -> int:
    return (elapsed.days * _DAY_S + elapsed.seconds) * 1_000_000 + elapsed.microseconds
