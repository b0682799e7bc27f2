"""Who sees which page, and that a browser's session is a sign-in like any other."""

import re

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern

from releve.control import configuration
from releve.control.accounts.models import Account, AuditEvent, AuditKind, SignIn
from releve.control.accounts.services import disable_account
from releve.control.fleet.models import Asset
from releve.control.fleet.services import register_device
from releve.control.pages.urls import urlpatterns
from releve.control.teams.services import give_role

PASSWORD = "correct horse battery staple"
OPEN = {
    "welcome",
    "share-enter",  # what a link shows is held by tests of its own
    "shared",
    "set_language",
    "schema",
    "docs-swagger",
    "docs-redoc",
    None,
}  # None: a route's twin with the other slash
# pages of a device too, and no form's address
PAGES_BELOW = {"device-messages", "latest-reading", "device-delete", "profilometre-page"}


def address(pattern: URLPattern) -> str:
    return "/" + re.sub(
        r"<uuid:\w+>", "0" * 8 + "-0000-0000-0000-" + "0" * 12, re.sub(r"<int:\w+>", "1", str(pattern.pattern))
    )


@pytest.fixture(autouse=True)
def nobody_tried_before():
    """allauth counts the sign-ins of an address in the cache."""
    cache.clear()


@pytest.fixture
def browse():
    """A browser that somebody signed in with."""

    def make(account) -> Client:
        client = Client(headers={"accept": "text/html"})
        answer = client.post("/account/login/", {"login": account.email, "password": PASSWORD})
        assert answer.status_code == 302, answer.content
        return client

    return make


@pytest.mark.parametrize("pattern", [p for p in urlpatterns if p.name not in OPEN], ids=lambda p: p.name)
def test_no_page_opens_without_sign_in(db, pattern):
    for answer in (Client().get(address(pattern)), Client().post(address(pattern))):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/account/login/?next=")


@pytest.mark.parametrize(
    ("page", "way_back"),
    [
        ("http://testserver/runs/7/?channel=speed", "/runs/7/%3Fchannel%3Dspeed"),
        ("http://testserver/devices/1/", "/devices/1/"),
        ("http://elsewhere.example/runs/7/", "/"),
        ("//[", "/"),
        ("", "/"),
    ],
)
def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(db, page, way_back):
    answer = Client().post("/runs/7/rename/", {"name": "Sunday"}, headers={"referer": page})

    assert answer.headers["Location"] == f"/account/login/?next={way_back}"


def test_a_page_asked_for_without_sign_in_is_the_way_back(db):
    assert Client().get("/runs/?state=open").headers["Location"] == "/account/login/?next=/runs/%3Fstate%3Dopen"


@pytest.mark.parametrize("pattern", [p for p in urlpatterns if "device_id" in str(p.pattern)], ids=lambda p: p.name)
def test_another_teams_device_does_not_exist(browse, device, charlie, pattern):
    path = address(pattern).replace("/1/", f"/{device.id}/", 1)
    client = browse(charlie)

    assert client.get(path, follow=True).status_code == 404  # the address of a form leads to the device's page
    assert client.post(path).status_code in (404, 405)


@pytest.mark.parametrize(
    "pattern",
    [p for p in urlpatterns if "device_id" in str(p.pattern) and p.name not in PAGES_BELOW],
    ids=lambda p: p.name,
)
def test_a_forms_address_that_is_asked_for_leads_to_the_page_of_its_device(browse, device, erin, pattern):
    path = address(pattern).replace("/1/", f"/{device.id}/", 1)

    answer = browse(erin).get(path, follow=True)

    assert answer.status_code == 200
    assert answer.request["PATH_INFO"] == f"/devices/{device.id}/"


@pytest.mark.parametrize(
    ("form", "page"),
    [
        ("/runs/open/", "/runs/"),
        ("/team/1/members/", "/team/"),
        ("/team/1/members/2/disable/", "/team/"),
        ("/account/sign-ins/00000000-0000-0000-0000-000000000000/revoke/", "/account/sign-ins/"),
        ("/account/token/", "/"),
    ],
)
def test_the_address_of_a_form_leads_to_the_page_above_it(browse, erin, form, page):
    answer = browse(erin).get(form, follow=True)

    assert (answer.status_code, answer.request["PATH_INFO"]) == (200, page)


