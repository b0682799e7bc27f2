"""Deliveries: a redelivered message is the one that came before, also after a restart; another one is not."""

import asyncio

import pytest

from releve.ingest.bridge.delivery import Deliveries
from releve.ingest.bridge.journal import Journal, JournalInUse, digest_of
from releve.ingest.bridge.link import Message
from releve.ingest.counters import Counters
from releve.ingest.submission import Submission
from releve.protocol.problem import Unavailable


class Path:
    """Keeps submissions when it may."""

    def __init__(self):
        self.counters = Counters()
        self.may_keep = asyncio.Event()
        self.kept = []
        self.refusals = 0

    async def keep(self, submission):
        if self.refusals:
            self.refusals -= 1
            raise Unavailable
        await self.may_keep.wait()
        self.kept.append(submission)


@pytest.fixture
def path():
    return Path()


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "bridge.journal") as opened:
        yield opened


def message(mid=1, *, payload=b"1", is_repeat=False, qos=1):
    return Message("a", payload, qos, mid, is_repeat)


async def test_a_delivery_is_done_only_when_it_is_durable(journal, path):
    deliveries = Deliveries(journal, path, window=10)
    first = await deliveries.of(message())
    deliveries.begin(message(), first, Submission("bridge"))
    await asyncio.sleep(0)

    assert not first.is_done

    path.may_keep.set()
    await first.done()

    assert first.is_done


async def test_while_the_database_is_away_the_same_submission_is_tried_again(journal, path, monkeypatch):
    monkeypatch.setattr("releve.ingest.bridge.delivery.FIRST_PAUSE_S", 0.001)
    path.refusals = 3
    path.may_keep.set()
    deliveries = Deliveries(journal, path, window=10)
    first = await deliveries.of(message())
    submission = Submission("bridge")
    deliveries.begin(message(), first, submission)

    await first.done()

    assert path.kept == [submission]


async def test_a_redelivery_waits_for_the_commit_that_is_under_way(journal, path):
    deliveries = Deliveries(journal, path, window=10)
    first = await deliveries.of(message())
    deliveries.begin(message(), first, Submission("bridge"))

    again = await deliveries.of(message(is_repeat=True))

    assert again is first
    path.may_keep.set()
    await again.done()
    assert len(path.kept) == 1


async def test_after_a_restart_what_was_durable_only_remains_to_be_acknowledged(journal, path):
    path.may_keep.set()
    before = Deliveries(journal, path, window=10)
    first = await before.of(message())
    before.begin(message(), first, Submission("bridge"))
    await first.done()

    again = await Deliveries(journal, path, window=10).of(message(is_repeat=True))

    assert again.is_done
    assert again.is_known


async def test_after_a_restart_what_was_not_durable_keeps_its_first_arrival(journal, path):
    first = await Deliveries(journal, path, window=10).of(message())

    again = await Deliveries(journal, path, window=10).of(message(is_repeat=True))

    assert not again.is_known
    assert again.received_us == first.received_us


@pytest.mark.parametrize("other", [message(), message(payload=b"2", is_repeat=True), message(2, is_repeat=True)])
async def test_another_message_is_another_delivery(journal, path, other):
    deliveries = Deliveries(journal, path, window=10)
    first = await deliveries.of(message())
    deliveries.begin(message(), first, Submission("bridge"))

    second = await deliveries.of(other)

    assert second is not first
    assert second.received_us > first.received_us
    path.may_keep.set()
    await deliveries.settle(1)


async def test_a_broker_that_forgot_the_session_repeats_nothing_of_it(journal, path):
    deliveries = Deliveries(journal, path, window=10)
    first = await deliveries.of(message())
    deliveries.forget()

    again = await deliveries.of(message(is_repeat=True))

    assert again.received_us != first.received_us


async def test_no_more_than_the_window_is_under_way(journal, path):
    deliveries = Deliveries(journal, path, window=2)
    for mid in (1, 2):
        deliveries.begin(message(mid), await deliveries.of(message(mid)), Submission("bridge"))
    third = asyncio.create_task(deliveries.of(message(3)))
    await asyncio.sleep(0.01)

    assert not third.done()

    path.may_keep.set()

    assert await third


async def test_what_is_not_durable_at_the_end_is_given_up(journal, path):
    deliveries = Deliveries(journal, path, window=2)
    first = await deliveries.of(message())
    deliveries.begin(message(), first, Submission("bridge"))

    await deliveries.settle(0.01)

    slot = journal.find(1, digest_of("a", b"1"))
    assert slot is not None
    assert not slot.is_done


def test_one_process_at_a_time_bridges_under_a_name(tmp_path):
    with Journal(tmp_path / "bridge.journal"), pytest.raises(JournalInUse):
        Journal(tmp_path / "bridge.journal")


def test_a_done_that_comes_late_does_not_touch_the_identifiers_next_delivery(journal):
    journal.received(7, b"a" * 16, 1)
    journal.received(7, b"b" * 16, 2)

    journal.done(7, b"a" * 16, 1)

    slot = journal.find(7, b"b" * 16)
    assert slot is not None
    assert not slot.is_done
