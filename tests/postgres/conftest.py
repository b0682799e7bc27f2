"""The path of a reading on a real database, with its writers, and devices to send as."""

import time
from contextlib import asynccontextmanager
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest

from releve.ingest.batch import GroupCommit
from releve.ingest.counters import Counters
from releve.ingest.last_value import LastValues
from releve.ingest.path import Path
from releve.protocol.contract import CONTRACTS
from releve.protocol.decode import Arrival
from releve.protocol.format import JSON, NDJSON, split
from releve.protocol.sender import Sender
from releve.storage.link_store import LinkStore
from releve.storage.pool import Pool
from releve.storage.race_driver import RaceDrivers
from releve.storage.session import Session
from releve.storage.writer import Writer

NOW_US = time.time_ns() // 1000


class Sending:
    """The path into one database, and a direct look at what is there."""

    def __init__(self, url: str, path: Path, group: GroupCommit) -> None:
        self.url = url
        self.path = path
        self.counters = path.counters
        self.group = group

    async def send(
        self,
        sender,
        payload,
        *,
        contract="generic",
        received_us=NOW_US,
        key=None,
        is_lines=False,
        transport="http",
        is_imported=False,
    ):
        shape = split(payload, NDJSON if is_lines else JSON, limit=10_000)
        arrival = Arrival(received_us=received_us, transport=transport, key=key, is_imported=is_imported)
        submission = await self.path.read(shape, contract=CONTRACTS[contract], sender=sender, arrival=arrival)
        return await self.path.keep(submission)

    def rows(
        self, query="SELECT device_id, time, id, channels::jsonb, sent FROM fresh_reading ORDER BY time, id", values=()
    ):
        with psycopg.connect(self.url) as connection:
            return connection.execute(query, values).fetchall()

    def stored(self):
        """How many readings there are, those that went into segments at once included."""
        ((rows,),) = self.rows(
            "SELECT (SELECT count(*) FROM fresh_reading) + (SELECT coalesce(sum(n), 0) FROM segment)"
        )
        return rows

    def execute(self, statement, values=None):
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement, values)


@pytest.fixture
def device(migrated_url):
    """Makes a device of a team of its own, as the sender it signs in as."""

    def make(name="raspberry1", *, zone="UTC", counts_uptime=False) -> Sender:
        with psycopg.connect(migrated_url, autocommit=True) as connection:
            team = connection.execute(
                "INSERT INTO teams_team (name) VALUES (%s) RETURNING id", [f"Team of {name}"]
            ).fetchone()[0]
            device_id = connection.execute(
                "INSERT INTO fleet_device (name, team_id, contract, timezone, secret_hash, is_enabled)"
                " VALUES (%s, %s, 'generic', %s, '', true) RETURNING id",
                [name, team, zone],
            ).fetchone()[0]
        return Sender(
            principal=f"device:{device_id}",
            sign_in="0" * 32,
            name=name,
            device_id=device_id,
            team_id=team,
            contract="generic",
            zone=ZoneInfo(zone),
            roles={},
            is_device=True,
            expires_s=time.time() + 3600,
            counts_uptime=counts_uptime,
        )

    return make


@pytest.fixture
def path_into(migrated_url):
    """A running path, drained at the end."""

    @asynccontextmanager
    async def make(*, backlog=50_000, device_backlog=20_000, writers=2, device_channels=1_024):
        counters = Counters()
        sessions = [Session(migrated_url, application="test writer") for _ in range(writers)]
        group = GroupCommit(
            [Writer(session, device_channels=device_channels) for session in sessions],
            backlog=backlog,
            device_backlog=device_backlog,
            counters=counters,
        )
        pool = Pool(migrated_url, application="test pool", time_zone="UTC")
        values = LastValues(LinkStore(pool, worker=uuid4()))
        group.start()
        try:
            yield Sending(migrated_url, Path(group, counters, values=values, drivers=RaceDrivers(pool)), group)
        finally:
            await group.drain()
            await pool.close()
            for session in sessions:
                await session.close()

    return make
