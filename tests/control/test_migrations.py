"""The one migration history goes forward and back, and leaves nothing of ours behind."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from releve.cli.work import sealed
from releve.control.fleet.models import Device
from releve.control.runs.models import Run
from releve.control.teams.models import Team
from releve.storage import scan
from releve.storage.reader import ConnectionReader, each, now

TABLES = {"reading", "receipt", "boot_anchor", "quarantine", "device_seen"}
FUNCTIONS = {"releve_ensure_partition", "releve_account_changed", "releve_device_changed", "releve_one_sign_in_name"}


def _present():
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname FROM pg_proc UNION SELECT relname FROM pg_class")
        return {row[0] for row in cursor.fetchall()} & (TABLES | FUNCTIONS)


@pytest.mark.django_db(transaction=True)
def test_the_plain_sql_goes_back_and_forth():
    assert _present() == TABLES | FUNCTIONS

    call_command("migrate", "readings", "zero", verbosity=0)
    assert _present() == set()

    call_command("migrate", verbosity=0)
    assert _present() == TABLES | FUNCTIONS


@pytest.mark.django_db(transaction=True)
def test_going_back_leaves_a_client_id_of_several_cars_to_the_newest_link():
    add = (
        "INSERT INTO device_link (client_id, principal, device_id, link, worker, since, address)"
        " SELECT 'ESP32ClientBis', 'device:' || n, n, gen_random_uuid(), gen_random_uuid(), now() + n * interval '1 s',"
        " '' FROM generate_series(1, 3) AS n"
    )
    with connection.cursor() as cursor:
        cursor.execute(add)
    call_command("migrate", "readings", "0003_mqtt", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT principal FROM device_link")
        assert cursor.fetchall() == [("device:3",)]
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT principal FROM device_link")
        assert cursor.fetchall() == [("device:3",)]
        cursor.execute("DELETE FROM device_link")


@pytest.mark.django_db(transaction=True)
def test_a_device_of_before_is_its_teams_since_ever_and_another_teams_runs_of_it_end():
    call_command("migrate", "readings", "0006", verbosity=0)
    ours, theirs = Team.objects.create(name="Ours"), Team.objects.create(name="Theirs")
    device = Device.objects.create(team=ours, name="moved-long-ago")
    run = Run.objects.create(team=theirs, device=device, kind="capture", started_at=timezone.now(), is_hand_cut=False)

    call_command("migrate", verbosity=0)

    run.refresh_from_db()
    assert not run.is_open
    assert run.is_hand_cut  # inference leaves it alone
    with connection.cursor() as cursor:
        cursor.execute("SELECT team_id, since, until FROM device_ownership WHERE device_id = %s", [device.pk])
        assert cursor.fetchall() == [(ours.pk, None, None)]


@pytest.mark.django_db(transaction=True)
def test_a_certificate_that_was_registered_before_stays_registered_and_waits_for_nobody():
    call_command("migrate", "readings", "0012", verbosity=0)
    add = "INSERT INTO device_certificate (fingerprint, device_id) VALUES (%s, 7)"
    with connection.cursor() as cursor:
        cursor.execute(add, ["ab" * 32])

    call_command("migrate", verbosity=0)

    with connection.cursor() as cursor:
        cursor.execute("SELECT fingerprint, device_id FROM device_certificate")
        assert cursor.fetchall() == [("ab" * 32, 7)]
        cursor.execute("SELECT count(*) FROM certificate_claim")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT releve_show_certificate(%s, 7, '', '')", ["ab" * 32])
        assert cursor.fetchone() == ("held",)
        cursor.execute("DELETE FROM device_certificate")


@pytest.mark.django_db(transaction=True)
def test_a_sign_in_of_before_counts_as_used_now_so_that_none_ends_unseen():
    device = Device.objects.create(team=Team.objects.create(name="Boards"), name="board")
    call_command("migrate", "accounts", "0007", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_signin (id, device_id, generation, started_at, refreshed_at, rotated_at, expires_at,"
            " revoked_reason, address, user_agent)"
            " SELECT gen_random_uuid(), %s, 0, began, began, began, ends, '', '', ''"
            " FROM (VALUES (now() - interval '9 years', now() + interval '1 year'),"
            " (now() - interval '9 years', now() - interval '1 year')) AS told (began, ends)",
            [device.pk],
        )

    call_command("migrate", verbosity=0)

    with connection.cursor() as cursor:
        cursor.execute("SELECT expires_at > now(), used_at > now() - interval '1 hour' FROM accounts_signin ORDER BY 1")
        assert cursor.fetchall() == [(False, None), (True, True)]


@pytest.mark.django_db(transaction=True)
def test_what_an_earlier_release_stored_is_taken_over_and_can_be_given_back_to_it():
    call_command("migrate", "readings", "0010", verbosity=0)
    device = Device.objects.create(team=Team.objects.create(name="Ours"), name="years-old")
    instants = "generate_series('2025-11-01'::timestamptz, '2026-01-02', '2 hours') WITH ORDINALITY AS at (instant, n)"
    with connection.cursor() as cursor:
        cursor.execute("SELECT releve_ensure_partition(instant) FROM " + instants)  # noqa: S608 - ours
        channels = "jsonb_build_object('b', n, 'a', n / 8.0, 'ab', 'état')"
        cursor.execute(f"INSERT INTO reading SELECT %s, instant, n, instant, {channels} FROM {instants}", [device.pk])  # noqa: S608 - ours
        cursor.execute("SELECT count(*) FROM reading")
        (n,) = cursor.fetchone()

    call_command("migrate", verbosity=0)
    reader = ConnectionReader(connection.connection)
    assert now(scan.count(reader, device.pk, scan.EVER)) == n
    before = now(scan.newest(reader, device.pk, scan.EVER, n))
    assert sealed.seal(connection.connection, device.pk) == n

    assert sealed.totals(connection.connection, "years-old")["old_readings"] == 0
    assert now(scan.newest(reader, device.pk, scan.EVER, n)) == before
    assert not any(faults for *_, faults in sealed.faults(connection.connection, device.pk))
    blocks = list(each(scan.blocks(reader, device.pk, ["b"], scan.EVER)))
    assert [value for block in blocks for value in block.column("b").values()] == [*range(1, n + 1)]

    with pytest.raises(DatabaseError, match="take them back with releve history unseal"):
        call_command("migrate", "readings", "0010", verbosity=0)
    assert sealed.unseal(connection.connection, device.pk, "years-old", is_into_old=True) == n
    call_command("migrate", "readings", "0010", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum((channels -> 'b')::int), max(received) = max(time) FROM reading")
        assert cursor.fetchone() == (n, n * (n + 1) // 2, True)
        cursor.execute("TRUNCATE reading")
    call_command("migrate", verbosity=0)
