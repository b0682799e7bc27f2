"""What rules delete, and nothing else: beside a dictionary, whatever is sealed, merged, killed or sent again."""

import itertools
import json
from datetime import UTC, datetime
from functools import partial

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tests.homes import row

from releve.history import spelling
from releve.history.pivot import block_of
from releve.maintenance.retention import Retention
from releve.protocol.identity import canonical
from releve.protocol.keeping import DAY_US, Days, Keeping, Rule, Stretch
from releve.storage import archive, placing, retention, scan, sealing, segments
from releve.storage.pool import Pool
from releve.storage.queries import query
from releve.storage.reader import ConnectionReader, each, now
from releve.storage.scan import EVER, WHOLE, Span

NOW_US = 1_780_315_200_000_000  # 2026-06-01T12:00:00Z
DEVICES = itertools.count(50_000)
ALL = Span(0, 4_000_000_000_000_000)
DAYS = st.sampled_from([None, None, 10, 20])
KEEPINGS = st.builds(
    lambda whole, a, b: Keeping(
        Days(whole), {name: Days(own) for name, own in (("a", a), ("b", b)) if own is not False}
    ),
    DAYS,
    st.sampled_from([False, False, None, 5, 30]),
    st.sampled_from([False, False, 5, 12]),
)
VALUES = st.sampled_from([1, 1.0, 2.5, "text", True, -0.0])
BATCHES = st.lists(
    st.builds(
        lambda hours, channels: row(NOW_US - hours * 3_600_000_000, channels, received_us=NOW_US),
        st.integers(1, 45 * 24),
        st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1),
    ),
    min_size=1,
    max_size=25,
)


class Killed(Exception):
    """The process died here."""


class DyingReader(ConnectionReader):
    def __init__(self, connection, statements):
        super().__init__(connection)
        self.left = statements

    async def ask(self, statement, values):
        self.left -= 1
        if self.left < 0:
            raise Killed
        return await super().ask(statement, values)


def numbers(rows):
    """What ladders tell of some readings: how many numbers of each channel, their total, the least and the greatest."""
    found = {}
    for each_row in rows:
        for name, value in json.loads(each_row.channels).items():
            if type(value) in (int, float):
                found.setdefault(name, []).append(value)
    return {name: (len(own), pytest.approx(sum(own)), min(own), max(own)) for name, own in found.items()}


