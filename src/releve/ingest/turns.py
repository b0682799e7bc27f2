"""What waits for its commit: devices take turns, so that a small sender is in the next group whoever floods."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from releve.protocol.outcome import Receipt
from releve.protocol.reading import Reading
from releve.protocol.stretch import Stretch
from releve.storage.writer import Entries

OF_STRETCH = 2_000  # readings of a stretch that one commit takes at least: in columns they are less work than few rows


class Waiting(Protocol):
    """Who waits for a submission's receipts: a future, or what does as one."""

    def done(self) -> bool:
        """Whether it was told something."""

    def cancelled(self) -> bool:
        """Whether nobody waits any more."""

    def set_result(self, receipts: list[Receipt], /) -> None:
        """All of it is durable."""

    def set_exception(self, problem: BaseException, /) -> None:
        """The outcome is not what was wished for."""


class Ticket:
    """A place in the queue: one sender's entries on their way through one commit or several, and who waits for them.

    Attributes:
        entries: What is to be committed.
        device_id: Whose turn it takes.
        since_s: When it came, by `perf_counter`.
        answer: Gets a receipt per entry once all are durable.
    """

    __slots__ = ("_is_whole", "_left", "_receipts", "_taken", "answer", "device_id", "entries", "since_s")

    def __init__(self, entries: Entries, device_id: int, answer: Waiting, since_s: float) -> None:
        self.entries = entries
        self.device_id = device_id
        self.answer = answer
        self.since_s = since_s
        self._taken = 0
        self._left = len(entries)
        self._receipts: list[Receipt] = []
        self._is_whole: bool | None = None

    @property
    def waiting(self) -> int:
        """How many entries no group has."""
        return len(self.entries) - self._taken

    def take(self, most: int) -> "Piece":
        """The next entries for a group: not more than asked for, but all of those that must not be cut."""
        if isinstance(self.entries, Stretch):
            most = max(most, OF_STRETCH)
        if self.waiting > most and not self._has_to_stay_whole():
            first, self._taken = self._taken, self._taken + most
        else:
            first, self._taken = self._taken, len(self.entries)
        return Piece(self, first, self.entries[first : self._taken])

    def settle(self, first: int, receipts: list[Receipt]) -> bool:
        """Note a piece's receipts, which become the ticket's own; whether they were the last."""
        if self._left == len(receipts) == len(self.entries):
            self._receipts = receipts
        else:
            if not self._receipts:
                self._receipts = [receipts[0]] * len(self.entries)
            self._receipts[first : first + len(receipts)] = receipts
        self._left -= len(receipts)
        if self._left == 0 and not self.answer.done():
            self.answer.set_result(self._receipts)
        return self._left == 0

    def refuse(self, problem: BaseException) -> None:
        """Tell the sender that the outcome is not what he wished for, whatever becomes of the rest."""
        if not self.answer.done():
            self.answer.set_exception(problem)

    def _has_to_stay_whole(self) -> bool:
        """Readings that count since boot are placed against each other, so one commit has to see all of them."""
        if self._is_whole is None:
            self._is_whole = not isinstance(self.entries, Stretch) and any(
                isinstance(entry, Reading) and entry.needs_receipt for entry in self.entries
            )
        return self._is_whole


class Piece:
    """A ticket's part in one group."""

    __slots__ = ("entries", "first", "ticket")

    def __init__(self, ticket: Ticket, first: int, entries: Entries) -> None:
        self.ticket = ticket
        self.first = first
        self.entries = entries


class Part(NamedTuple):
    """What of a group is one commit.

    Attributes:
        pieces: Whose.
        entries: All of them.
    """

    pieces: Sequence[Piece]
    entries: Entries


def parts_of(group: Sequence[Piece]) -> Iterator[Part]:
    """The commits of a group: one for all its entries together, and one for each stretch that goes into columns."""
    together = [piece for piece in group if not isinstance(piece.entries, Stretch)]
    entries = [entry for piece in together for entry in piece.entries]
    if entries:
        yield Part(together, entries)
    for piece in group:
        if isinstance(piece.entries, Stretch):
            yield Part([piece], piece.entries)


class Turns:
    """Tickets that wait, by device; each group has an equal part of every device that waits."""

    def __init__(self, *, dropped: Callable[[int, int], None]) -> None:
        """`dropped` is told of a device's entries that are not worth a commit, as their sender has an answer."""
        self._of: dict[int, deque[Ticket]] = {}
        self._turns: deque[int] = deque()
        self._dropped = dropped
        self.waiting = 0

    def add(self, ticket: Ticket) -> None:
        """Take a place behind the device's own."""
        own = self._of.get(ticket.device_id)
        if own is None:
            own = self._of[ticket.device_id] = deque()
            self._turns.append(ticket.device_id)
        own.append(ticket)
        self.waiting += ticket.waiting

    def take(self, most: int) -> list[Piece]:
        """The next group: about so many entries, spread evenly over the devices."""
        group: list[Piece] = []
        count = 0
        while self._turns and count < most:
            part = max(1, (most - count) // len(self._turns))
            for _ in range(min(len(self._turns), most - count)):
                device_id = self._turns.popleft()
                count += self._take_of(device_id, part, group)
                if device_id in self._of:
                    self._turns.append(device_id)
        return group

    def _take_of(self, device_id: int, most: int, group: list[Piece]) -> int:
        own = self._of[device_id]
        count = 0
        while own and count < most:
            ticket = own[0]
            if ticket.answer.done() and not ticket.answer.cancelled():
                self._drop(own.popleft())
                continue
            piece = ticket.take(most - count)
            group.append(piece)
            count += len(piece.entries)
            self.waiting -= len(piece.entries)
            if not ticket.waiting:
                own.popleft()
        if not own:
            del self._of[device_id]
        return count

    def _drop(self, ticket: Ticket) -> None:
        """The rest of a ticket whose first part failed: its sender sends all of it again."""
        self.waiting -= ticket.waiting
        self._dropped(ticket.device_id, ticket.waiting)
