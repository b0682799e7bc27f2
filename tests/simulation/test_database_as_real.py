"""What is simulated does as the real one: the same groups of readings end alike in PostgreSQL and in its few rules."""

import asyncio
import json
import time
from collections import Counter
from random import Random

import psycopg
import pytest
from tests.simulation.database import Database
from tests.simulation.universe import connected_to, sender
from tests.simulation.virtual_loop import Clock, VirtualLoop, clocks

from releve.ingest.submission import Submission
from releve.protocol.contract import GENERIC
from releve.protocol.decode import Arrival
from releve.protocol.format import JSON, split
from releve.storage.session import Session
from releve.storage.writer import Writer

SCENARIOS = 500
MINUTE_US = 60_000_000


def groups_of(seed, now_us):
    """Some groups that one writer commits: repeats, twins, different readings of one instant, late ones, poison."""
    random = Random(seed)
    pool = [
        {
            "time": now_us - random.choice((0, 0, 1, 7 * MINUTE_US, 20 * MINUTE_US)),
            "channels": {"k": random.randrange(6)},
        }
        for _ in range(8)
    ]
    groups = []
    for _ in range(random.randint(1, 4)):
        group = []
        for _ in range(random.randint(1, 6)):
            device = seed * 2 + random.randrange(2)
            submission = Submission("http")
            shape = split(json.dumps(random.choice(pool)).encode(), JSON, limit=10)
            arrival = Arrival(received_us=now_us, transport="http")
            submission.read(shape, contract=GENERIC, sender=sender(device), arrival=arrival)
            (reading,) = submission.items
            if random.random() < 0.1:
                reading.channels = reading.channels.replace(b"}", b',"nul":"\0"}')
                reading.identify()
            group.append(reading)
        groups.append(group)
    return groups


async def committed(writer, groups):
    return [[receipt.outcome.value for receipt in await writer.commit(group)] for group in groups]


def relative(rows, now_us):
    return Counter((device, time_us - now_us, number) for device, time_us, number in rows)


def in_memory(seed):
    clock, database = Clock(), Database(Random(seed))
    loop = VirtualLoop(clock)
    now_us = int(clock.now_s * 1e6)
    try:
        with clocks(clock), connected_to(database):
            writer = Writer(Session("memory", application="simulated"), device_channels=100)
            outcomes = loop.run_until_complete(committed(writer, groups_of(seed, now_us)))
    finally:
        loop.close()
    aside = Counter(device for device, _ in database.quarantine)
    return outcomes, relative((*database.rows, *database.sealed), now_us), aside


@pytest.mark.slow
async def test_groups_of_readings_end_alike_in_postgresql_and_in_the_simulated_one(migrated_url):
    session = Session(migrated_url, application="real")
    real = {}
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        for seed in range(SCENARIOS):
            now_us = time.time_ns() // 1000
            outcomes = await committed(Writer(session, device_channels=100), groups_of(seed, now_us))
            devices = [[seed * 2, seed * 2 + 1]]
            rows = connection.execute(
                "SELECT device_id, (extract(epoch FROM time) * 1000000)::bigint, id FROM fresh_reading"
                " WHERE device_id = ANY(%s)",
                devices,
            ).fetchall()
            aside = connection.execute(
                "SELECT device_id, count(*) FROM quarantine WHERE device_id = ANY(%s) GROUP BY 1", devices
            ).fetchall()
            real[seed] = outcomes, relative(rows, now_us), Counter(dict(aside))
    await session.close()

    simulated = await asyncio.to_thread(lambda: {seed: in_memory(seed) for seed in range(SCENARIOS)})

    assert {seed: found for seed, found in simulated.items() if found != real[seed]} == {}
    assert sum(len(group) for outcomes, _, _ in real.values() for group in outcomes) > SCENARIOS