def test_another_language_on_what_a_form_answered_shows_the_page_of_the_device(browse, device, erin):
    client = browse(erin)
    refused = f"/devices/{device.id}/move/"

    answer = client.post("/language/", {"language": "fr", "next": refused}, follow=True)

    assert (answer.status_code, answer.request["PATH_INFO"]) == (200, f"/devices/{device.id}/")


@pytest.mark.parametrize("action", ["disable", "enable", "secret"])
def test_a_viewer_looks_at_a_device_and_changes_nothing(browse, device, bob, action):
    client = browse(bob)

    assert client.get(f"/devices/{device.id}/").status_code == 200
    assert client.post(f"/devices/{device.id}/{action}/").status_code == 403
    assert not AuditEvent.objects.filter(device=device).exclude(kind=AuditKind.DEVICE_ADDED).exists()


def test_an_editor_disables_and_enables_a_device(browse, device, erin):
    client = browse(erin)

    client.post(f"/devices/{device.id}/disable/")
    device.refresh_from_db()
    assert not device.is_enabled

    client.post(f"/devices/{device.id}/enable/")
    device.refresh_from_db()
    assert device.is_enabled


def test_a_new_secret_is_in_the_one_answer_only(browse, device, erin):
    client = browse(erin)

    answer = client.post(f"/devices/{device.id}/secret/")

    secret = re.search(r'id="secret-text">([^<]+)<', answer.content.decode())[1]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert secret not in client.get(f"/devices/{device.id}/").content.decode()
    assert (
        Client().post("/auth/login", {"device_id": device.name, "password": secret}, "application/json").status_code
        == 200
    )


def test_an_editor_revokes_a_sign_in_of_a_device(browse, device, signed_in, erin):
    signed_in(device)
    row = SignIn.objects.get(device=device)

    browse(erin).post(f"/devices/{device.id}/sign-ins/{row.id}/revoke/")

    row.refresh_from_db()
    assert row.revoked_at is not None


def test_a_session_is_a_sign_in_and_ends_when_it_is_revoked_elsewhere(browse, alice):
    client = browse(alice)
    row = SignIn.objects.get(account=alice)
    other = browse(alice)

    other.post(f"/account/sign-ins/{row.id}/revoke/")

    assert client.get("/").status_code == 302
    assert other.get("/").status_code == 200
    assert AuditEvent.objects.filter(account=alice, kind=AuditKind.SIGN_IN_REVOKED).count() == 1


def test_signing_out_revokes_the_sign_in(browse, alice):
    client = browse(alice)

    client.post("/account/logout/")

    assert SignIn.objects.get(account=alice).revoked_reason == "signed out"
    assert client.get("/").status_code == 302


def test_a_new_password_ends_every_other_session_and_keeps_this_one(browse, alice):
    client, other = browse(alice), browse(alice)

    client.post(
        "/account/password/change/",
        {"oldpassword": PASSWORD, "password1": "a better long sentence", "password2": "a better long sentence"},
    )

    assert client.get("/").status_code == 200
    assert other.get("/").status_code == 302


def test_a_disabled_account_is_out_at_once(browse, alice):
    client = browse(alice)

    disable_account(alice)

    assert client.get("/").status_code == 302


def test_a_page_gets_a_token_of_its_own_sign_in_only(browse, alice, api):
    client = browse(alice)

    api.token = client.post("/account/token/").json()["access"]

    assert api.get("/api/auth/profile/").json()["email"] == alice.email
    client.post("/account/logout/")
    assert api.get("/api/auth/profile/").status_code == 401


def test_nobody_revokes_somebody_elses_sign_in(browse, alice, bob):
    browse(alice)
    row = SignIn.objects.get(account=alice)

    assert browse(bob).post(f"/account/sign-ins/{row.id}/revoke/").status_code == 404


def test_sign_up_is_closed(alice):
    Client().post("/account/signup/", {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD})

    assert not Account.objects.filter(email="new@example.com").exists()
    assert b"/account/signup/" not in Client().get("/account/login/").content


def test_before_the_first_account_the_sign_in_page_leads_to_the_welcome(db):
    assert Client().get("/account/login/").headers["Location"] == "/welcome/"


def test_a_forgotten_password_is_not_answered_with_a_mail_that_never_comes(alice, settings):
    settings.EMAIL_BACKEND = configuration.EMAIL_BACKEND  # the test environment puts another one there

    assert b"./releve account set-password" in Client().get("/account/password/reset/").content


