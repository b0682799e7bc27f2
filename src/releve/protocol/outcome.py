"""The closed set of outcomes: every reading ends in exactly one (promise P3)."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How a reading ended."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


class Notice(msgspec.Struct, frozen=True, gc=False):
    """What is strange about a reading that was stored all the same.

    Attributes:
        field: Where.
        reason: What.
    """

    field: str
    reason: str


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the sender is told of one reading.

    Attributes:
        outcome: How it ended.
        time_us: Its instant in microseconds since 1970 UTC; None when it has none.
        clock: The rule that gave the instant, a `releve.protocol.clock.Rule`.
        field: Where the trouble is, for a quarantined or refused reading.
        reason: What the trouble is.
        notices: What is strange about it, although it was stored.
        counts: Of a waveform, how many of its readings ended how; None of a single reading.
    """

    outcome: Outcome
    time_us: int | None = None
    clock: str | None = None
    field: str | None = None
    reason: str | None = None
    notices: tuple[Notice, ...] = ()
    counts: dict[Outcome, int] | None = None


def counted(receipts: Iterable[Receipt]) -> Counter[Outcome]:
    """How many readings ended how."""
    single: list[Outcome] = []
    counts: Counter[Outcome] = Counter()
    for receipt in receipts:
        if receipt.counts is None:
            single.append(receipt.outcome)
        else:
            counts.update(receipt.counts)
    if stored := single.count(Outcome.STORED):  # by far the most, and to hash an outcome costs more than to compare it
        counts[Outcome.STORED] += stored
    if stored < len(single):
        counts.update([outcome for outcome in single if outcome is not Outcome.STORED])
    return counts
