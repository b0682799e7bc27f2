"""The path of a reading, from what was read to durable: every transport makes a `Submission` and calls `Path.keep`.

submission = path.read(…)                what was sent, as readings
receipts = await path.keep(submission)   what became of each, once all of it is durable
answer                                   in the transport's own words
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter

from releve.ingest import waveform
from releve.ingest.batch import GroupCommit
from releve.ingest.counters import Counters, Timing
from releve.ingest.last_value import LastValues
from releve.ingest.submission import Submission
from releve.ingest.turns import Waiting
from releve.protocol.contract import Contract
from releve.protocol.decode import Arrival, Item, in_order, read_each
from releve.protocol.format import Shape
from releve.protocol.outcome import Receipt, counted
from releve.protocol.reading import Quarantined, Reading
from releve.protocol.sender import Sender
from releve.storage.race_driver import RaceDrivers

AT_ONCE = 128  # readings of a batch that is decoded at once: about a millisecond
IN_TURN = 32  # of a longer one between two turns of the event loop, which twenty such batches may share
_SINGLE = frozenset((Reading, Quarantined))


class Path:
    """Takes submissions to the disk, whatever transport they came by.

    Args:
        group: Commits readings with those of all others.
        counters: Where outcomes and the time of each step are counted.
        values: Keeps the last texts of cars' topics.
        drivers: Notes whose a race is.
    """

    def __init__(self, group: GroupCommit, counters: Counters, *, values: LastValues, drivers: RaceDrivers) -> None:
        self.counters = counters
        self.values = values
        self._group = group
        self._drivers = drivers

    def admit(self, sender: Sender) -> None:
        """Refuse what `keep` would refuse, before anything is spent on it.

        Raises:
            Overloaded: Too much is waiting.
            Throttled: Too much of this device is waiting.
        """
        self._group.admit(sender.device_id or 0)

    def read_one(self, payload: bytes, *, contract: Contract, sender: Sender, arrival: Arrival) -> Submission:
        """A submission of one reading.

        Raises:
            BadReading: It is refused.
        """
        submission = Submission(arrival.transport)
        submission.read_one(payload, contract=contract, sender=sender, arrival=arrival)
        return submission

    async def read(self, shape: Shape, *, contract: Contract, sender: Sender, arrival: Arrival) -> Submission:
        """A submission of all that a payload holds.

        Raises:
            BadReading: It holds one reading, which is refused.
        """
        submission = Submission(arrival.transport)
        if len(shape.payloads) <= AT_ONCE:
            submission.read(shape, contract=contract, sender=sender, arrival=arrival)
        else:
            await _read_by_and_by(submission, shape, contract=contract, sender=sender, arrival=arrival)
        return submission

    async def keep(self, submission: Submission) -> list[Receipt]:
        """Take a submission to the disk; a receipt for each of its items, in order, once all of it is durable.

        Raises:
            Problem: Not now. Nothing was stored, except that after `Unavailable` the outcome is unknown. To keep the
                same submission again is always safe, and goes on after what is durable already.
        """
        receipts = submission.receipts
        if receipts is None:
            if submission.decode_s:
                self.counters.time("decode", submission.decode_s)
                submission.decode_s = 0.0
            for race, sender in submission.races.items():
                await self._drivers.named(race, sender)
            receipts = submission.receipts = await self._commit(submission.items)
            self.count(submission.transport, receipts)
        if submission.values:  # after the readings: nobody hears of a sample that is not there
            values, submission.values = submission.values, []
            self.values.keep(values)
        if submission.awaits_values:
            await self.values.kept()
        return receipts

    def hand_in(self, submission: Submission, waiting: Waiting) -> None:
        """As `keep`, for a submission of nothing but single readings, without a task of its own that waits.

        Args:
            submission: Without races, values, or anything refused.
            waiting: Gets the receipts once all of it is durable, or `Unavailable`; `count` is to be told of the former.

        Raises:
            Overloaded, Throttled: Not now. Nothing was taken, and `waiting` is not told.
        """
        self._group.enter(submission.items, waiting)  # type: ignore[arg-type]
        self.counters.time("decode", submission.decode_s)

    def timed(self, step: str) -> Timing:
        """Times what runs within it as a step of the path; one that fails is not counted."""
        return Timing(self.counters.steps[step])

    async def _commit(self, items: Sequence[Item]) -> list[Receipt]:
        if not items:
            return []
        if _SINGLE.issuperset(map(type, items)):  # by far the most: nothing refused, nothing to be taken apart
            return await self._group.add(items)  # type: ignore[arg-type]
        entries = [item for item in items if not isinstance(item, Receipt)]
        kept = iter(await waveform.keep(self._group, entries))
        return [item if isinstance(item, Receipt) else next(kept) for item in items]

    def count(self, transport: str, receipts: Sequence[Receipt]) -> None:
        """Count how readings ended."""
        if len(receipts) == 1 and receipts[0].counts is None:
            self.counters.ended(transport, receipts[0].outcome)
            return
        for outcome, count in counted(receipts).items():
            self.counters.ended(transport, outcome, count)


async def _read_by_and_by(
    submission: Submission, shape: Shape, *, contract: Contract, sender: Sender, arrival: Arrival
) -> None:
    """Read a long batch so that everybody else gets a turn of the event loop in between."""
    items: list[Item] = []
    began_s = perf_counter()
    for item in read_each(shape, contract=contract, sender=sender, arrival=arrival):
        items.append(item)
        if len(items) % IN_TURN == 0:
            submission.decode_s += perf_counter() - began_s
            await asyncio.sleep(0)
            began_s = perf_counter()
    submission.items = in_order(items)
    submission.decode_s += perf_counter() - began_s
