"""Reads every byte of a device's segments and says what is not as it was written."""

from collections.abc import AsyncIterator
from itertools import pairwise

import numpy as np

from releve.history import spelling
from releve.history.block import Block
from releve.history.segment import Damaged, Segment
from releve.storage import segments
from releve.storage.queries import query
from releve.storage.reader import Reader
from releve.storage.scan import EVER
from releve.storage.segments import Replaced, Sealed


async def verified(reader: Reader, device_id: int) -> AsyncIterator[tuple[Sealed, list[str]]]:
    """Each segment with what is wrong with it, which is nothing for one that gives all of its readings back.

    Every column's checksum is computed, and every reading made. Then are compared: the number of readings, the first
    and the last instant, the size, the order of time and identity, and how many numbers each ladder is made of.
    """
    rungs: dict[int, dict[str, int]] = {}
    for number, channel, n in await reader.ask(query("ladder_counts"), {"device": device_id}):
        rungs.setdefault(number, {})[channel] = n
    for sealed in await segments.of_span(reader, device_id, *EVER):
        try:
            segment = (await segments.load(reader, device_id, [sealed], None))[sealed.id]
            yield sealed, await reader.work(_faults, sealed, segment, rungs.get(sealed.id, {}))
        except Replaced:  # merged meanwhile, and gone
            continue


def _faults(sealed: Sealed, segment: Segment, rungs: dict[str, int]) -> list[str]:
    try:
        block = segments.decoded(segment, None)
        rows = spelling.rows(block)
    except (Damaged, KeyError, ValueError, IndexError) as error:  # a column is missing, or holds what nobody wrote
        return [f"it cannot be read: {type(error).__name__}: {error}"]
    keys = [row[:2] for row in rows]
    facts = {
        "readings": (sealed.n, len(rows)),
        "first instant": (sealed.first_us, rows[0].time_us),
        "last instant": (sealed.last_us, rows[-1].time_us),
        "bytes": (sealed.size, segment.size),
        "ladder": (rungs, _numbers(block)),
    }
    found = [f"{name}: {said} is noted, {held} is there" for name, (said, held) in facts.items() if said != held]
    if any(following <= earlier for earlier, following in pairwise(keys)):
        found.append("its readings are not in the order of time and identity, each once")
    return found


def _numbers(block: Block) -> dict[str, int]:
    """How many numbers each channel has, of those that have one."""
    measured = {name: column.measured for name, column in block.channels.items()}
    counts = {name: len(block) if mask is None else int(np.count_nonzero(mask)) for name, mask in measured.items()}
    return {name: n for name, n in counts.items() if n}
