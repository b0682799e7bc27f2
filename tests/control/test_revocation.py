"""What ends a credential is announced at its commit, whoever does it."""

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from releve.control.accounts.models import SignIn
from releve.control.accounts.origin import Origin
from releve.control.accounts.sign_in import start
from releve.control.teams.models import Membership

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard(transactional_db):
    """Which payloads have arrived, asked on a connection of its own."""
    listener = psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}, autocommit=True)
    listener.execute("LISTEN releve_revocation")

    def payloads() -> set[str]:
        return {notice.payload for notice in listener.notifies(timeout=0.2)}

    yield payloads
    listener.close()


def test_a_disabled_account_is_announced_with_its_sign_ins(alice, heard):
    row = start(alice, Origin(), timezone.now())
    heard()

    type(alice).objects.filter(pk=alice.pk).update(is_active=False)

    assert heard() == {f"account:{alice.pk}", f"signin:{row.pk}"}


@pytest.mark.parametrize("change", [{"password": "x"}, {"is_staff": True}, {"is_superuser": True}])
def test_what_changes_an_accounts_rights_is_announced(alice, heard, change):
    heard()

    type(alice).objects.filter(pk=alice.pk).update(**change)

    assert heard() == {f"account:{alice.pk}"}


def test_what_changes_no_right_is_not_announced(alice, heard):
    heard()

    type(alice).objects.filter(pk=alice.pk).update(first_name="Alice", last_login=timezone.now())

    assert heard() == set()


@pytest.mark.parametrize("change", [{"is_enabled": False}, {"secret_hash": "x"}, {"timezone": "Asia/Tokyo"}])
def test_a_changed_device_is_announced(device, heard, change):
    heard()

    type(device).objects.filter(pk=device.pk).update(**change)

    assert heard() == {f"device:{device.pk}"}


def test_a_revoked_and_a_deleted_sign_in_are_announced(alice, device, heard):
    revoked, deleted = start(alice, Origin(), timezone.now()), start(device, Origin(), timezone.now())
    heard()

    SignIn.objects.filter(pk=revoked.pk).update(revoked_at=timezone.now())
    SignIn.objects.filter(pk=deleted.pk).delete()

    assert heard() == {f"signin:{revoked.pk}", f"signin:{deleted.pk}"}


def test_a_role_given_changed_or_taken_is_announced(alice, heard):
    heard()

    Membership.objects.filter(account=alice).update(role="viewer")
    assert heard() == {f"account:{alice.pk}"}
    Membership.objects.filter(account=alice).delete()
    assert heard() == {f"account:{alice.pk}"}


def test_a_deleted_account_and_device_are_announced(alice, device, heard):
    heard()
    account_id, device_id = alice.pk, device.pk

    alice.delete()
    device.delete()

    assert {f"account:{account_id}", f"device:{device_id}"} <= heard()


def test_nothing_is_announced_before_the_commit(alice, heard):
    heard()
    with transaction.atomic():
        type(alice).objects.filter(pk=alice.pk).update(is_active=False)
        assert heard() == set()

    assert heard() == {f"account:{alice.pk}"}
