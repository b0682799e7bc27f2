"""Which identities follow from the content, as `protocol.identity` derives them: those are computed, not kept."""

from collections.abc import Callable, Sequence
from enum import IntEnum

import numpy as np

from releve.history.array import Integers, all_same, the_same
from releve.history.block import Identities
from releve.protocol import identity


class Rule(IntEnum):
    """How an identity is known; the numbers are part of the format."""

    KEPT = 0
    CONTENT = 1
    SENT = 2  # of the content and an ambiguous local time
    UPTIME_MS = 3  # of the content and an uptime, in its device's unit
    UPTIME_S = 4
    UPTIME_US = 5


_UPTIME_MS: dict[Rule, Callable[[int], int]] = {
    Rule.UPTIME_MS: lambda number: number,
    Rule.UPTIME_S: lambda number: number * 1000,
    Rule.UPTIME_US: lambda number: number // 1000,
}


def recognise(ids: Integers, channels: Sequence[bytes], sent: Sequence[str | None]) -> Identities:
    """Find the rule that gives each identity."""
    rules = np.where(of_content(channels) == ids, Rule.CONTENT, Rule.KEPT).astype(np.uint8)
    for place in np.flatnonzero(rules == Rule.KEPT).tolist():
        text = sent[place]
        if text is not None:
            rules[place] = _rule(int(ids[place]), channels[place], text)
    only = the_same(rules)
    kept = np.where(rules == Rule.KEPT, ids, 0)
    return Identities(rules if only is None else all_same(only, len(rules)), kept)


def identify(known: Identities, channels: Sequence[bytes], sent: Sequence[str | None]) -> Integers:
    """The identities."""
    if the_same(known.rules) == Rule.CONTENT:
        return of_content(channels)
    ids = known.own.copy()
    simple = np.flatnonzero(known.rules == Rule.CONTENT)
    ids[simple] = of_content([channels[place] for place in simple.tolist()])
    for place in np.flatnonzero(known.rules > Rule.CONTENT).tolist():
        ids[place] = _identity(Rule(known.rules[place]), channels[place], sent[place] or "")
    return ids


def of_content(channels: Sequence[bytes]) -> Integers:
    """The identities of readings that name none."""
    return np.frombuffer(identity.digests(channels), ">i8").astype(np.int64)


def _rule(own_id: int, channels: bytes, sent: str) -> Rule:
    rules = [Rule.SENT, *(_UPTIME_MS if _uptime(sent) is not None else ())]
    return next((rule for rule in rules if _identity(rule, channels, sent) == own_id), Rule.KEPT)


def _identity(rule: Rule, channels: bytes, sent: str) -> int:
    if rule is Rule.SENT:
        return identity.of_content(channels, sent=sent)
    return identity.of_content(channels, count=_UPTIME_MS[rule](_uptime(sent) or 0), sent=sent)


def _uptime(sent: str) -> int | None:
    try:
        return int(float(sent))
    except (ValueError, OverflowError):
        return None
