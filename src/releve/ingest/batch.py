"""Group commit: while one COPY is under way the next group gathers. No timer to tune."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, perf_counter

import psycopg
import structlog

from releve.ingest.counters import Counters
from releve.ingest.pace import Pace
from releve.ingest.turns import Part, Piece, Ticket, Turns, Waiting, parts_of
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import Overloaded, Problem, Throttled, Unavailable
from releve.protocol.reading import Reading
from releve.protocol.stretch import Stretch
from releve.storage.session import NotDurable
from releve.storage.writer import Entries, Entry, Writer

PIECE = 2_000  # readings that a device with nothing waiting may always bring, as long as there is any room
LONGEST_RETRY_S = 5  # those who are refused come back one after the other
RELIEF_READINGS = 256  # waiting, above which another commit at the same time costs less than a longer wait
RELIEF_S = 0.02  # or when the commit under way takes that long: it may be stuck, and nobody else is to be
RETRY_S = 0.2
_STORED = Outcome.STORED
PATIENCE_S = 5.0  # how long readings wait for a database that does not answer before their senders are told

_log = structlog.get_logger()


class GroupCommit:
    """Gathers what submissions hold and lets each writer commit about 0.1 s of work at a time, one commit per group.

    Each group has a part of every device that waits. When about a second of work waits, a device may have its fair
    part of that waiting and is refused above it: who floods is told so, and who does not is in the next group
    (promise P4).

    Args:
        writers: One task each. A second one commits only what is worth a commit of its own, or what a stuck one keeps
            waiting: half as many readings a group would cost a fifth more of everything.
        backlog: Readings waiting above which every sender is refused.
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
        self._pace = Pace()
        self._turns = Turns(dropped=self._release)
        self._depth = 0  # what waits and what is being committed
        self._busy = 0
        self._late = 0  # of those busy
        self._of_device: Counter[int] = Counter()
        self._is_full = False
        self._is_draining = False
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop
        self._arrived = asyncio.Event()
        self._began_s: list[float] = []  # of each commit under way
        self.weakness: str | None = None
        self.failure: str | None = None
        self.seen: dict[int, tuple[int, int]] = {}
        self.on_committed: Callable[[Sequence[Entry], Sequence[Receipt]], None] | None = None

    async def add(self, entries: Entries) -> list[Receipt]:
        """Commit entries with those of others; one receipt per entry, in order, once all are durable.

        Raises:
            Overloaded: Too much is waiting; nothing was stored.
            Throttled: Too much of this device is waiting; nothing was stored.
            Unavailable: The outcome is unknown.
        """
        answer: asyncio.Future[list[Receipt]] = self._loop.create_future()
        self.enter(entries, answer)
        return await answer

    def enter(self, entries: Entries, answer: Waiting) -> None:
        """Take a place for entries; `answer` gets their receipts, or `Unavailable`, as `add` does.

        Raises:
            Overloaded, Throttled: As `add`; `answer` is not told.
        """
        device_id = entries[0].device_id
        self.admit(device_id, len(entries))
        self._turns.add(Ticket(entries, device_id, answer, perf_counter()))
        self._depth += len(entries)
        self._of_device[device_id] += len(entries)
        self._counters.depth = self._depth
        if self._is_worth_a_commit():
            self._arrived.set()

    def admit(self, device_id: int, count: int = 1) -> None:
        """Refuse what `add` would refuse, before anything is spent on it.

        Raises:
            Overloaded: Too much is waiting.
            Throttled: Too much of this device is waiting.
        """
        if self._is_draining:
            raise Overloaded("the server is stopping; send it again")
        if self._depth and self._depth + count > self._backlog:
            self._is_full = True
            raise _later(Overloaded())
        own = self._of_device[device_id]
        if own + count > self._allowed(own):
            raise _later(Throttled())

    def room_of(self, device_id: int) -> int:
        """How many readings of a device would be taken just now."""
        own = self._of_device.get(device_id, 0)
        return min(self._allowed(own) - own, self._backlog - self._depth)

    def start(self) -> None:
        """Start one task per writer, in the event loop that everything is added in."""
        self._loop = asyncio.get_running_loop()  # asked once: until Python 3.12 that takes a system call
        self._tasks = [asyncio.create_task(self._run(writer)) for writer in self._writers]

    async def drain(self) -> None:
        """Commit what waits, take nothing more, and end."""
        self._is_draining = True
        self._arrived.set()
        await asyncio.gather(*self._tasks)

    @property
    def is_full(self) -> bool:
        """Whether everybody was refused, and more than half of the backlog still waits."""
        return self._is_full

    @property
    def under_way_s(self) -> float:
        """For how many seconds the longest commit has been under way; 0 when there is none."""
        return monotonic() - min(self._began_s) if self._began_s else 0.0

    def _allowed(self, own: int) -> int:
        """What a device may have waiting that has so much of it.

        As long as less than about a second of work waits, one device may take all that is free, at once if it has
        nothing waiting: an import alone on the machine is not slowed down for devices that are not there. From then on
        each has the same part, and whoever has none waiting may always bring one piece: a small sender never finds the
        queue taken by the large ones.
        """
        room = min(self._pace.queue, self._backlog - self._backlog // 8)  # the rest is for those who send little
        if self._depth < room:
            return self._device_backlog if own else max(self._device_backlog, self._backlog)
        fair = room // (len(self._of_device) + (not own))
        return min(self._device_backlog, max(fair, 1 if own else PIECE))

    async def _run(self, writer: Writer) -> None:
        while True:
            while not self._is_worth_a_commit():
                if self._is_draining and not self._turns.waiting:
                    self._arrived.set()  # the others may end, too
                    return
                self._arrived.clear()
                await self._arrived.wait()
            for part in parts_of(self._turns.take(self._pace.group)):
                await self._commit_part(writer, part)

    async def _commit_part(self, writer: Writer, part: Part) -> None:
        try:
            with self._at_work():
                receipts = await self._commit(writer, part.entries)
        except Problem as problem:
            self._refuse(part.pieces, problem)
        except Exception as error:  # noqa: BLE001 - a writer that ended here would leave everybody waiting for ever
            self.failure = f"{type(error).__name__}: {error}"
            _log.exception("commit broke", readings=len(part.entries))
            self._refuse(part.pieces, Unavailable())
        except BaseException:
            self._refuse(part.pieces, Unavailable())
            raise
        else:
            self._answer(part.pieces, part.entries, receipts)
        finally:
            for piece in part.pieces:
                self._release(piece.ticket.device_id, len(piece.entries))

    def _is_worth_a_commit(self) -> bool:
        """Whether a writer that is free should take what waits, or leave it to one that soon will be."""
        waiting = self._turns.waiting
        return waiting > 0 and (self._busy <= self._late or waiting >= RELIEF_READINGS)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """While a group is being committed, and known to be late when it takes long.

        A late commit is not given up: what it holds may be durable any moment. It only counts no longer as the one
        that is under way, so that another writer takes what gathers behind it. Usually it waits for the disk (a
        checkpoint) or for a lock, and the second commit does not.
        """
        self._busy += 1
        is_late = False

        def note_late() -> None:
            nonlocal is_late
            is_late = True
            self._late += 1
            self._arrived.set()

        timer = self._loop.call_later(RELIEF_S, note_late)
        began_s = monotonic()
        self._began_s.append(began_s)
        try:
            yield
        finally:
            timer.cancel()
            self._began_s.remove(began_s)
            self._busy -= 1
            self._late -= is_late

    async def _commit(self, writer: Writer, entries: Entries) -> list[Receipt]:
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
                elapsed_s = perf_counter() - started_s
                if not isinstance(entries, Stretch):  # whose readings are no measure of how long others take
                    self._pace.note(len(entries), elapsed_s)
                self._counters.committed(len(entries), elapsed_s)
                return receipts

    def _note_weakness(self, weakness: str | None) -> None:
        if weakness != self.weakness:
            self.weakness = weakness
            if weakness is not None:
                _log.error("durability is weakened; nothing is acknowledged", reason=weakness)

    def _answer(self, group: Sequence[Piece], entries: Entries, receipts: list[Receipt]) -> None:
        """Tell a whole group what became of it; what is to be noted of it is noted in one go.

        Of a stretch its last reading is: who watches live sees where it ends.
        """
        noted, of_noted = ([entries[-1]], receipts[-1:]) if isinstance(entries, Stretch) else (entries, receipts)
        self._note_seen(noted, of_noted)
        if self.on_committed is not None:
            self.on_committed(noted, of_noted)
        now_s = perf_counter()
        waited_s: list[float] = []
        first = 0
        for piece in group:
            last = first + len(piece.entries)
            if piece.ticket.settle(piece.first, receipts[first:last]):
                waited_s.append(now_s - piece.ticket.since_s)
            first = last
        self._counters.times("commit", waited_s)

    def _note_seen(self, entries: Sequence[Entry], receipts: Sequence[Receipt]) -> None:
        seen = self.seen
        for entry, receipt in zip(entries, receipts, strict=True):
            if receipt.outcome is not _STORED or type(entry) is not Reading:
                continue
            received_us, time_us = entry.received_us, receipt.time_us or entry.received_us
            known = seen.get(entry.device_id)
            if known is None:
                seen[entry.device_id] = received_us, time_us
            elif received_us > known[0] or time_us > known[1]:
                seen[entry.device_id] = max(known[0], received_us), max(known[1], time_us)

    def _refuse(self, group: Sequence[Piece], problem: Problem) -> None:
        for piece in group:
            piece.ticket.refuse(problem)

    def _release(self, device_id: int, count: int) -> None:
        self._depth -= count
        left = self._of_device[device_id] - count
        if left:
            self._of_device[device_id] = left
        else:
            del self._of_device[device_id]
        self._counters.depth = self._depth
        if self._is_full and self._depth <= self._backlog // 2:
            self._is_full = False


def _later(problem: Problem) -> Problem:
    """The refusal with a time of its own to come back."""
    problem.retry_after_s = random.randint(1, LONGEST_RETRY_S)  # noqa: S311 - nothing secret
    return problem
