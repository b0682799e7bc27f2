"""A long stretch of a waveform's past goes from its arrays into columns; no reading of it is ever an object.

What is stored already, as rows or in segments, is told by instant and identity as for any other reading (promise P2):
identities are computed of those readings alone that share an instant with something stored.
"""

from typing import TYPE_CHECKING, Any

from psycopg import AsyncConnection

from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.stretch import Stretch
from releve.storage import late
from releve.storage.queries import query

if TYPE_CHECKING:
    from releve.history.block import Block

_DUPLICATE = Outcome.DUPLICATE


async def store(connection: AsyncConnection[Any], stretch: Stretch) -> list[Receipt] | None:
    """Store a stretch that is old enough to be sealed, in one transaction; one receipt a reading, in order.

    None, and nothing is stored, where its readings may repeat some that were deleted: each is to be looked at then.

    Args:
        connection: An idle connection in autocommit mode.
        stretch: Its channels are known of its device already.
    """
    reader, segments = await late.with_columns()
    own = reader.AsyncReader(connection)
    block: Block = await own.work(segments.block_of_arrays, stretch)
    device_id = stretch.device_id
    async with connection.transaction():
        await connection.execute(query("lock_history_late"), {"devices": [device_id], "alone": [device_id]})
        bounds = {"device": device_id, "first_us": int(block.time_us[0]), "last_us": int(block.time_us[-1])}
        if (await own.ask(query("has_expired"), bounds))[0][0]:
            return None
        known = await segments.known_of(own, device_id, block)
        new = block if known is None else block.take(~known)
        if len(new):
            await segments.add(own, device_id, new)
        await connection.execute(query("wait_for_commit"))
    stored = Receipt(Outcome.STORED, stretch.last_us, stretch.rule)
    if known is None:
        return [stored] * len(stretch)
    repeated = Receipt(_DUPLICATE, stretch.last_us, stretch.rule)
    return [repeated if is_known else stored for is_known in known.tolist()]
