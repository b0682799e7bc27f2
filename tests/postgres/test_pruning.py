"""What has been kept long enough goes, hour by hour: receipts and audit events, and nothing else."""

import pytest

from releve.maintenance import prune
from releve.maintenance.prune import Pruning
from releve.storage.pool import Pool

DAY_US = 86_400_000_000


@pytest.fixture
async def pool(migrated_url):
    pool = Pool(migrated_url, application="pruning")
    yield pool
    await pool.close()


def add_events(path, *ages_days):
    sql = (
        "INSERT INTO accounts_auditevent (time, kind, is_alert, address, user_agent, detail) "
        "SELECT now() - make_interval(days => age), 'signed-in', false, '', '', '{}' "
        "FROM unnest(%s::int[]) WITH ORDINALITY AS given (age, place) ORDER BY place RETURNING id"
    )
    path.rows(sql, [list(ages_days)])


def ages(path):
    sql = "SELECT round(extract(epoch FROM now() - time) / 86400)::int FROM accounts_auditevent ORDER BY id"
    return [age for (age,) in path.rows(sql)]


def make_older(path, days):
    path.rows("UPDATE receipt SET received = received - make_interval(days => %s) RETURNING id", [days])


async def test_a_receipt_is_kept_as_long_as_is_set_and_no_longer(path_into, device, pool):
    sender = device()
    keep_90_days = Pruning(pool, days={"prune_receipts": 90})
    async with path_into() as path:
        await path.send(sender, b'{"id": "a", "speed": 1}')
        make_older(path, 89)
        await keep_90_days.prune()
        await path.send(sender, b'{"id": "a", "speed": 1}')

        assert len(path.rows()) == 1  # still recognised

        make_older(path, 2)
        await keep_90_days.prune()

        assert path.rows("SELECT id FROM receipt") == []
        assert len(path.rows()) == 1  # the reading stays


async def test_audit_events_go_from_the_oldest_however_many_they_are(path_into, pool, monkeypatch):
    monkeypatch.setattr(prune, "AT_ONCE", 2)
    async with path_into() as path:
        add_events(path, 900, 800, 700, 600, 401, 399, 1, 0)

        await Pruning(pool, days={"prune_audit_events": 400}).prune()

        assert ages(path) == [399, 1, 0]


async def test_with_0_days_everything_stays(path_into, pool):
    async with path_into() as path:
        add_events(path, 9000)

        await Pruning(pool, days={"prune_audit_events": 0}).prune()

        assert ages(path) == [9000]