class Kept(RuleBasedStateMachine):
    """One device of a real database with rules, and a dictionary of all that it ever sent."""

    connection: psycopg.Connection

    def __init__(self):
        super().__init__()
        self.device = next(DEVICES)
        self.sent = {}
        self.keeping = Keeping(Days(), {})

    @rule(batch=BATCHES)
    def store(self, batch):
        """As a writer does it: what is known, or lies where readings were deleted, is not stored again."""
        reader = ConnectionReader(self.connection)
        gone = now(retention.expired(reader, self.device, ALL))
        known = {(own.time_us, own.id) for own in self.stored()}
        new = {(own.time_us, own.id): own for own in batch if (own.time_us, own.id) not in known}
        new = {
            key: own
            for key, own in new.items()
            if not any(not channel and span.from_us <= own.time_us < span.to_us for channel, span in gone)
        }
        with self.connection.transaction():
            now(sealing.put_back(reader, self.device, list(new.values()), is_into_old=False))
        self.sent = {**new, **self.sent}

    @rule(keeping=KEEPINGS)
    def rule_is_changed(self, keeping):
        self.keeping = keeping

    @rule(dies_at=st.integers(0, 12))
    def a_step_is_killed(self, dies_at):
        self.work(dies_at, retention.keep, self.device, self.kept(), NOW_US)

    @rule()
    def all_is_done(self):
        while self.work(99, sealing.seal, self.device).is_more:
            pass
        for _ in range(200):
            if not self.work(99, retention.keep, self.device, self.kept(), NOW_US).is_more:
                break
        else:
            pytest.fail("there is always more to do")
        self.connection.execute(query("drop_replaced"), {"older_s": 0})
        for own in self.stored():
            age_us = NOW_US - own.time_us
            names = json.loads(own.channels)
            days = [self.keeping.raw_days(name) for name in names]
            slack_us = 10 * DAY_US
            assert not names or all(each_days is None or age_us <= each_days * DAY_US + slack_us for each_days in days)

    @rule()
    def seal(self):
        self.work(99, sealing.seal, self.device)

    @rule()
    def join(self):
        self.work(99, sealing.join, self.device)

    @invariant()
    def nothing_is_lost_before_its_time_and_its_identity_stays(self):
        stored = {(own.time_us, own.id): own for own in self.stored()}
        assert stored.keys() <= self.sent.keys()
        for key, first in self.sent.items():
            was = json.loads(first.channels)
            kept = json.loads(stored[key].channels) if key in stored else {}
            assert kept.items() <= was.items()
            gone = set(was) - set(kept)
            spans = now(retention.expired(ConnectionReader(self.connection), self.device, Span(key[0], key[0] + 1)))
            assert {channel for channel, _ in spans} >= (gone if key in stored else {""})
            if key in stored:
                assert stored[key]._replace(channels=b"") == first._replace(channels=b"")

    @invariant()
    def ladders_and_what_is_still_a_row_tell_of_everything_that_was_ever_sent(self):
        self.connection.execute(query("drop_replaced"), {"older_s": 0})
        fresh = "SELECT channels FROM fresh_reading WHERE device_id = %s"
        rows = [canonical(json.loads(text)) for (text,) in self.connection.execute(fresh, [self.device])]
        told = numbers([row(0, json.loads(text)) for text in rows])
        ladder = "SELECT channel, n, total, low, high FROM ladder WHERE device_id = %s"
        found = {}
        for channel, *arrays in self.connection.execute(ladder, [self.device]):
            n, total, low, high = map(np.array, arrays)
            count, summed, least, greatest = found.get(channel, (0, 0.0, np.inf, -np.inf))
            found[channel] = (
                count + int(n.sum()), summed + float(total.sum()), min(least, low.min()), max(greatest, high.max())
            )  # fmt: skip
        for channel, (n, total, low, high) in told.items():
            count, summed, least, greatest = found.get(channel, (0, 0.0, np.inf, -np.inf))
            found[channel] = (count + n, summed + total.expected, min(least, low), max(greatest, high))
        assert found == numbers(self.sent.values())

    def kept(self):
        return [Stretch(*EVER, self.keeping)]

    def stored(self):
        reader = ConnectionReader(self.connection)
        return [own for block in each(scan.blocks(reader, self.device, WHOLE, ALL)) for own in spelling.rows(block)]

    def work(self, dies_at, step, *details):
        try:
            with self.connection.transaction():
                return now(step(DyingReader(self.connection, dies_at), *details))
        except (Killed, sealing.Moved):
            return sealing.Step()


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(segments, "READINGS", 16)
    monkeypatch.setattr(placing, "MOST_READINGS", 20)
    monkeypatch.setattr(sealing, "MOST_ROWS", 9)
    monkeypatch.setattr(retention, "MOST_GONE", 2)


