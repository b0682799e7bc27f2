"""Accounts as the command line makes and ends them."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import IntegrityError, transaction
from django.utils import timezone

from releve.control.accounts import services
from releve.control.accounts.models import Account, AdministratorCode, AuditEvent
from releve.control.accounts.queries import list_accounts
from releve.control.fleet.models import Device
from releve.control.fleet.services import BadSecret, NameTaken, new_secret, register_device
from releve.control.teams.models import Role
from releve.control.teams.services import BadTeamName, UnknownRole, default_team, team_called
from releve.protocol.secret import Secret


def test_an_account_without_a_password_gets_one_that_works(api, db):
    account, password = services.add_account(email="Dora@Example.com", role="editor")

    assert account.email == "dora@example.com"
    assert account.memberships.get().team == default_team()
    assert api.post("/api/token/", {"email": "dora@example.com", "password": password}).status_code == 200
    assert password not in str(list(AuditEvent.objects.values()))


def test_a_name_is_taken_once_whatever_its_case_and_whoever_has_it(alice, device, team):
    register_device(team=team, name="Pi@Example.com")

    for email in ("ALICE@example.com", "pi@example.com"):
        with pytest.raises(services.NameTaken):
            services.add_account(email=email, role="viewer")
    with pytest.raises(NameTaken):
        register_device(team=team, name="alice@EXAMPLE.com")


def test_the_database_holds_names_apart_by_itself(alice, device):
    with pytest.raises(IntegrityError), transaction.atomic():
        Device.objects.filter(pk=device.pk).update(name="Alice@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(email="raspberry1")


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a b@example.com", "x" * 250 + "@example.com"])
def test_an_account_is_named_by_an_email(db, email):
    with pytest.raises(services.NotAnEmail):
        services.add_account(email=email, role="viewer")


def test_an_unknown_role_leaves_no_account_behind(db):
    with pytest.raises(UnknownRole):
        services.add_account(email="dora@example.com", role="owner")

    assert not Account.objects.exists()


def test_a_chosen_secret_is_text_of_a_bounded_length(device):
    for text in ("", "x" * 257, "a\nb", "\udc80"):
        with pytest.raises(BadSecret):
            new_secret(device, Secret(text))


def test_a_new_password_and_a_disabled_account_end_every_sign_in(alice, bob, signed_in):
    clients = signed_in(alice), signed_in(bob)

    services.set_password(alice)
    services.disable_account(bob)

    assert [client.get("/api/auth/profile/").status_code for client in clients] == [401, 401]
    assert alice.sign_ins.get().revoked_reason == "password changed"
    assert bob.sign_ins.get().revoked_reason == "account disabled"


def test_accounts_are_listed_by_email(alice, bob):
    assert [account.email for account in list_accounts()] == ["alice@example.com", "bob@example.com"]


def test_the_first_code_makes_one_administrator_once(db):
    old = services.first_administrator_code()
    code = services.first_administrator_code()

    with pytest.raises(services.WrongCode):
        services.claim_administrator(code=old, email="dora@example.com", password="a long enough phrase")
    account = services.claim_administrator(code=code, email="dora@example.com", password="a long enough phrase")

    assert account.is_superuser
    assert account.memberships.get().role == Role.ADMIN
    assert services.first_administrator_code() is None
    with pytest.raises(services.WrongCode):
        services.claim_administrator(code=code, email="eve@example.com", password="a long enough phrase")


def test_a_failed_claim_does_not_spend_the_code_and_only_a_hash_is_kept(db):
    code = services.first_administrator_code()

    with pytest.raises(services.NotAnEmail):
        services.claim_administrator(code=code, email="nobody", password="a long enough phrase")

    assert code
    assert code not in str(list(AdministratorCode.objects.values()))
    services.claim_administrator(code=code, email="dora@example.com", password="a long enough phrase")


def test_whoever_lost_a_second_factor_signs_in_by_password_alone_and_anew(api, alice, signed_in):
    here = signed_in(alice)
    TOTP.activate(alice, generate_totp_secret())
    RecoveryCodes.activate(alice)

    removed = services.remove_second_factors(alice, timezone.now())

    assert removed == 2
    assert not Authenticator.objects.filter(user=alice).exists()
    assert here.get("/api/auth/profile/").status_code == 401
    event = AuditEvent.objects.get(account=alice, kind="factor-removed")
    assert event.detail == {"removed": "2"}
    assert signed_in(alice).get("/api/auth/profile/").status_code == 200


def test_an_account_that_is_promoted_administers_everything_and_the_audit_says_so(bob):
    services.promote(bob)

    bob.refresh_from_db()
    assert (bob.is_staff, bob.is_superuser) == (True, True)
    assert AuditEvent.objects.filter(account=bob, kind="account-promoted").count() == 1


def test_a_team_is_made_once_and_the_audit_says_so(db):
    first, again = team_called("Workshop"), team_called(" Workshop ")

    assert first == again
    assert AuditEvent.objects.get(kind="team-added").team == first


@pytest.mark.parametrize("name", ["", "  ", "x" * 129, "a\nb"])
def test_a_team_has_a_name_that_can_be_printed(db, name):
    with pytest.raises(BadTeamName):
        team_called(name)
