"""What rules would delete now, without deleting it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from releve.history.segment import Damaged
from releve.protocol.keeping import Stretch
from releve.storage import retention, segments
from releve.storage.queries import query
from releve.storage.reader import Reader
from releve.storage.retention import Candidate, Due
from releve.storage.segments import Replaced, Sealed


class Going(NamedTuple):
    """What would go of one device.

    Attributes:
        readings: That are deleted as a whole.
        bytes: Of their columns.
        thinned: Readings that lose a channel.
        thinned_bytes: Of those channels' columns; eight bytes a reading are needed beside, for their identities.
    """

    readings: int = 0
    bytes: int = 0
    thinned: int = 0
    thinned_bytes: int = 0


async def forecast(reader: Reader, device_id: int, kept: Sequence[Stretch], now_us: int) -> Going:
    """What would go; of a segment that is to be cut, as many bytes as it has readings there.

    Args:
        reader: Answers.
        device_id: Whose readings.
        kept: What counts for the device.
        now_us: The present.
    """
    todo = await retention.look(reader, device_id, kept, now_us)
    for candidate, cuts in todo.cuts:
        pieces = await _pieces(reader, device_id, candidate, cuts)
        of_pieces = retention.due(pieces, kept, now_us)
        todo.thinned.extend(of_pieces.thinned)
        todo.gone.extend(of_pieces.gone)
    gone = [candidate.sealed for candidate, _ in todo.gone]
    return Going(
        sum(each.n for each in gone),
        sum(each.size for each in gone),
        sum(candidate.sealed.n for candidate, _ in todo.thinned),
        await _thinned_bytes(reader, device_id, todo),
    )


async def _pieces(reader: Reader, device_id: int, candidate: Candidate, cuts: Sequence[int]) -> list[Candidate]:
    """The segments that one would be cut into."""
    sealed = candidate.sealed
    try:
        times_us = segments.decoded((await segments.load(reader, device_id, [sealed], ()))[sealed.id], ()).time_us
    except (Replaced, Damaged):
        return []
    places = [0, *np.searchsorted(times_us, list(cuts)).tolist(), len(times_us)]
    return [
        candidate._replace(
            sealed=Sealed(
                sealed.id,
                last - first,
                int(times_us[first]),
                int(times_us[last - 1]),
                sealed.size * (last - first) // sealed.n,
            )
        )
        for first, last in pairwise(places)
        if first < last
    ]


async def _thinned_bytes(reader: Reader, device_id: int, todo: Due) -> int:
    pairs = [(candidate.sealed.id, name) for candidate, names in todo.thinned for name in names]
    if not pairs:
        return 0
    numbers, channels = zip(*pairs, strict=True)
    values = {"device": device_id, "segments": list(numbers), "channels": list(channels)}
    return int((await reader.ask(query("channel_bytes"), values))[0][0])
