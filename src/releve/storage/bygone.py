"""What is left of readings that a rule deleted: their ladders, for charts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from releve.history.bucket import Buckets, in_order, merged
from releve.history.exclusion import Exclusion
from releve.history.ladder import Ladder
from releve.storage.page import Span
from releve.storage.queries import query
from releve.storage.reader import Reader


class Bygone(NamedTuple):
    """One channel's ladder of deleted readings, as far as it lies in a span.

    Attributes:
        span: From its first rung to the end of its last.
        n: How many readings its segment had.
        channel: The channel.
        width_us: How wide a rung is.
        rungs: The rungs.
    """

    span: Span
    n: int
    channel: str
    width_us: int
    rungs: Buckets


async def bygone(
    reader: Reader, device_id: int, channels: Sequence[str], span: Span, exclusions: Sequence[Exclusion] = ()
) -> list[Bygone]:
    """The ladders of a span whose readings were deleted, in the order of time; none of which something was left out.

    Args:
        reader: Answers.
        device_id: Whose.
        channels: Which channels.
        span: Only rungs that lie wholly in it.
        exclusions: What was left out of the readings, which no ladder tells apart.
    """
    values = {"device": device_id, "names": list(channels), "from_us": span.from_us, "to_us": span.to_us}
    found = []
    for n, first_us, last_us, channel, width_us, *arrays in await reader.ask(query("expired_ladders"), values):
        if any(each.from_us <= last_us and first_us < each.to_us for each in exclusions):
            continue
        rungs = Buckets._make([*map(np.asarray, arrays), np.zeros(len(arrays[0]))])
        inside = (rungs.start_us >= span.from_us) & (rungs.start_us + width_us <= span.to_us)
        rungs = Buckets._make([column[inside] for column in rungs])
        if len(rungs.start_us):
            whole = Span(int(rungs.start_us[0]), int(rungs.start_us[-1]) + width_us)
            found.append(Bygone(whole, n, channel, width_us, rungs))
    return found


def step_us(found: Sequence[Bygone], width_us: int) -> int | None:
    """How wide rungs buckets must be made of, so that ladders fit which are no wider; None where none is.

    Args:
        found: Ladders.
        width_us: How wide buckets are to be.
    """
    return max((each.width_us for each in found if each.width_us <= width_us), default=None)


def together(found: Sequence[Bygone], step: int) -> Ladder:
    """Ladders as one, in the order of time, but for those whose rungs are wider than a step."""
    channels: dict[str, list[Buckets]] = {}
    for each in found:
        if each.width_us <= step:
            channels.setdefault(each.channel, []).append(each.rungs)
    return Ladder(step, {name: merged(in_order(parts)) for name, parts in channels.items()})
