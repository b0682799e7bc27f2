"""The path that every transport takes: what is kept with readings, in which order, and what becomes of a second try."""

import asyncio
import time
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import pytest

from releve.ingest.batch import GroupCommit
from releve.ingest.counters import Counters
from releve.ingest.last_value import LastValues
from releve.ingest.path import Path
from releve.ingest.submission import Submission
from releve.protocol.contract import GENERIC
from releve.protocol.decode import Arrival
from releve.protocol.format import split
from releve.protocol.outcome import Outcome, Receipt
from releve.protocol.problem import BadReading, Overloaded, Unavailable
from releve.protocol.reading import Quarantined
from releve.protocol.sender import Sender

WITHIN_S = 10
NOW_US = time.time_ns() // 1000
VALUE = (1, "esp32bis/speed", "12.5", NOW_US)
CAR = Sender(
    principal="device:1",
    sign_in="",
    name="car",
    device_id=1,
    team_id=1,
    contract="generic",
    zone=ZoneInfo("UTC"),
    roles={},
    is_device=True,
    expires_s=time.time() + 3600,
)


class Writer:
    """Commits when it may, and says what it was asked to."""

    def __init__(self, happened):
        self.happened = happened
        self.asked = asyncio.Event()
        self.may_commit = asyncio.Event()

    async def commit(self, entries):
        self.happened.append("asked")
        self.asked.set()
        await self.may_commit.wait()
        self.happened.append("committed")
        return [Receipt(Outcome.QUARANTINED if isinstance(entry, Quarantined) else Outcome.STORED) for entry in entries]


class Store:
    """Where last values go, or which does not answer."""

    def __init__(self, happened):
        self.happened = happened
        self.is_away = False

    async def keep_values(self, rows):
        if self.is_away:
            raise Unavailable
        self.happened.append(("values", *rows))


class Drivers:
    """Notes whose a race is."""

    def __init__(self, happened):
        self.happened = happened

    async def named(self, race, sender):
        self.happened.append(("race", race, sender.name))


class Kit:
    """A path with what is around it, and all that happened in its order."""

    def __init__(self):
        self.happened = []
        self.writer = Writer(self.happened)
        self.store = Store(self.happened)
        self.counters = Counters()
        self.group = GroupCommit([self.writer], backlog=100, device_backlog=100, counters=self.counters)
        values = LastValues(self.store)
        self.path = Path(self.group, self.counters, values=values, drivers=Drivers(self.happened))


@asynccontextmanager
async def running():
    kit = Kit()
    kit.group.start()
    keeping = asyncio.create_task(kit.path.values.run())
    yield kit
    kit.writer.may_commit.set()
    await kit.group.drain()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


def submission(*payloads, values=(), races=()):
    made = Submission("mqtt")
    for payload in payloads:
        made.read_one(payload, contract=GENERIC, sender=CAR, arrival=Arrival(NOW_US, "mqtt"))
    made.values += values
    made.awaits_values = bool(values)
    made.races = dict.fromkeys(races, CAR)
    return made


async def within(work):
    return await asyncio.wait_for(work, WITHIN_S)


async def test_a_last_value_is_kept_only_once_the_readings_that_came_with_it_are_durable():
    async with running() as kit:
        keeping = asyncio.create_task(kit.path.keep(submission(b'{"speed": 12.5}', values=[VALUE])))
        await within(kit.writer.asked.wait())
        await within(kit.path.values.kept())  # whoever else writes values now does not write this one
        assert kit.happened == ["asked"]

        kit.writer.may_commit.set()
        receipts = await within(keeping)

    assert [receipt.outcome for receipt in receipts] == [Outcome.STORED]
    assert kit.happened == ["asked", "committed", ("values", VALUE)]


async def test_whose_a_race_is_is_noted_before_its_sample_is_stored():
    async with running() as kit:
        kit.writer.may_commit.set()

        await within(kit.path.keep(submission(b'{"race": 7}', races=[7])))

    assert kit.happened == [("race", 7, "car"), "asked", "committed"]


async def test_kept_once_more_a_submission_goes_on_after_what_is_durable_and_counts_once():
    async with running() as kit:
        kit.writer.may_commit.set()
        kit.store.is_away = True
        sample = submission(b'{"speed": 1}', values=[VALUE])
        with pytest.raises(Unavailable):
            await within(kit.path.keep(sample))

        kit.store.is_away = False
        receipts = await within(kit.path.keep(sample))

    assert [receipt.outcome for receipt in receipts] == [Outcome.STORED]
    assert kit.happened == ["asked", "committed", ("values", VALUE)]
    assert kit.counters.outcomes == {("mqtt", "stored"): 1}
    assert sum(kit.counters.steps["decode"].counts) == 1


async def test_a_submission_that_was_refused_for_now_is_kept_whole_by_the_next_try():
    async with running() as kit:
        kit.writer.may_commit.set()
        many = submission(*[b'{"n": %d}' % n for n in range(99)])
        waiting = asyncio.create_task(kit.path.keep(many))
        await asyncio.sleep(0)
        sample = submission(b'{"n": 99}', b'{"n": 100}', values=[VALUE])
        with pytest.raises(Overloaded):
            await kit.path.keep(sample)
        await within(waiting)

        assert len(await within(kit.path.keep(sample))) == 2

    assert kit.happened[-1] == ("values", VALUE)


async def test_what_is_refused_stands_among_the_receipts_in_its_own_place():
    shape = split(b'[{"n": 1}, 7, {"n": 2}]', limit=10)
    async with running() as kit:
        kit.writer.may_commit.set()
        batch = await kit.path.read(shape, contract=GENERIC, sender=CAR, arrival=Arrival(NOW_US, "http"))

        receipts = await within(kit.path.keep(batch))

    assert [receipt.outcome for receipt in receipts] == [Outcome.STORED, Outcome.REFUSED, Outcome.STORED]
    assert kit.counters.outcomes == {("http", "stored"): 2, ("http", "refused"): 1}


async def test_where_nobody_can_be_told_the_same_is_kept_aside_with_its_own_bytes():
    async with running() as kit:
        kit.writer.may_commit.set()
        untold = Submission("bridge")
        arrival = Arrival(NOW_US, "bridge")
        for payload in (b'[{"n": 1}, 7, {"n": 2}]', b"no reading"):
            untold.read_untold(payload, contract=GENERIC, sender=CAR, arrival=arrival, batch_limit=10)

        receipts = await within(kit.path.keep(untold))

    aside = [item for item in untold.items if isinstance(item, Quarantined)]
    assert [each.payload for each in aside] == [b"7", b"no reading"]
    assert [receipt.outcome for receipt in receipts] == ["stored", "quarantined", "stored", "quarantined"]
    assert kit.counters.outcomes == {("bridge", "stored"): 2, ("bridge", "quarantined"): 2}


async def test_a_single_reading_that_is_refused_is_refused_before_anything_is_kept():
    kit = Kit()

    with pytest.raises(BadReading):
        kit.path.read_one(b"7", contract=GENERIC, sender=CAR, arrival=Arrival(NOW_US, "http"))


async def test_of_one_topic_the_value_that_came_last_stays_whatever_was_committed_first():
    async with running() as kit:
        later, earlier = (1, "esp32bis/speed", "2", NOW_US + 1), (1, "esp32bis/speed", "1", NOW_US)
        kit.path.values.keep([later])
        kit.path.values.keep([earlier])

        await within(kit.path.values.kept())

    assert kit.happened == [("values", later)]
