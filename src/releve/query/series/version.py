"""What a chart is computed from, in a few bytes: while it is the same, so is the answer, and nothing is decoded."""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

import releve
from releve.query.series.asked import Asked
from releve.query.series.source import Source
from releve.storage.page import Span
from releve.storage.pool import Pool
from releve.storage.queries import query

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


async def version(
    pool: Pool, asked: Asked, sources: Sequence[Source], spans: Sequence[Sequence[Span]], *, coding: str
) -> str | None:
    """A name for the answer in a content coding; None where that would take longer than the answer.

    It is of the segments and when they were made, of the ladders of what was deleted, of the fresh rows, of who asks
    for what, and of what was said of channels and left out of runs.

    Args:
        pool: Where the readings are.
        asked: What was asked for.
        sources: Whose readings, with what is said of their channels.
        spans: The stretches of each that are read.
        coding: Of the answer's body, such as `gzip`.
    """
    each = [(source.device_id, span) for source, of in zip(sources, spans, strict=True) for span in of]
    values = {
        "devices": [device for device, _ in each],
        "from_us": [span.from_us for _, span in each],
        "to_us": [span.to_us for _, span in each],
    }
    found = await pool.ask(query("history_version"), values)
    if any(has_old for *_, has_old in found):  # until they are taken over: counting them takes as long as reading them
        return None
    told = (releve.__version__, coding, asked, sources, each, found)
    return blake2b(_encode(told), digest_size=16).hexdigest()
