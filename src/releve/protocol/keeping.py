"""How long readings and their ladders are kept: which rule counts, and for which channel. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, Self

DAY_US = 86_400_000_000
MOST_DAYS = 36_500
SLACK = 10  # of the days a tenth, and a day at least: how long a segment may wait that has begun to be too old


class Days(NamedTuple):
    """For how many days something is kept; None is for ever.

    Attributes:
        raw: The readings.
        ladder: Their ladders.
    """

    raw: int | None = None
    ladder: int | None = None


class Rule(NamedTuple):
    """What a team says of its devices, of one of them, or of a channel of one.

    Attributes:
        is_of_device: Whether it is about one device.
        channel: About which of its channels; empty for all of them.
        days: How long.
        is_archived: Whether readings are written to Parquet before they are deleted.
    """

    is_of_device: bool
    channel: str
    days: Days
    is_archived: bool = False


class Keeping(NamedTuple):
    """What counts for a device: the narrower rule, as a whole.

    Attributes:
        days: For readings, and for channels that have no rule of their own.
        channels: For those that have one.
        is_archived: Whether readings are written to Parquet before they are deleted.
    """

    days: Days
    channels: Mapping[str, Days]
    is_archived: bool = False

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Self:
        """What some rules of one team come to: a channel's before its device's, and that before the team's.

        >>> Keeping.of([Rule(False, "", Days(30)), Rule(True, "", Days(90)), Rule(True, "noise", Days(7))])
        Keeping(days=Days(raw=90, ladder=None), channels={'noise': Days(raw=7, ladder=None)}, is_archived=False)
        """
        ordered = sorted(rules, key=lambda rule: rule.is_of_device)
        whole = [rule for rule in ordered if not rule.channel]
        channels = {rule.channel: rule.days for rule in ordered if rule.channel}
        return cls(whole[-1].days, channels, whole[-1].is_archived) if whole else cls(Days(), channels)

    def raw_days(self, channel: str) -> int | None:
        """How long the readings of a channel are kept."""
        return self.channels.get(channel, self.days).raw

    def whole_days(self, channels: Collection[str]) -> int | None:
        """How long readings are kept that have these channels: as long as one of them is."""
        days = {self.raw_days(channel) for channel in channels} or {self.days.raw}
        known = [each for each in days if each is not None]
        return max(known) if len(known) == len(days) else None

    @property
    def shortest_days(self) -> int | None:
        """After how many days something may be deleted; None for never."""
        return min((each.raw for each in (self.days, *self.channels.values()) if each.raw is not None), default=None)


class Stretch(NamedTuple):
    """A stretch of a device's time with what counts in it: rules are the team's that owned the device then.

    Attributes:
        from_us: Its first instant, microseconds since 1970.
        to_us: The instant behind its last.
        keeping: What counts.
    """

    from_us: int
    to_us: int
    keeping: Keeping


def slack_us(days: int) -> int:
    """How long a segment waits that holds readings which are too old beside others, before it is cut.

    >>> slack_us(3) == DAY_US, slack_us(365) == 36.5 * DAY_US
    (True, True)
    """
    return max(DAY_US, days * DAY_US // SLACK)
