"""A database that is older than its journal of revocations is brought up to it, and nobody else is harmed."""

import psycopg
import pytest
from psycopg import conninfo

from releve.storage.revocation_journal import Journal
from releve.storage.revocation_keeper import Keeper

WORDS = "date_joined, password, first_name, last_name, language, is_active, is_staff, is_superuser"


class Installation:
    """A database with a few people and devices, and the folder of its keys."""

    def __init__(self, postgres, url, folder):
        self.postgres = postgres
        self.url = url
        self.folder = folder
        self.copies = []

    def execute(self, statement, *values):
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def add_person(self, email, role="editor"):
        [(account,)] = self.execute(
            f"INSERT INTO accounts_account (email, {WORDS})"  # noqa: S608 - our own words
            " VALUES (%s, now(), 'old', '', '', 'en', true, true, false) RETURNING id",
            email,
        )
        self.execute("INSERT INTO teams_team (name) VALUES ('Team') ON CONFLICT DO NOTHING; ")
        self.execute(
            "INSERT INTO teams_membership (team_id, account_id, role) SELECT id, %s, %s FROM teams_team", account, role
        )
        return account

    def add_device(self, name):
        self.execute("INSERT INTO teams_team (name) VALUES ('Team') ON CONFLICT DO NOTHING")
        [(device,)] = self.execute(
            "INSERT INTO fleet_device (name, team_id, contract, timezone, secret_hash, is_enabled)"
            " SELECT %s, id, 'generic', 'UTC', 'old' || %s, true FROM teams_team RETURNING id",
            name,
            name,
        )
        return device

    def sign_in(self, *, account=None, device=None):
        [(sign_in,)] = self.execute(
            "INSERT INTO accounts_signin (id, account_id, device_id, generation, started_at, refreshed_at, rotated_at,"
            " expires_at, revoked_reason, address, user_agent)"
            " VALUES (gen_random_uuid(), %s, %s, 0, now(), now(), now(), now() + interval '1 day', '', '', '')"
            " RETURNING id",
            account,
            device,
        )
        return sign_in

    def stands(self, sign_in):
        [(stands,)] = self.execute("SELECT revoked_at IS NULL FROM accounts_signin WHERE id = %s", sign_in)
        return stands

    def keep(self, **how):
        """Start: compare, then write; what came of it."""
        keeper = Keeper(self.url, self.folder, **how)
        try:
            comparison = keeper.compare()
            keeper.beat()
        finally:
            keeper.close()
        return comparison

    def backed_up(self):
        """A copy of the database as it is, of the kind that a file system's snapshot is."""
        url = self.postgres.create_database(conninfo.conninfo_to_dict(self.url)["dbname"])
        self.copies.append(url)
        return Installation(self.postgres, url, self.folder)

    def moves(self):
        """What a dump's restoration makes of it: tables made anew."""
        self.execute("UPDATE revocation_lineage SET home = 'elsewhere:1'")

    def alerts(self):
        return [
            row
            for (row,) in self.execute("SELECT detail FROM accounts_auditevent WHERE kind = 'restored' AND is_alert")
        ]

    def journal(self):
        [(lineage,)] = self.execute("SELECT id FROM revocation_lineage")
        return Journal(self.folder, lineage)


@pytest.fixture
def here(postgres, migrated_url, tmp_path):
    installation = Installation(postgres, migrated_url, tmp_path / "keys")
    yield installation
    for url in installation.copies:
        postgres.drop_database(url)


def test_what_was_ended_since_the_backup_is_dead_in_the_restored_database_and_nothing_else(here):
    lost, kept = here.add_device("lost"), here.add_device("kept")
    leaver, stayer = here.add_person("leaver@example.com"), here.add_person("stayer@example.com")
    sign_ins = {
        name: here.sign_in(**who)
        for name, who in {
            "lost": {"device": lost},
            "kept": {"device": kept},
            "out": {"account": leaver},
            "in": {"account": leaver},
            "stayer": {"account": stayer},
        }.items()
    }
    here.keep()
    restored = here.backed_up()
    here.execute("UPDATE fleet_device SET is_enabled = false WHERE id = %s", lost)
    here.execute("UPDATE accounts_signin SET revoked_at = now() WHERE id = %s", sign_ins["out"])
    here.keep()
    restored.moves()

    comparison = restored.keep()

    assert comparison.applied == 3  # the device, its sign-in, the person's
    assert comparison.signed_out is None
    assert {name: restored.stands(sign_in) for name, sign_in in sign_ins.items()} == {
        "lost": False,
        "kept": True,
        "out": False,
        "in": True,
        "stayer": True,
    }
    assert restored.execute("SELECT name FROM fleet_device WHERE is_enabled") == [("kept",)]
    assert restored.alerts()[0]["applied"] == "3"
    assert restored.keep().is_noteworthy is False  # once is enough


