"""Faults that we plant in the code under test, to see that the simulation finds them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg import errors

from releve.http.direct import DirectProtocol
from releve.ingest.batch import GroupCommit
from releve.ingest.mqtt.endpoint import Endpoint
from releve.ingest.mqtt.intake import Intake
from releve.ingest.path import Path
from releve.ingest.submission import Submission
from releve.ingest.turns import Turns
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import Problem
from releve.protocol.reading import Quarantined
from releve.storage import late, staged
from releve.storage.session import Horizon, NotDurable, Session
from releve.storage.writer import Writer

STORED, DUPLICATE, ASIDE = (Receipt(each) for each in (Outcome.STORED, Outcome.DUPLICATE, Outcome.QUARANTINED))
Plant = Callable[[], Any]
PLANTS: dict[str, Plant] = {}


def fault(plant: Plant) -> Plant:
    """Register one by its name."""
    PLANTS[plant.__name__] = contextmanager(plant)
    return plant


def _instead(owner: Any, name: str, make: Callable[[Any], Any]) -> Any:
    return patch.object(owner, name, make(getattr(owner, name)))


@fault
def acknowledges_before_the_commit() -> Iterator[None]:
    def make(commit: Any) -> Any:
        async def early(self: Any, writer: Any, entries: Any) -> list[Receipt]:
            self.in_background = asyncio.ensure_future(commit(self, writer, entries))
            self.in_background.add_done_callback(lambda task: task.cancelled() or task.exception())
            return [STORED] * len(entries)

        return early

    with _instead(GroupCommit, "_commit", make):
        yield


@fault
def acknowledges_a_publish_before_its_commit() -> Iterator[None]:
    def make(keep: Any) -> Any:
        async def early(self: Any, burst: Any, sender: Any) -> None:
            self._start(keep(self, burst, sender))

        return early

    with _instead(Endpoint, "keep", make):
        yield


@fault
def acknowledges_a_publish_that_failed() -> Iterator[None]:
    def make(keep: Any) -> Any:
        async def careless(self: Any, burst: Any, sender: Any) -> None:
            with suppress(Problem):
                await keep(self, burst, sender)

        return careless

    with _instead(Endpoint, "keep", make):
        yield


@fault
def does_not_hear_the_warning_of_a_commit() -> Iterator[None]:
    with patch.object(Session, "confirm", lambda self: None):
        yield


@fault
def does_not_look_whether_fsync_is_on() -> Iterator[None]:
    with patch("releve.storage.session._weakness_in", lambda _state: None):
        yield


def _receipts_when(error: type[BaseException], receipt: Receipt) -> Callable[[Any], Any]:
    def make(commit: Any) -> Any:
        async def sure(self: Any, entries: Any) -> list[Receipt]:
            try:
                return await commit(self, entries)
            except error:
                return [receipt] * len(entries)

        return sure

    return make


@fault
def takes_a_weak_commit_for_a_good_one() -> Iterator[None]:
    with _instead(Writer, "commit", _receipts_when(NotDurable, STORED)):
        yield


@fault
def takes_a_broken_connection_for_a_commit() -> Iterator[None]:
    with _instead(Writer, "commit", _receipts_when(psycopg.OperationalError, STORED)):
        yield


@fault
def puts_aside_what_met_a_deadlock() -> Iterator[None]:
    with _instead(Writer, "commit", _receipts_when(errors.DeadlockDetected, ASIDE)):
        yield


@fault
def takes_a_group_with_one_repeat_for_repeats() -> Iterator[None]:
    with _instead(Writer, "_copy", _of_copy(errors.UniqueViolation, DUPLICATE)):
        yield


@fault
def puts_the_neighbours_of_a_poisonous_row_aside() -> Iterator[None]:
    with _instead(Writer, "_copy", _of_copy(errors.DataError, ASIDE)):
        yield


def _of_copy(error: type[BaseException], receipt: Receipt) -> Callable[[Any], Any]:
    def make(copy: Any) -> Any:
        async def blunt(self: Any, connection: Any, readings: Any) -> list[Receipt]:
            try:
                return await copy(self, connection, readings)
            except error:
                return [receipt] * len(readings)

        return blunt

    return make


@fault
def gives_each_its_neighbours_receipt() -> Iterator[None]:
    def make(commit: Any) -> Any:
        async def turned(self: Any, entries: Any) -> list[Receipt]:
            receipts = await commit(self, entries)
            return [*receipts[1:], receipts[0]]

        return turned

    with _instead(Writer, "commit", make):
        yield


@fault
def tells_a_repeat_as_stored() -> Iterator[None]:
    def make(receipt: Any) -> Any:
        def proud(entry: Any, *known: Any) -> Receipt:
            found = receipt(entry, *known)
            return STORED if found.outcome is Outcome.DUPLICATE else found

        return proud

    with _instead(staged, "_receipt", make):
        yield


@fault
def tells_twins_of_one_group_as_stored_both() -> Iterator[None]:
    class Kept(set):  # type: ignore[type-arg]
        def discard(self, _each: object) -> None: ...

    def make(store: Any) -> Any:
        async def kept(*arguments: Any) -> Any:
            stored, *others = await store(*arguments)
            return Kept(stored), *others

        return kept

    with _instead(staged, "_store_new", make):
        yield


@fault
def does_not_keep_what_it_quarantines() -> Iterator[None]:
    def make(store: Any) -> Any:
        async def forgetful(connection: Any, entries: Any, **options: Any) -> list[Receipt]:
            readings = [each for each in entries if not isinstance(each, Quarantined)]
            receipts = iter(await store(connection, readings, **options))
            return [ASIDE if isinstance(each, Quarantined) else next(receipts) for each in entries]

        return forgetful

    with _instead(staged, "store", make):
        yield


@fault
def looks_for_no_reading_among_the_sealed() -> Iterator[None]:
    with patch.object(Horizon, "is_late", lambda self, reading: False):
        yield


@fault
def lets_readings_be_sealed_while_it_looks_for_them() -> Iterator[None]:
    def make(query: Any) -> Any:
        return lambda name: query("wait_for_commit" if name == "lock_history_late" else name)

    with _instead(late, "query", make):
        yield


@fault
def takes_two_readings_of_an_instant_for_one() -> Iterator[None]:
    with patch("releve.protocol.identity._hash", lambda content: 42):
        yield


@fault
def stores_under_another_device() -> Iterator[None]:
    def make(read: Any) -> Any:
        def confused(self: Any, shape: Any, *, sender: Any, **options: Any) -> None:
            read(self, shape, sender=sender, **options)
            for item in self.items:
                if hasattr(item, "device_id"):
                    item.device_id += 1

        return confused

    with _instead(Submission, "read", make):
        yield


@fault
def forgets_the_last_reading_of_a_long_batch() -> Iterator[None]:
    def make(read: Any) -> Any:
        def short(self: Any, *arguments: Any, **options: Any) -> None:
            read(self, *arguments, **options)
            del self.items[16:]

        return short

    with _instead(Submission, "read", make):
        yield


@fault
def loses_a_place_in_the_queue() -> Iterator[None]:
    def make(take: Any) -> Any:
        def careless(self: Any, most: int) -> Any:
            group = take(self, most)
            return group[:-1] if len(group) > 3 else group

        return careless

    with _instead(Turns, "take", make):
        yield


@fault
def loses_a_publish_between_two_bursts() -> Iterator[None]:
    def make(burst: Any) -> Any:
        def careless(self: Any, sender: Any) -> Any:
            if len(self._pending) > 2:
                del self._pending[1]
            return burst(self, sender)

        return careless

    with _instead(Intake, "_burst", make):
        yield


@fault
def gives_no_place_in_the_queue_back() -> Iterator[None]:
    with patch.object(GroupCommit, "_release", lambda self, device_id, count: None):
        yield


@fault
def sleeps_through_a_wake_up() -> Iterator[None]:
    class Sleepy(asyncio.Event):
        def set(self) -> None:
            self.calls = getattr(self, "calls", 0) + 1
            if self.calls % 7:
                super().set()

    def make(start: Any) -> Any:
        def sleepy(self: Any) -> None:
            self._arrived = Sleepy()
            start(self)

        return sleepy

    with _instead(GroupCommit, "start", make):
        yield


@fault
def ends_its_writer_at_the_first_error() -> Iterator[None]:
    def make(commit: Any) -> Any:
        async def brittle(self: Any, writer: Any, entries: Any) -> list[Receipt]:
            try:
                return await commit(self, writer, entries)
            except Problem as problem:
                raise asyncio.CancelledError from problem

        return brittle

    with _instead(GroupCommit, "_commit", make):
        yield


@fault
def swaps_two_answers_of_a_connection() -> Iterator[None]:
    def make(write: Any) -> Any:
        def swapped(self: Any) -> None:
            first, second = [*self._replies, None, None][:2]
            if second is not None and first.data is not None and second.data is not None:
                first.data, second.data = second.data, first.data
            write(self)

        return swapped

    with _instead(DirectProtocol, "write_replies", make):
        yield


@fault
def answers_directly_before_the_commit() -> Iterator[None]:
    class Nobody:
        def done(self) -> bool:
            return False

        def cancelled(self) -> bool:
            return False

        def set_result(self, _receipts: Any) -> None: ...

        def set_exception(self, _problem: Any) -> None: ...

    def make(hand_in: Any) -> Any:
        def early(self: Any, submission: Any, answer: Any) -> None:
            hand_in(self, submission, Nobody())
            answer.set_result([STORED] * len(submission.items))

        return early

    with _instead(Path, "hand_in", make):
        yield