def test_a_team_administrator_adds_a_member_who_can_sign_in(browse, team, alice):
    answer = browse(alice).post(
        f"/team/{team.id}/members/", {f"team{team.id}-email": "Dora@example.com", f"team{team.id}-role": "editor"}
    )

    password = re.search(r'id="secret-text">([^<]+)<', answer.content.decode())[1]
    assert Client().post("/account/login/", {"login": "dora@example.com", "password": password}).status_code == 302


def test_only_a_team_administrator_decides_who_is_in_the_team(browse, team, erin, alice):
    client = browse(erin)

    assert client.post(f"/team/{team.id}/members/", {}).status_code == 403
    assert client.post(f"/team/{team.id}/members/{alice.id}/disable/").status_code == 403


def test_a_team_administrator_cannot_disable_who_is_also_in_another_team(browse, team, alice, charlie):
    give_role(account=charlie, team=team, role="viewer")

    assert browse(alice).post(f"/team/{team.id}/members/{charlie.id}/disable/").status_code == 403


def test_nobody_takes_another_name_to_sign_in_by(browse, alice):
    client = browse(alice)

    assert client.get("/account/email/").status_code == 404
    assert client.post("/account/email/", {"action_add": "", "email": "new@example.com"}).status_code == 404


@pytest.mark.parametrize(
    "path", ["/about", "/team", "/account/sign-ins", "/account/2fa", "/admin", "/admin/fleet/device"]
)
def test_every_page_answers_without_its_trailing_slash(browse, alice, path):
    type(alice).objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    client = browse(alice)

    assert client.get(path).status_code == client.get(f"{path}/").status_code == 200


def test_nobody_disables_himself(browse, team, alice):
    assert browse(alice).post(f"/team/{team.id}/members/{alice.id}/disable/").status_code == 403


def test_adding_a_known_account_to_a_team_says_no_more_than_that_the_name_is_taken(browse, team, alice, charlie):
    answer = browse(alice).post(
        f"/team/{team.id}/members/", {f"team{team.id}-email": charlie.email, f"team{team.id}-role": "viewer"}
    )

    assert answer.status_code == 422
    assert not team.memberships.filter(account=charlie).exists()


@pytest.mark.parametrize(
    ("flags", "status"), [({}, 403), ({"is_staff": True}, 302), ({"is_staff": True, "is_superuser": True}, 200)]
)
def test_the_administration_is_for_superusers_behind_the_same_sign_in(browse, alice, flags, status):
    type(alice).objects.filter(pk=alice.pk).update(**flags)

    assert Client().get("/admin/", follow=True).redirect_chain[-1][0].startswith("/account/login/")
    answer = browse(alice).get("/admin/")
    assert answer.status_code == status or (status == 403 and answer.status_code == 302)
    assert (b"Authenticator" in answer.content) is False


def test_every_administration_list_opens(browse, alice, device):
    type(alice).objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    client = browse(alice)

    for path in (
        "accounts/account",
        "accounts/signin",
        "accounts/auditevent",
        "fleet/device",
        "fleet/asset",
        "fleet/mount",
        "teams/team",
    ):
        assert client.get(f"/admin/{path}/").status_code == 200
    assert client.get(f"/admin/fleet/device/{device.id}/change/").status_code == 200
    assert client.get(f"/admin/accounts/account/{alice.id}/change/").status_code == 200


def test_the_home_page_of_a_team_without_readings_teaches_the_first_one(browse, alice, team):
    register_device(team=team, name="pi-7")

    page = browse(alice).get("/").content.decode()

    assert "http://testserver/api/v1/readings" in page
    assert "./releve send temperature=21.5 --device pi-7" in page


def test_what_the_administration_renames_and_promotes_is_in_the_audit(browse, alice, bob, team):
    type(alice).objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    machine = Asset.objects.create(team=team, kind="machine", key="7", name="Press")
    client = browse(alice)

    asset = {"team": team.pk, "kind": "machine", "key": "7", "name": "Leg press"}
    client.post(f"/admin/fleet/asset/{machine.pk}/change/", asset)
    inline = {f"memberships-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL")}
    fields = {"email": bob.email, "language": "en", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    client.post(f"/admin/accounts/account/{bob.pk}/change/", {**fields, **inline})

    renamed = AuditEvent.objects.get(kind=AuditKind.ASSET_CHANGED)
    assert (renamed.detail["before"], renamed.detail["name"]) == ("Press", "Leg press")
    assert AuditEvent.objects.get(kind=AuditKind.ACCOUNT_PROMOTED).account == bob
