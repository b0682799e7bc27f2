"""A membership that somebody else gives opens the team to its person, and not to whoever made the account."""

import re

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from releve.control.accounts.services import add_account
from releve.control.fleet.services import PersonsOwn, new_secret, own_device
from releve.control.teams.models import Membership, Team

PASSWORD = "correct horse battery staple"


@pytest.fixture
def superuser(alice):
    type(alice).objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    browser = Client(headers={"accept": "text/html"})
    browser.force_login(alice)
    return browser


@pytest.fixture
def shared(charlie):
    """An account that Charlie made in his own team: he knows its password, and set up a factor."""
    account, password = add_account(email="zoe@example.com", role="viewer", team=charlie.memberships.get().team)
    return account, password


def join(browser, team, email, role="viewer"):
    return browser.post(f"/team/{team.pk}/members/", {f"team{team.pk}-email": email, f"team{team.pk}-role": role})


def test_a_further_team_comes_with_a_new_password_and_ends_what_others_know(api, superuser, team, shared):
    account, password = shared
    pair = api.post("/api/token/", {"username": account.email, "password": password}).json()
    TOTP.activate(account, generate_totp_secret())

    page = join(superuser, team, account.email).content.decode()

    new = re.search(r'<code id="secret-text">([^<]+)</code>', page)[1]
    assert Membership.objects.filter(account=account, team=team).exists()
    assert api.get("/api/auth/profile/", Authorization=f"Bearer {pair['access']}").status_code == 401
    assert api.post("/api/token/", {"username": account.email, "password": password}).status_code == 401
    assert api.post("/api/token/", {"username": account.email, "password": new}).status_code == 200


def test_another_role_in_the_same_team_changes_no_password(api, superuser, team, bob):
    assert join(superuser, team, bob.email, "editor").status_code == 302

    assert Membership.objects.get(account=bob, team=team).role == "editor"
    assert api.post("/api/token/", {"username": bob.email, "password": PASSWORD}).status_code == 200


def test_the_administration_site_adds_nobody_to_a_team(superuser, team, shared):
    account, _ = shared
    membership = account.memberships.get()
    fields = {
        "email": account.email, "language": "en", "is_active": "on", "memberships-TOTAL_FORMS": "2",
        "memberships-INITIAL_FORMS": "1", "memberships-0-id": membership.pk, "memberships-0-account": account.pk,
        "memberships-0-team": team.pk, "memberships-0-role": "admin", "memberships-1-account": account.pk,
        "memberships-1-team": team.pk, "memberships-1-role": "admin",
    }  # fmt: skip

    superuser.post(f"/admin/accounts/account/{account.pk}/change/", fields)

    assert not Membership.objects.filter(account=account, team=team).exists()


def test_an_editor_cannot_sign_in_as_a_persons_own_device(api, team, erin, bob, signed_in):
    own = own_device(bob, team)
    editor = signed_in(erin)

    refused = editor.post(f"/api/v1/devices/{own.pk}/new-secret")

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "owner"
    with pytest.raises(PersonsOwn):
        new_secret(own)
    assert Team.objects.count() == 1


def test_a_secret_that_a_persons_own_device_was_given_earlier_signs_in_nowhere(api, team, device, bob):
    own = own_device(bob, team)
    own.secret_hash = device.secret_hash
    own.save()
    body = {"password": "the machine's own secret"}

    assert api.post("/api/token/", {"username": own.name} | body).status_code == 401
    assert api.post("/auth/login", {"device_id": own.name} | body).status_code == 403
