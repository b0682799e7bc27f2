"""What has been kept long enough goes, hour by hour: receipts and audit events, and nothing else."""

from datetime import timedelta

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


def sign_ins(path, device, numbers, *, began, used=None, revoked=None):
    """One sign-in of a device for each number n; how long ago it began, was used last and was revoked, from n."""
    columns = [[each and each(n) for n in numbers] for each in (began, used, revoked)]
    path.rows(
        "INSERT INTO accounts_signin (id, device_id, generation, started_at, refreshed_at, rotated_at, used_at,"
        " expires_at, revoked_at, revoked_reason, address, user_agent)"
        " SELECT gen_random_uuid(), %s, 0, now() - began, now() - began, now() - began, now() - used,"
        " now() - began + interval '10 years', now() - revoked, '', '', ''"
        " FROM unnest(%s::interval[], %s::interval[], %s::interval[]) AS told (began, used, revoked) RETURNING id",
        [device.device_id, *columns],
    )


async def prune_sign_ins(pool):
    return await Pruning(pool, days={"end_superfluous_sign_ins": 7, "prune_sign_ins": 90}).prune()


def standing(path, device):
    sql = "SELECT count(*) FROM accounts_signin WHERE device_id = %s AND revoked_at IS NULL AND expires_at > now()"
    return path.rows(sql, [device.device_id])[0][0]


def days(number):
    return timedelta(days=number)


async def test_of_the_sign_ins_of_each_boot_a_hundred_and_those_in_use_are_left(path_into, device, pool):
    board = device()
    async with path_into() as path:
        sign_ins(path, board, range(8, 208), began=days)
        # three boards go on with tokens that are older than all of those
        sign_ins(path, board, range(3), began=lambda _: days(700), used=lambda _: days(2))

        ended = await prune_sign_ins(pool)

        assert ended == {"end_superfluous_sign_ins": 103}
        assert standing(path, board) == 100
        in_use = "SELECT count(*) FROM accounts_signin WHERE used_at IS NOT NULL AND expires_at > now()"
        assert path.rows(in_use) == [(3,)]
        # nobody decided that: the journal of revocations keeps none for ten years
        assert path.rows("SELECT count(*) FROM revocation WHERE starts_with(principal, 'signin:')") == [(0,)]


async def test_sign_ins_of_the_last_days_stand_however_many_they_are_up_to_five_thousand(path_into, device, pool):
    board = device()
    async with path_into() as path:
        sign_ins(path, board, range(500), began=lambda _: days(1))
        await prune_sign_ins(pool)
        assert standing(path, board) == 500

        sign_ins(path, board, range(5000), began=lambda _: days(0))
        await prune_sign_ins(pool)

        assert standing(path, board) == 5000


async def test_sign_ins_that_are_over_go_after_ninety_days_and_beyond_a_thousand(path_into, device, pool):
    quiet, busy = device("quiet"), device("busy")
    async with path_into() as path:
        sign_ins(path, quiet, range(81, 101), began=lambda _: days(365), revoked=days)
        sign_ins(path, busy, range(1200), began=lambda _: days(365), revoked=lambda n: timedelta(minutes=n))

        await prune_sign_ins(pool)

        left = "SELECT count(*) FROM accounts_signin WHERE device_id = %s"
        assert path.rows(left, [quiet.device_id]) == [(9,)]
        assert path.rows(left, [busy.device_id]) == [(1000,)]
