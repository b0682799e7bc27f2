"""Whatever is sealed, merged, unsealed, taken over or killed on the way: every read equals a plain dictionary."""

import itertools
import json
from datetime import UTC, datetime
from functools import partial

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from releve.history import spelling
from releve.history.block import Row
from releve.history.exclusion import Exclusion
from releve.protocol.identity import canonical, of_content
from releve.storage import placing, scan, sealing, segments, takeover
from releve.storage.queries import query
from releve.storage.reader import ConnectionReader, each, now
from releve.storage.scan import WHOLE, Span

START_US = 1_780_315_195_000_000  # 2026-06-01T11:59:55Z
MONTH_US = 30 * 86_400_000_000
EVER = Span(0, 4_000_000_000_000_000)
VALUES = st.sampled_from([1, 1.0, 2, 2.5, "2", "naïve ☃", True, False, 2**53, 5e-324, 1e22, "", None])
INSTANTS = st.builds(
    lambda place, month: START_US + place * 500_000 + month * MONTH_US,
    st.integers(0, 30),
    st.sampled_from([0, 0, 0, 1]),
)
DEVICES = itertools.count(1)


class Killed(Exception):
    """The process died here."""


class DyingReader(ConnectionReader):
    """Dies before the statement of some place."""

    def __init__(self, connection, statements):
        super().__init__(connection)
        self.left = statements

    async def ask(self, statement, values):
        self.left -= 1
        if self.left < 0:
            raise Killed
        return await super().ask(statement, values)


@st.composite
def readings(draw):
    channels = canonical(draw(st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1)))
    sent = draw(st.sampled_from([None, "2026-06-01T14:00:00", "17"]))
    received_us = draw(st.sampled_from([START_US + 7, START_US + 1_000_007]))
    identity = draw(st.sampled_from([None, None, 5, -7]))
    return Row(draw(INSTANTS), of_content(channels) if identity is None else identity, received_us, channels, sent)


BATCHES = st.lists(readings(), min_size=1, max_size=12)
PLACES = st.integers(0, 14)


def utc(us):
    return datetime.fromtimestamp(us / 1e6, UTC)


