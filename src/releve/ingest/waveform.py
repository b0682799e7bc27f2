"""Entries to receipts, a waveform a few hundred at a time: nobody waits for all the readings of one device."""

from collections import Counter
from collections.abc import Iterator, Sequence

from releve.ingest.batch import GroupCommit
from releve.protocol.decode import Kept
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import Overloaded, Throttled, Unavailable
from releve.protocol.stretch import Stretch
from releve.protocol.waveform import Waveform
from releve.storage.writer import Entries, Entry

AT_ONCE = 500  # readings: some milliseconds of work for the event loop
OF_STRETCH = 10_000  # readings that go into columns at once, where there is room for as many
_WORST_FIRST = (Outcome.QUARANTINED, Outcome.STORED, Outcome.DUPLICATE)


async def keep(group: GroupCommit, entries: Sequence[Kept]) -> list[Receipt]:
    """Commit entries; one receipt for each, in order, once all are durable.

    Raises:
        Overloaded, Throttled: Nothing was stored.
        Unavailable: The outcome is unknown; a waveform's beginning may be stored.
    """
    receipts: list[Receipt] = []
    waiting: list[Entry] = []
    for entry in entries:
        if not isinstance(entry, Waveform):
            waiting.append(entry)
            continue
        if waiting:
            receipts += await _add(group, waiting, is_begun=bool(receipts))
            waiting = []
        receipts.append(await _keep_waveform(group, entry, is_begun=bool(receipts)))
    if waiting:
        receipts += await _add(group, waiting, is_begun=bool(receipts))
    return receipts


async def _keep_waveform(group: GroupCommit, waveform: Waveform, *, is_begun: bool) -> Receipt:
    counts: Counter[Outcome] = Counter()
    strange: Receipt | None = None
    for start, entries in _pieces(group, waveform):
        receipts = await _add(group, entries, is_begun=is_begun or start > 0)
        counts.update([receipt.outcome for receipt in receipts])
        strange = strange or next((receipt for receipt in receipts if receipt.reason or receipt.notices), None)
    outcome = next(outcome for outcome in _WORST_FIRST if counts[outcome])
    return Receipt(
        outcome,
        waveform.first.instant.time_us,
        waveform.first.instant.rule,
        None if strange is None else strange.field,
        None if strange is None else strange.reason,
        () if strange is None else strange.notices,
        counts=dict(counts),
    )


def _pieces(group: GroupCommit, waveform: Waveform) -> Iterator[tuple[int, Entries]]:
    """The readings part by part, each part with the place where it begins."""
    stretch = Stretch.of(waveform)
    if stretch is None:
        for start in range(0, waveform.count, AT_ONCE):
            yield start, waveform.readings(start, start + AT_ONCE)
        return
    yield 0, waveform.readings(0, 1)
    start = 0
    while start < len(stretch):
        piece = stretch[start : start + max(AT_ONCE, min(OF_STRETCH, group.room_of(stretch.device_id)))]
        yield stretch.start + start, piece
        start += len(piece)


async def _add(group: GroupCommit, entries: Entries, *, is_begun: bool) -> list[Receipt]:
    try:
        return await group.add(entries)
    except (Overloaded, Throttled) as problem:
        if not is_begun:
            raise
        later = Unavailable("the beginning is stored and the rest is not; send it again, what is stored is recognised")
        later.retry_after_s = problem.retry_after_s
        raise later from problem