def test_a_copy_of_the_files_that_is_older_than_the_journal_is_noticed_as_well(here):
    sign_in = here.sign_in(account=here.add_person("a@example.com"))
    here.keep()
    restored = here.backed_up()
    here.execute("UPDATE accounts_signin SET revoked_at = now() WHERE id = %s", sign_in)
    here.keep()

    assert restored.keep(is_alone=True).applied == 1
    assert not restored.stands(sign_in)


def test_a_replaced_password_or_secret_is_the_one_that_replaced_it_and_stands_nowhere_in_clear(here):
    person, device = here.add_person("a@example.com"), here.add_device("d")
    here.keep()
    restored = here.backed_up()
    here.execute("UPDATE accounts_account SET password = 'argon2-of-the-new' WHERE id = %s", person)
    here.execute("UPDATE fleet_device SET secret_hash = 'hmac-of-the-new' WHERE id = %s", device)
    here.keep()

    restored.keep()

    assert restored.execute("SELECT password FROM accounts_account") == [("argon2-of-the-new",)]
    assert restored.execute("SELECT secret_hash FROM fleet_device") == [("hmac-of-the-new",)]
    assert b"of-the-new" not in here.journal().path.read_bytes()


def test_the_journal_only_takes_away(here):
    person, device = here.add_person("a@example.com", role="editor"), here.add_device("d")
    here.execute("UPDATE fleet_device SET is_enabled = false")
    here.keep()
    restored = here.backed_up()
    here.execute("UPDATE fleet_device SET is_enabled = true")
    here.execute("UPDATE accounts_account SET is_superuser = true, is_staff = false WHERE id = %s", person)
    here.execute("UPDATE teams_membership SET role = 'admin'")
    here.keep()

    restored.keep()

    assert restored.execute("SELECT id, is_enabled FROM fleet_device") == [(device, False)]
    assert restored.execute("SELECT is_staff, is_superuser FROM accounts_account") == [(False, False)]
    assert restored.execute("SELECT role FROM teams_membership") == [("editor",)]


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("DELETE FROM teams_membership", []),
        ("UPDATE teams_membership SET role = 'viewer'", [("viewer",)]),
        ("UPDATE accounts_account SET is_active = false", [("editor",)]),
    ],
)
def test_who_left_a_team_or_lost_a_role_has_lost_it_after_the_restoration(here, change, left):
    here.add_person("a@example.com")
    here.keep()
    restored = here.backed_up()
    here.execute(change)
    here.keep()

    restored.keep()

    assert restored.execute("SELECT role FROM teams_membership") == left


def test_what_was_disabled_and_enabled_again_since_the_backup_goes_on(here):
    device = here.add_device("d")
    here.keep()
    restored = here.backed_up()
    here.execute("UPDATE fleet_device SET is_enabled = false")
    here.execute("UPDATE fleet_device SET is_enabled = true")
    here.keep()

    restored.keep()

    assert restored.execute("SELECT id, is_enabled FROM fleet_device") == [(device, True)]


def test_a_new_device_that_was_given_the_number_of_a_lost_one_is_not_harmed(here):
    here.keep()
    restored = here.backed_up()
    lost = here.add_device("of the lost future")
    here.execute("UPDATE fleet_device SET is_enabled = false")
    here.keep()
    assert restored.add_device("new") == lost

    assert restored.keep().applied == 1

    assert restored.execute("SELECT name, is_enabled FROM fleet_device") == [("new", True)]


def test_removed_certificates_and_factors_stay_removed_and_deleted_devices_stay_out(here):
    device, deleted = here.add_device("d"), here.add_device("deleted")
    person = here.add_person("a@example.com")
    here.execute(
        "INSERT INTO device_certificate (fingerprint, device_id) VALUES ('aa', %s), ('bb', %s)", device, device
    )
    here.execute(
        "INSERT INTO mfa_authenticator (type, data, user_id, created_at) VALUES ('totp', '{}', %s, now())", person
    )
    here.keep()
    restored = here.backed_up()
    here.execute("DELETE FROM device_certificate WHERE fingerprint = 'aa'")
    here.execute("DELETE FROM mfa_authenticator")
    here.execute("DELETE FROM fleet_device WHERE id = %s", deleted)
    here.keep()

    restored.keep()

    assert restored.execute("SELECT fingerprint FROM device_certificate") == [("bb",)]
    assert restored.execute("SELECT count(*) FROM mfa_authenticator") == [(0,)]
    assert restored.execute("SELECT name FROM fleet_device WHERE is_enabled") == [("d",)]


def shared(here, count):
    """Links to a device; their numbers."""
    device = here.add_device("shared")
    return [
        here.execute(
            "INSERT INTO shares_share (team_id, kind, device_id, runs, secret_hash, expires_at, opened)"
            " SELECT team_id, 'device', id, '[]', %s, now() + interval '1 day', 0 FROM fleet_device WHERE id = %s"
            " RETURNING id", str(number), device,
        )[0][0]
        for number in range(count)
    ]  # fmt: skip