@pytest.mark.usefixtures("small")
def test_rules_delete_what_is_too_old_and_nothing_else_whatever_is_sealed_merged_killed_or_sent_again(migrated_url):
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        Kept.connection = connection
        run_state_machine_as_test(
            Kept,
            settings=settings(
                max_examples=15,
                stateful_step_count=16,
                deadline=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )


@pytest.fixture
def connection(migrated_url):
    with psycopg.connect(migrated_url, autocommit=True) as opened:
        yield opened


def add(connection, device_id, rows):
    with connection.transaction():
        return now(segments.add(ConnectionReader(connection), device_id, block_of(rows)))


def kept(connection, device_id, keeping, *, archive=None, now_us=NOW_US):
    steps = []
    while True:
        with connection.transaction():
            reader = ConnectionReader(connection)
            step = now(retention.keep(reader, device_id, [Stretch(*EVER, keeping)], now_us, archive))
        steps.append(step)
        if not step.is_more:
            return steps


def stored(connection, device_id):
    reader = ConnectionReader(connection)
    return [own for block in each(scan.blocks(reader, device_id, WHOLE, ALL)) for own in spelling.rows(block)]


def hourly(days, *, until_us=NOW_US, channels=None):
    """A reading each hour of the last days."""
    return [
        row(until_us - hour * 3_600_000_000, channels or {"a": hour / 4, "b": hour, "note": f"{hour}"})
        for hour in range(days * 24, 0, -1)
    ]


def test_a_segment_on_both_sides_of_the_bound_waits_for_a_tenth_of_the_days_and_is_cut_then(connection):
    add(connection, 1, hourly(40))

    early = kept(connection, 1, Keeping(Days(38), {}))
    unchanged = len(stored(connection, 1))
    kept(connection, 1, Keeping(Days(30), {}))

    assert [step.segments for step in early] == [0]
    assert unchanged == 40 * 24
    assert min(own.time_us for own in stored(connection, 1)) == NOW_US - 30 * DAY_US


def test_a_channel_that_is_kept_longer_than_its_device_keeps_its_readings_with_itself_alone(connection):
    rows = hourly(30)
    add(connection, 2, rows)

    kept(connection, 2, Keeping.of([Rule(True, "", Days(10)), Rule(True, "a", Days(None))]))

    after = stored(connection, 2)
    old = [own for own in after if own.time_us < NOW_US - 10 * DAY_US]
    assert [own[:2] for own in after] == [own[:2] for own in rows]
    assert {name for own in old for name in json.loads(own.channels)} == {"a"}


def test_a_channel_is_dropped_alone_and_every_column_that_stays_is_the_same_bytes(connection):
    (number,) = add(connection, 3, hourly(30))
    columns = "SELECT holds, name, content FROM segment_column WHERE device_id = 3 AND segment_id = %s ORDER BY 1, 2"
    before = connection.execute(columns, [number]).fetchall()

    kept(connection, 3, Keeping(Days(), {"note": Days(0)}), now_us=NOW_US + 2 * DAY_US)

    after = connection.execute(columns, [number]).fetchall()
    assert [own for own in before if own[:2] not in (("c", "note"), ("i", ""))] == [
        own for own in after if own[:2] != ("i", "")
    ]
    size = connection.execute("SELECT bytes FROM segment WHERE device_id = 3 AND id = %s", [number]).fetchone()[0]
    assert size == sum(len(content) for _, _, content in after)


def test_ladders_outlive_their_readings_until_their_own_days_are_over(connection):
    add(connection, 4, hourly(30, until_us=NOW_US - 60 * DAY_US))
    keeping = Keeping.of([Rule(False, "", Days(10, 50)), Rule(True, "a", Days(10, None))])

    kept(connection, 4, keeping)
    connection.execute(query("drop_replaced"), {"older_s": 0})
    kept(connection, 4, keeping)

    assert stored(connection, 4) == []
    ladders = connection.execute("SELECT channel, n FROM ladder WHERE device_id = 4").fetchall()
    assert [(channel, sum(n)) for channel, n in ladders] == [("a", 30 * 24)]
    assert connection.execute("SELECT count(*) FROM segment_column WHERE device_id = 4").fetchone() == (0,)


def test_of_a_device_that_was_moved_each_team_keeps_its_own_part_as_it_says(connection):
    moved_us = NOW_US - 20 * DAY_US
    add(connection, 5, hourly(40))
    theirs = Stretch(EVER.from_us, moved_us, Keeping(Days(), {}))
    ours = Stretch(moved_us, EVER.to_us, Keeping(Days(5), {}))

    is_more = True
    while is_more:
        with connection.transaction():
            is_more = now(retention.keep(ConnectionReader(connection), 5, [theirs, ours], NOW_US)).is_more

    times = [own.time_us for own in stored(connection, 5)]
    assert sum(us < moved_us for us in times) == 20 * 24
    assert [us for us in times if moved_us <= us < NOW_US - 5 * DAY_US] == []
    assert sum(us >= NOW_US - 5 * DAY_US for us in times) == 5 * 24


def test_a_scan_that_planned_to_read_a_segment_still_reads_it_after_its_readings_were_deleted(connection):
    rows = hourly(30, until_us=NOW_US - 60 * DAY_US)
    add(connection, 6, rows)
    reader = ConnectionReader(connection)
    sealed = now(segments.of_span(reader, 6, *ALL))

    kept(connection, 6, Keeping(Days(10), {}))
    loaded = now(segments.load(reader, 6, sealed, None))

    assert spelling.rows(segments.decoded(loaded[sealed[0].id], None)) == rows
    connection.execute(query("drop_replaced"), {"older_s": 0})
    with pytest.raises(segments.Replaced):
        now(segments.load(reader, 6, sealed, None))


async def test_a_deleted_reading_sent_again_is_kept_aside_with_the_reason_and_what_still_stands_is_a_repeat(
    path_into, device, migrated_url
):
    sender = device()
    old, standing = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    payloads = [b'{"time": "%s", "a": 1}' % at.isoformat().encode() for at in (old, standing)]
    async with path_into() as sending:
        for payload in payloads:
            await sending.send(sender, payload, is_imported=True)
        with psycopg.connect(migrated_url, autocommit=True) as connection:
            connection.execute("UPDATE fresh_reading SET received = time")
            with connection.transaction():
                now(sealing.seal(ConnectionReader(connection), sender.device_id))
            at_us = int(old.timestamp() * 1e6)
            kept(connection, sender.device_id, Keeping(Days(1), {}), now_us=at_us + int(1.5 * DAY_US) + DAY_US // 2)

        again = [(await sending.send(sender, payload, is_imported=True))[0] for payload in payloads]

        assert [receipt.outcome for receipt in again] == ["quarantined", "duplicate"]
        assert "were deleted" in again[0].reason
        assert again[0].field == "time"
        kept_aside = sending.rows("SELECT payload FROM quarantine WHERE device_id = %s", [sender.device_id])
        assert [bytes(payload) for (payload,) in kept_aside] == payloads[:1]
        assert sending.rows("SELECT sum(n) FROM segment WHERE replaced IS NULL") == [(1,)]


async def test_the_background_work_does_what_the_rules_ask_for_and_archives_first(device, migrated_url, tmp_path):
    sender, other = device(), device("pi2")
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        ((now_us,),) = connection.execute("SELECT (extract(epoch FROM now()) * 1000000)::bigint")
        for each_sender in (sender, other):
            add(connection, each_sender.device_id, hourly(40, until_us=now_us + 60_000_000))
        rule = "INSERT INTO keeping_rule (team_id, channel, raw_days, is_archived) VALUES (%s, '', 30, true)"
        connection.execute(rule, [sender.team_id])
    pool = Pool(migrated_url, application="retention")
    service = Retention(pool, archive=partial(archive.write, tmp_path), rest=0)
    try:
        done = await service.keep()
        again = await service.keep()
    finally:
        await pool.close()

    assert done["readings"] == service.deleted == 10 * 24
    assert done["archived_bytes"] > 0
    assert again == {}
    assert service.failed == 0
    (file,) = archive.files(tmp_path)
    assert archive.count(file.path) == 10 * 24
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        assert len(stored(connection, sender.device_id)) == 30 * 24
        assert len(stored(connection, other.device_id)) == 40 * 24
