"""A writer outlives whatever breaks in a commit: its senders are told, and the next ones are served."""

import asyncio

import pytest

from releve.ingest.batch import GroupCommit
from releve.ingest.counters import Counters
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import BadReading, Unavailable
from releve.protocol.reading import Source, quarantine

WITHIN_S = 10
SOURCE = Source(contract="generic", transport="http")
ENTRY = quarantine(b"{}", device_id=1, received_us=0, source=SOURCE, problem=BadReading("why"))


class Breaking:
    """A writer whose first commit breaks."""

    def __init__(self, error):
        self.error = error

    async def commit(self, entries):
        error, self.error = self.error, None
        if error is not None:
            raise error
        return [Receipt(Outcome.QUARANTINED, 0, "received") for _ in entries]


@pytest.mark.parametrize("error", [KeyError("channel"), ValueError("not a UUID"), RuntimeError()])
async def test_a_commit_that_breaks_is_told_and_the_next_one_is_made(error):
    group = GroupCommit([Breaking(error)], backlog=10, device_backlog=10, counters=Counters())
    group.start()

    with pytest.raises(Unavailable):
        await asyncio.wait_for(group.add([ENTRY]), WITHIN_S)
    assert type(error).__name__ in group.failure

    receipts = await asyncio.wait_for(group.add([ENTRY]), WITHIN_S)

    assert receipts[0].outcome is Outcome.QUARANTINED
    assert group.failure is None
    await group.drain()