def test_a_link_that_was_revoked_since_the_backup_stays_revoked(here):
    revoked, stays = shared(here, 2)
    here.keep()
    restored = here.backed_up()
    here.execute("UPDATE shares_share SET revoked_at = now() WHERE id = %s", revoked)
    here.keep()

    restored.keep()

    assert restored.execute("SELECT id FROM shares_share WHERE revoked_at IS NULL") == [(stays,)]


def test_without_a_newer_journal_no_link_of_the_backup_opens_anything(here):
    shared(here, 2)
    here.keep()
    restored = here.backed_up()
    restored.moves()

    restored.keep()

    assert restored.execute("SELECT count(*) FROM shares_share WHERE revoked_at IS NULL") == [(0,)]


@pytest.mark.parametrize("journal", ["none", "of the time of the backup"])
def test_without_a_newer_journal_people_sign_in_again_and_devices_go_on(here, journal):
    device, person = here.add_device("d"), here.add_person("a@example.com")
    theirs, its = here.sign_in(account=person), here.sign_in(device=device)
    here.keep()
    restored = here.backed_up()
    restored.moves()
    if journal == "none":
        here.journal().path.unlink()

    comparison = restored.keep()

    assert comparison.signed_out == 1
    assert (restored.stands(theirs), restored.stands(its)) == (False, True)
    assert restored.alerts()[0]["people_signed_out"] == "1"
    assert restored.keep().is_noteworthy is False


def test_a_journal_that_is_newer_than_the_backup_signs_nobody_out_though_nothing_was_ended(here):
    theirs = here.sign_in(account=here.add_person("a@example.com"))
    here.keep()
    restored = here.backed_up()
    here.keep()
    restored.moves()

    assert restored.keep().is_noteworthy is False
    assert restored.stands(theirs)


def test_a_journal_that_is_gone_counts_only_where_no_other_machine_could_have_it(here, tmp_path):
    theirs = here.sign_in(account=here.add_person("a@example.com"))
    here.keep()
    here.execute("UPDATE accounts_account SET is_staff = false")
    here.keep()
    first = [entry.key for entry in here.journal().read().entries]
    here.folder = tmp_path / "keys of a second machine"

    assert here.keep().is_noteworthy is False
    assert [entry.key for entry in here.journal().read().entries] == first  # each machine's has all of it

    here.journal().path.unlink()
    assert here.keep(is_alone=True).signed_out == 1
    assert not here.stands(theirs)


def test_what_a_slow_transaction_ended_is_written_though_later_ones_committed_first(here):
    first, second = (here.sign_in(account=here.add_person(f"{name}@example.com")) for name in "ab")
    keeper = Keeper(here.url, here.folder)
    keeper.compare()
    with psycopg.connect(here.url) as slow:
        slow.execute("UPDATE accounts_signin SET revoked_at = now() WHERE id = %s", [first])
        here.execute("UPDATE accounts_signin SET revoked_at = now() WHERE id = %s", second)
        assert keeper.write() == 1
    assert keeper.write() == 1
    assert keeper.write() == 0
    keeper.close()

    assert [entry.principal for entry in here.journal().read().entries] == [f"signin:{second}", f"signin:{first}"]


def test_what_was_torn_by_a_crash_is_written_again(here):
    here.sign_in(account=here.add_person("a@example.com"))
    here.keep()
    here.execute("UPDATE accounts_signin SET revoked_at = now()")
    here.keep()
    path = here.journal().path
    path.write_bytes(path.read_bytes()[:-20])
    assert here.journal().read().entries == []

    assert here.keep().is_noteworthy is False

    assert len(here.journal().read().entries) == 1


def test_a_dump_that_is_restored_under_a_running_server_is_noticed_by_its_next_look(here):
    sign_in = here.sign_in(account=here.add_person("a@example.com"))
    keeper = Keeper(here.url, here.folder)
    keeper.beat()
    here.execute("UPDATE accounts_signin SET revoked_at = now()")
    keeper.write()
    here.execute("CREATE TABLE anew (LIKE revocation INCLUDING ALL)")
    here.execute("DROP TABLE revocation")
    here.execute("ALTER TABLE anew RENAME TO revocation")
    here.execute("UPDATE accounts_signin SET revoked_at = NULL")

    keeper.write()
    keeper.close()

    assert not here.stands(sign_in)


def test_the_database_is_known_by_its_cluster_and_its_table(here):
    here.keep()

    [(home,)] = here.execute("SELECT home FROM revocation_lineage")
    cluster, _, table = home.partition(":")

    assert here.execute("SELECT system_identifier::text FROM pg_control_system()") == [(cluster,)]
    assert here.execute("SELECT 'revocation'::regclass::oid::text") == [(table,)]
