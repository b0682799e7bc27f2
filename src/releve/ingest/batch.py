"""Group commit: while one COPY is under way the next group gathers. No timer to tune."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, perf_counter

import msgspec
import psycopg
import structlog

from releve.ingest.counters import Counters
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import Overloaded, Problem, Throttled, Unavailable
from releve.protocol.reading import Reading
from releve.storage.session import NotDurable
from releve.storage.writer import Entry, Writer

GROUP_READINGS = 10_000
RELIEF_READINGS = 256  # waiting, above which another commit at the same time costs less than a longer wait
RELIEF_S = 0.02  # or when the commit under way takes that long: it may be stuck, and nobody else is to be
RETRY_S = 0.2
PATIENCE_S = 5.0  # how long readings wait for a database that does not answer before their senders are told

_log = structlog.get_logger()


class _Waiting(msgspec.Struct):
    entries: Sequence[Entry]
    device_id: int
    answer: asyncio.Future[list[Receipt]]
    since_s: float


class GroupCommit:
    """Gathers submissions and lets each writer commit as many as wait, one commit per group.

    Args:
        writers: One task each. A second one commits only what is worth a commit of its own, or what a stuck one keeps
            waiting: half as many readings a group would cost a fifth more of everything.
        backlog: Readings waiting above which every sender is asked to wait, until half of it is left.
        device_backlog: The part of it that one device may take.
        counters: Where the depth, the groups and their times are counted.

    Attributes:
        weakness: Why no commit can be relied on, None when all can.
        failure: Why the last commit failed, None once one succeeded.
    """

    def __init__(self, writers: Sequence[Writer], *, backlog: int, device_backlog: int, counters: Counters) -> None:
        self._writers = writers
        self._backlog = backlog
        self._device_backlog = device_backlog
        self._counters = counters
        self._waiting: deque[_Waiting] = deque()
        self._depth = 0
        self._queued = 0  # the part of it that no writer has taken
        self._busy = 0
        self._late = 0  # of those busy
        self._of_device: Counter[int] = Counter()
        self._is_full = False
        self._is_draining = False
        self._tasks: list[asyncio.Task[None]] = []
        self._arrived = asyncio.Event()
        self._began_s: list[float] = []  # of each commit under way
        self.weakness: str | None = None
        self.failure: str | None = None
        self.seen: dict[int, tuple[int, int]] = {}
        self.on_committed: Callable[[Sequence[Entry], Sequence[Receipt]], None] | None = None

    async def add(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Commit one submission with its neighbours; one receipt per entry, in order, once all are durable.

        Raises:
            Overloaded: Too much is waiting; nothing was stored.
            Throttled: Too much of this device is waiting; nothing was stored.
            Unavailable: The outcome is unknown.
        """
        device_id = entries[0].device_id
        self._admit(device_id, len(entries))
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(entries, device_id, answer, perf_counter()))
        self._depth += len(entries)
        self._queued += len(entries)
        self._of_device[device_id] += len(entries)
        self._counters.depth = self._depth
        if self._is_worth_a_commit():
            self._arrived.set()
        receipts: list[Receipt] = await answer
        return receipts

    def start(self) -> None:
        """Start one task per writer."""
        self._tasks = [asyncio.create_task(self._run(writer)) for writer in self._writers]

    async def drain(self) -> None:
        """Commit what waits, take nothing more, and end."""
        self._is_draining = True
        self._arrived.set()
        await asyncio.gather(*self._tasks)

    @property
    def is_full(self) -> bool:
        """Whether senders are asked to wait; a transport that can stops reading meanwhile."""
        return self._is_full

    @property
    def under_way_s(self) -> float:
        """For how many seconds the longest commit has been under way; 0 when there is none."""
        return monotonic() - min(self._began_s) if self._began_s else 0.0

    def _admit(self, device_id: int, count: int) -> None:
        if self._is_draining:
            raise Overloaded("the server is stopping; send it again")
        if self._is_full or self._depth + count > self._backlog:
            self._is_full = True
            raise Overloaded
        if self._of_device[device_id] + count > self._device_backlog:
            raise Throttled

    async def _run(self, writer: Writer) -> None:
        while True:
            while not self._is_worth_a_commit():
                if self._is_draining and not self._waiting:
                    self._arrived.set()  # the others may end, too
                    return
                self._arrived.clear()
                await self._arrived.wait()
            group = self._take()
            entries = [entry for waiting in group for entry in waiting.entries]
            try:
                with self._at_work():
                    receipts = await self._commit(writer, entries)
            except Problem as problem:
                self._refuse(group, problem)
            except Exception as error:  # noqa: BLE001 - a writer that ended here would leave everybody waiting for ever
                self.failure = f"{type(error).__name__}: {error}"
                _log.exception("commit broke", readings=len(entries))
                self._refuse(group, Unavailable())
            except BaseException:
                self._refuse(group, Unavailable())
                raise
            else:
                self._answer(group, receipts)
            finally:
                self._release(group)

    def _is_worth_a_commit(self) -> bool:
        """Whether a writer that is free should take what waits, or leave it to one that soon will be."""
        return bool(self._waiting) and (self._busy <= self._late or self._queued >= RELIEF_READINGS)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """While a group is being committed, and known to be late when it takes long."""
        self._busy += 1
        is_late = False

        def note_late() -> None:
            nonlocal is_late
            is_late = True
            self._late += 1
            self._arrived.set()

        timer = asyncio.get_running_loop().call_later(RELIEF_S, note_late)
        began_s = monotonic()
        self._began_s.append(began_s)
        try:
            yield
        finally:
            timer.cancel()
            self._began_s.remove(began_s)
            self._busy -= 1
            self._late -= is_late

    def _take(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        count = 0
        while self._waiting and count < GROUP_READINGS:
            waiting = self._waiting.popleft()
            group.append(waiting)
            count += len(waiting.entries)
        self._queued -= count
        return group

    async def _commit(self, writer: Writer, entries: list[Entry]) -> list[Receipt]:
        """Commit, trying again on a connection that could not be made or broke: identities make that safe."""
        began_s = monotonic()
        while True:
            started_s = perf_counter()
            try:
                receipts = await writer.commit(entries)
            except NotDurable as weakness:
                self._note_weakness(str(weakness))
                raise Unavailable(f"nothing can be acknowledged: {weakness}") from weakness
            except (psycopg.OperationalError, psycopg.InterfaceError, OSError, TimeoutError) as error:
                self.failure = str(error).strip() or type(error).__name__
                _log.warning("commit failed", readings=len(entries), error=self.failure)
                if monotonic() - began_s > PATIENCE_S:
                    raise Unavailable from error
                await asyncio.sleep(RETRY_S)
            except psycopg.Error as error:
                self.failure = str(error).strip()
                _log.exception("commit refused", readings=len(entries))
                raise Unavailable from error
            else:
                self._note_weakness(None)
                self.failure = None
                self._counters.committed(len(entries), perf_counter() - started_s)
                return receipts

    def _note_weakness(self, weakness: str | None) -> None:
        if weakness != self.weakness:
            self.weakness = weakness
            if weakness is not None:
                _log.error("durability is weakened; nothing is acknowledged", reason=weakness)

    def _answer(self, group: list[_Waiting], receipts: list[Receipt]) -> None:
        now_s = perf_counter()
        first = 0
        for waiting in group:
            last = first + len(waiting.entries)
            own = receipts[first:last]
            first = last
            self._counters.time("commit", now_s - waiting.since_s)
            self._note_seen(waiting.entries, own)
            if self.on_committed is not None:
                self.on_committed(waiting.entries, own)
            if not waiting.answer.done():
                waiting.answer.set_result(own)

    def _note_seen(self, entries: Sequence[Entry], receipts: Sequence[Receipt]) -> None:
        for entry, receipt in zip(entries, receipts, strict=True):
            if receipt.outcome is Outcome.STORED and isinstance(entry, Reading):
                time_us = receipt.time_us or entry.received_us
                known = self.seen.get(entry.device_id)
                if known is None or time_us > known[1] or entry.received_us > known[0]:
                    self.seen[entry.device_id] = (
                        (entry.received_us, time_us)
                        if known is None
                        else (max(known[0], entry.received_us), max(known[1], time_us))
                    )

    def _refuse(self, group: list[_Waiting], problem: Problem) -> None:
        for waiting in group:
            if not waiting.answer.done():
                waiting.answer.set_exception(problem)

    def _release(self, group: list[_Waiting]) -> None:
        for waiting in group:
            count = len(waiting.entries)
            self._depth -= count
            left = self._of_device[waiting.device_id] - count
            if left:
                self._of_device[waiting.device_id] = left
            else:
                del self._of_device[waiting.device_id]
        self._counters.depth = self._depth
        if self._is_full and self._depth <= self._backlog // 2:
            self._is_full = False
