"""A message id that was used before by another reading of the same instant: both live, and the sender is told."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from psycopg import AsyncConnection

from releve.protocol import identity
from releve.protocol.outcome import Notice
from releve.protocol.reading import Reading
from releve.storage.late import Sealed
from releve.storage.queries import query

if TYPE_CHECKING:
    from releve.history.block import Row

USED_BEFORE = "was used before, with other content; both are stored"


def warn(reading: Reading, *, is_used: bool) -> None:
    """Note with a reading whether its message id was used before; an earlier try of the same commit may have."""
    field = "id" if reading.key is None else reading.key.field
    others = tuple(notice for notice in reading.notices if notice.reason != USED_BEFORE)
    reading.notices = (*others, Notice(field, USED_BEFORE)) if is_used else others


def names_one(reading: Reading) -> bool:
    """Whether a reading has a message id and a time of its own."""
    return reading.key is not None and not reading.instant.follows_server


async def look(connection: AsyncConnection, readings: Sequence[Reading], *, sealed: Sealed | None = None) -> None:
    """Look for other readings of the same instant and message id, stored or in the same group, and note them.

    A reading that was stored before identities held content takes the identity that it has there, and so is a repeat.

    Args:
        connection: A connection that does nothing else now.
        readings: Readings that have a message id and a time of their own.
        sealed: What segments hold at their instants.
    """
    stored = await _stored(connection, readings)
    if sealed:
        for place, reading in enumerate(readings):
            stored[place].update(_of_key(reading, sealed.get((reading.device_id, reading.instant.time_us), ())))
    in_group: defaultdict[tuple[int, int, int], set[int]] = defaultdict(set)
    for place, reading in enumerate(readings):
        found = stored.get(place, {})
        if reading.key is None:
            continue
        if found.get(reading.key.hash) is True:
            reading.id = reading.key.hash
        ids = in_group[reading.device_id, reading.instant.time_us, reading.key.hash]
        is_other = bool(ids or found) and reading.id not in ids and reading.id not in found
        warn(reading, is_used=is_other)
        ids.add(reading.id)


def _of_key(reading: Reading, rows: Sequence["Row"]) -> Iterator[tuple[int, bool]]:
    """Of some readings of its instant those with its message id, each with whether its content is the same."""
    first = identity.first_of_key(0 if reading.key is None else reading.key.hash)
    for row in rows:
        if first <= row.id < first + identity.KEY_SPAN:
            yield row.id, row.channels == reading.channels


async def _stored(connection: AsyncConnection, readings: Sequence[Reading]) -> defaultdict[int, dict[int, bool]]:
    """By the place of a reading: the identities that are there already, each with whether its content is the same."""
    firsts = [identity.first_of_key(reading.key.hash if reading.key else 0) for reading in readings]
    cursor = await connection.execute(
        query("find_same_key"),
        [
            list(range(len(readings))),
            [reading.device_id for reading in readings],
            [reading.instant.time_us for reading in readings],
            firsts,
            [first + identity.KEY_SPAN - 1 for first in firsts],
            [reading.channels.decode() for reading in readings],
        ],
    )
    found: defaultdict[int, dict[int, bool]] = defaultdict(dict)
    for place, known, is_same in await cursor.fetchall():
        found[place][known] = is_same
    return found
