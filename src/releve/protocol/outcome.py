"""The closed set of outcomes: every reading ends in exactly one (promise P3)."""

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How a reading ended."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the sender is told of one reading.

    Attributes:
        outcome: How it ended.
        time_us: Its instant in microseconds since 1970 UTC; None when it has none.
        clock: The rule that gave the instant, a `releve.protocol.clock.Rule`.
        field: Where the trouble is, for a quarantined or refused reading.
        reason: What the trouble is.
    """

    outcome: Outcome
    time_us: int | None = None
    clock: str | None = None
    field: str | None = None
    reason: str | None = None