class History(RuleBasedStateMachine):
    """One device of a real database, and a dictionary."""

    connection: psycopg.Connection

    def __init__(self):
        super().__init__()
        self.device = next(DEVICES)
        self.rows = {}

    @rule(batch=BATCHES, is_live=st.booleans())
    def store(self, batch, is_live):
        """As a writer does it: what is sealed already is a repeat."""
        if is_live:
            batch = [row._replace(received_us=int(datetime.now(UTC).timestamp() * 1e6)) for row in batch]
        reader = ConnectionReader(self.connection)
        with self.connection.transaction():
            now(reader.ask(query("lock_history_late"), {"devices": [self.device], "alone": []}))
            sealed = now(segments.at_instants(reader, self.device, {row.time_us for row in batch}))
            known = {(row.time_us, row.id) for row in sealed}
            old = "SELECT FROM reading WHERE device_id = %s AND time = %s AND id = %s"
            new = [
                row
                for row in batch
                if (row.time_us, row.id) not in known
                and self.connection.execute(old, [self.device, utc(row.time_us), row.id]).fetchone() is None
            ]
            now(sealing.put_back(reader, self.device, new, is_into_old=False))
        for row in batch:
            self.rows.setdefault((row.time_us, row.id), row)

    @rule(batch=BATCHES)
    def store_as_the_release_before(self, batch):
        rows = {(row.time_us, row.id): row for row in reversed(batch) if (row.time_us, row.id) not in self.rows}
        with self.connection.transaction():
            reader = ConnectionReader(self.connection)
            now(sealing.put_back(reader, self.device, list(rows.values()), is_into_old=True))
        self.rows |= rows

    @rule(dies_at=PLACES)
    def seal(self, dies_at):
        self.work(dies_at, sealing.seal, self.device)

    @rule()
    def seal_all(self):
        while self.work(99, sealing.seal, self.device).is_more:
            pass

    @rule(dies_at=PLACES)
    def join(self, dies_at):
        self.work(dies_at, sealing.join, self.device)

    @rule(dies_at=PLACES)
    def take_over(self, dies_at):
        for month in now(takeover.months(ConnectionReader(self.connection))):
            self.work(dies_at, sealing.take_over, self.device, month.span)

    @rule(dies_at=PLACES, place=st.integers(0, 9), is_into_old=st.booleans())
    def unseal(self, dies_at, place, is_into_old):
        sealed = now(segments.of_span(ConnectionReader(self.connection), self.device, *EVER))
        if place < len(sealed):
            unseal = partial(sealing.unseal, is_into_old=is_into_old)
            self.work(dies_at, unseal, self.device, sealed[place])

    @rule()
    def drop_replaced(self):
        with self.connection.transaction():
            self.connection.execute(query("drop_replaced"), {"older_s": 0})

    @rule(exclusion_from=INSTANTS, exclusion_to=INSTANTS, part=st.sampled_from(["", "a=2"]))
    def count_without_what_is_left_out(self, exclusion_from, exclusion_to, part):
        exclusions = [Exclusion(exclusion_from, max(exclusion_from, exclusion_to), None, part)]
        if self.rows:
            row = self.rows[min(self.rows)]
            exclusions.append(Exclusion(row.time_us, row.time_us + 1, row.id))
        reader = ConnectionReader(self.connection)

        found = list(each(scan.counted(reader, self.device, ["b"], EVER, exclusions=exclusions)))

        left = [row for row in self.model() if not any(leaves_out(exclusion, row) for exclusion in exclusions)]
        assert [time_us for block in found for time_us in block.time_us.tolist()] == [row.time_us for row in left]

    @invariant()
    def every_read_is_as_the_dictionary(self):
        reader = ConnectionReader(self.connection)
        expected = self.model()
        times = [row.time_us for row in expected]
        whole = [row for block in each(scan.blocks(reader, self.device, WHOLE, EVER)) for row in spelling.rows(block)]
        assert whole == expected
        forth = list(each(scan.blocks(reader, self.device, ["a"], EVER)))
        assert [time_us for block in forth for time_us in block.time_us.tolist()] == times
        back = list(each(scan.blocks_backwards(reader, self.device, ["a"], EVER)))
        assert [time_us for block in reversed(back) for time_us in block.time_us.tolist()] == times
        assert now(scan.newest(reader, self.device, EVER, 3)) == expected[:-4:-1]
        assert now(scan.count(reader, self.device, EVER)) == len(expected)
        assert now(scan.extent(reader, self.device, EVER)) == (Span(times[0], times[-1] + 1) if times else None)
        middle = Span(START_US + 3_000_000, START_US + 9_000_000)
        assert now(scan.count(reader, self.device, middle)) == sum(middle[0] <= us < middle[1] for us in times)

    def model(self):
        return [self.rows[key] for key in sorted(self.rows)]

    def work(self, dies_at, step, *details):
        try:
            with self.connection.transaction():
                return now(step(DyingReader(self.connection, dies_at), *details))
        except Killed:
            return sealing.Step()


def leaves_out(exclusion, row):
    if not exclusion.from_us <= row.time_us < exclusion.to_us:
        return False
    if exclusion.reading is not None:
        return row.id == exclusion.reading
    a = json.loads(row.channels).get("a")
    return not exclusion.part or a == "2" or (a in (2, 2.0) and a is not True)


@pytest.fixture
def small(monkeypatch):
    """Segments and steps of a few readings, so that a few hundred make everything happen."""
    monkeypatch.setattr(segments, "READINGS", 16)
    monkeypatch.setattr(placing, "MOST_READINGS", 20)
    monkeypatch.setattr(sealing, "MOST_ROWS", 9)
    monkeypatch.setattr(sealing, "MOST_REWRITTEN", 24)
    monkeypatch.setattr(scan, "FIRST_PAGE", 5)
    monkeypatch.setattr(scan, "AHEAD", 2)


@pytest.mark.usefixtures("small")
def test_every_read_equals_a_dictionary_whatever_was_sealed_merged_unsealed_or_killed(migrated_url):
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        History.connection = connection
        run_state_machine_as_test(
            History,
            settings=settings(
                max_examples=12,
                stateful_step_count=20,
                deadline=None,
                phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes: each step is a transaction
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
