"""The path of a reading, from bytes to durable: every transport calls `accept` and nothing else."""

import asyncio
from collections.abc import Sequence
from time import perf_counter

from releve.ingest.batch import GroupCommit
from releve.ingest.counters import Counters
from releve.ingest.part import keep
from releve.protocol.contract import Contract
from releve.protocol.decode import Arrival, Item, decode, in_order, read_each
from releve.protocol.format import Shape
from releve.protocol.outcome import Receipt, counted
from releve.protocol.sender import Sender

AT_ONCE = 128  # readings decoded in one turn of the event loop: about a millisecond


class Pipeline:
    """Decode, authorise, commit; what was counted on the way is in `counters`."""

    def __init__(self, group: GroupCommit, counters: Counters) -> None:
        self.group = group
        self.counters = counters

    async def accept(self, shape: Shape, *, contract: Contract, sender: Sender, arrival: Arrival) -> list[Receipt]:
        """Take one submission from bytes to durable; one receipt per reading, in order.

        Raises:
            Problem: Refused as a whole. Nothing was stored, except that after `Unavailable` the outcome is unknown;
                sending again is always safe.
        """
        began_s = perf_counter()
        if len(shape.payloads) <= AT_ONCE:
            items = decode(shape, contract=contract, sender=sender, arrival=arrival)
        else:
            items = await _decode_by_and_by(shape, contract=contract, sender=sender, arrival=arrival)
        self.counters.time("decode", perf_counter() - began_s)
        receipts = await self._commit(items)
        for outcome, count in counted(receipts).items():
            self.counters.ended(arrival.transport, outcome, count)
        return receipts

    async def _commit(self, items: Sequence[Item]) -> list[Receipt]:
        entries = [item for item in items if not isinstance(item, Receipt)]
        if len(entries) == len(items):
            return await keep(self.group, entries)
        committed = iter(await keep(self.group, entries)) if entries else iter(())
        return [item if isinstance(item, Receipt) else next(committed) for item in items]


async def _decode_by_and_by(shape: Shape, *, contract: Contract, sender: Sender, arrival: Arrival) -> list[Item]:
    """Read a long batch so that everybody else gets a turn of the event loop in between."""
    items: list[Item] = []
    for item in read_each(shape, contract=contract, sender=sender, arrival=arrival):
        items.append(item)
        if len(items) % AT_ONCE == 0:
            await asyncio.sleep(0)
    return in_order(items)
