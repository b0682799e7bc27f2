"""What is noted of a group is noted once for all of it, and nothing of it is lost that way."""

import asyncio
from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from releve.ingest.batch import GroupCommit
from releve.ingest.counters import BOUNDS_S, Counters, Histogram
from releve.live.feed import DATAGRAM_BYTES, DATAGRAM_READINGS, Feed
from releve.live.heard import Heard, News, Said
from releve.protocol.clock import Instant, Rule
from releve.protocol.instant import iso
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.reading import Reading

WITHIN_S = 10


def reading(device_id, time_us, *, received_us=1):
    return Reading(
        device_id=device_id, instant=Instant(time_us, Rule.ZONED), id=time_us, received_us=received_us, channels=b"{}"
    )


class Writer:
    """Commits when it may; every third is a duplicate."""

    def __init__(self):
        self.asked, self.may_commit = asyncio.Event(), asyncio.Event()
        self.groups = []

    async def commit(self, entries):
        self.asked.set()
        await self.may_commit.wait()
        self.groups.append(list(entries))
        return [
            Receipt(Outcome.DUPLICATE if entry.id % 3 == 0 else Outcome.STORED, entry.instant.time_us)
            for entry in entries
        ]


async def groups_of(*submissions):
    """Commit submissions, all but the first as one group; the receipts of each, and the commit with its writer."""
    writer, counters = Writer(), Counters()
    group = GroupCommit([writer], backlog=1000, device_backlog=1000, counters=counters)
    told = []
    group.on_committed = lambda entries, receipts: told.append((list(entries), list(receipts)))
    group.start()
    adding = [asyncio.create_task(group.add(submissions[0]))]
    await asyncio.wait_for(writer.asked.wait(), WITHIN_S)
    adding += [asyncio.create_task(group.add(each)) for each in submissions[1:]]
    await asyncio.sleep(0)
    writer.may_commit.set()
    receipts = await asyncio.wait_for(asyncio.gather(*adding), WITHIN_S)
    await group.drain()
    return receipts, group, writer, told, counters


async def test_a_whole_group_is_told_of_at_once_and_each_submission_gets_its_own_receipts():
    submissions = [[reading(9, 1)], [reading(1, 2), reading(1, 3)], [reading(2, 4)], [reading(1, 5)]]

    receipts, _, writer, told, counters = await groups_of(*submissions)

    assert [len(entries) for entries in writer.groups] == [1, 4]
    assert [entries for entries, _ in told] == writer.groups
    assert [[receipt.time_us for receipt in each] for each in receipts] == [[1], [2, 3], [4], [5]]
    assert receipts[1][1].outcome is Outcome.DUPLICATE
    assert sum(counters.steps["commit"].counts) == len(submissions)


async def test_a_device_was_last_seen_with_its_latest_of_a_group_and_not_with_a_duplicate():
    late, early, repeat = reading(1, 7, received_us=20), reading(1, 5, received_us=30), reading(2, 6, received_us=40)

    _, group, *_ = await groups_of([reading(9, 1)], [late], [early], [repeat])

    assert group.seen == {9: (1, 1), 1: (30, 7)}


@given(st.lists(st.floats(0, 20), max_size=50))
def test_times_counted_together_are_counted_as_one_by_one(values):
    one, all_at_once = Histogram(BOUNDS_S), Histogram(BOUNDS_S)
    for value in values:
        one.add(value)
    all_at_once.add_all(values)

    assert one.counts == all_at_once.counts
    assert abs(one.total - all_at_once.total) < 1e-6


@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999))
def test_an_instant_is_written_as_python_writes_it(time_us):
    written = (datetime(1970, 1, 1) + timedelta(microseconds=time_us)).isoformat() + "Z"  # noqa: DTZ001 - naive, as there

    assert iso(time_us) == written


async def test_a_group_of_wide_readings_is_told_to_a_worker_that_asks_in_pieces_that_it_can_hear(tmp_path, monkeypatch):
    wide = [Heard(1, number, b'{"text":"%b"}' % (b"x" * 9_000)) for number in range(DATAGRAM_READINGS)]
    news = [*wide, Said(1, "esp32bis/speed", "é" * 10), *(Heard(2, number, b"{}") for number in range(200))]
    sent = []
    monkeypatch.setattr(Feed, "_send", lambda _, datagram, __: sent.append(datagram))
    feed = Feed(tmp_path, index=0)
    feed.open(lambda _: None)
    (tmp_path / "live-1.wanted").touch()
    feed.announce(())

    feed.tell(news)
    feed.close()

    assert max(map(len, sent)) < DATAGRAM_BYTES
    assert [each for datagram in sent for each in msgspec.msgpack.decode(datagram, type=list[News])] == news
