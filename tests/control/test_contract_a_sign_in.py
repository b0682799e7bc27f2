"""Contract A on the wire: `/auth/login` and `/users`."""

import json

import pytest
from django.utils import timezone

from releve.control.accounts.models import SignIn
from releve.control.fleet.services import disable_device

LOGIN = {"device_id": "raspberry1", "password": "the machine's own secret"}
WRONG = {"detail": "Identifiants invalides"}


@pytest.mark.parametrize("address", ["/auth/login", "/auth/login/"])
def test_a_machine_signs_in_and_gets_one_token(api, device, address):
    answer = api.post(address, LOGIN)

    assert answer.status_code == 200
    assert list(answer.json()) == ["token"]


def test_a_person_may_sign_in_there_by_email(api, alice):
    body = {"device_id": "Alice@Example.com", "password": "correct horse battery staple"}

    assert api.post("/auth/login", body).status_code == 200


@pytest.mark.parametrize(
    "body", [{"device_id": "raspberry1", "password": "wrong"}, {"device_id": "nobody", "password": "x"}]
)
def test_wrong_and_unknown_are_the_same_403(api, device, body):
    answer = api.post("/auth/login", body)

    assert (answer.status_code, answer.json()) == (403, WRONG)


def test_a_disabled_machine_is_refused_like_an_unknown_one(api, device):
    disable_device(device)

    answer = api.post("/auth/login", LOGIN)

    assert (answer.status_code, answer.json()) == (403, WRONG)


def test_a_missing_field_is_named(api, db):
    answer = api.post("/auth/login", {"device_id": "raspberry1"})

    assert (answer.status_code, answer.json()) == (400, {"password": ["This field is required."]})


@pytest.mark.parametrize("body", [b'{"device_id": "\\u0000"}', b"{", b"[]", b"", b'{"device_id": NaN}', b"[" * 99])
def test_what_is_not_strict_json_is_a_400(api, db, body):
    answer = api.post("/auth/login", body)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_json_under_another_media_type_is_json(client, device, media_type):
    body = json.dumps(LOGIN)

    assert client.post("/auth/login", body, content_type=media_type).status_code == 200
    assert client.post("/api/token/", body.replace("device_id", "username"), media_type).status_code == 200
    assert client.post("/auth/login", "a=b", content_type=media_type).status_code == 400


def test_a_page_of_another_site_must_say_that_it_sends_json(client, device):
    """A browser asks us first whether the page may; a form it sends unasked."""
    foreign = {"Origin": "https://example.com"}

    assert client.post("/auth/login", json.dumps(LOGIN), "text/plain", headers=foreign).status_code == 415


def test_an_administrator_lists_the_teams_accounts_without_secrets(alice, bob, charlie, signed_in):
    answer = signed_in(alice).get("/users")

    assert answer.status_code == 200
    assert [user["email"] for user in answer.json()] == ["alice@example.com", "bob@example.com"]
    assert [user["status"] for user in answer.json()] == ["administrateur", "utilisateur"]
    assert "argon2" not in answer.content.decode()


def test_the_header_token_opens_it_too(api, alice, signed_in):
    assert api.get("/users/", token=signed_in(alice).token).status_code == 200


def test_a_viewer_and_a_device_may_not_list_accounts(bob, device, signed_in):
    assert signed_in(bob).get("/users").status_code == 403
    assert signed_in(device).get("/users").status_code == 403


def test_staff_list_the_accounts_of_their_teams(bob, alice, charlie, signed_in):
    bob.is_staff = True
    bob.save()

    answer = signed_in(bob).get("/users")

    assert [user["email"] for user in answer.json()] == ["alice@example.com", "bob@example.com"]


@pytest.mark.parametrize("headers", [{}, {"token": "x"}, {"Authorization": "Bearer x"}])
def test_no_or_a_bad_token_is_refused_in_french(api, db, headers):
    answer = api.get("/users", **headers)

    assert (answer.status_code, answer.json()) == (401, {"detail": "Token invalide"})
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_an_expired_token_says_so(alice, signed_in, expired_token):
    row = SignIn.objects.create(
        account=alice,
        started_at=timezone.now(),
        refreshed_at=timezone.now(),
        rotated_at=timezone.now(),
        expires_at=timezone.now(),
    )

    answer = signed_in(alice).get("/users", token="", Authorization=f"Bearer {expired_token(row)}")

    assert (answer.status_code, answer.json()) == (401, {"detail": "Token expiré"})
