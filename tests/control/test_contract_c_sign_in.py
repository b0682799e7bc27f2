"""Contract C on the wire: tokens, their refusals, and the profile."""

import json

import pytest
from django.contrib.auth.hashers import make_password
from tests.control.conftest import API

from releve.control.accounts.services import add_account, disable_account
from releve.control.fleet.services import disable_device, new_secret, register_device
from releve.protocol.secret import Secret

PASSWORD = "correct horse battery staple"
SECRET = "the machine's own secret"
NO_ACCOUNT = {"detail": "No active account found with the given credentials"}
NOT_VALID = {"detail": "Token is invalid or expired", "code": "token_not_valid"}
CHALLENGE = 'Bearer realm="api"'


@pytest.mark.parametrize("address", ["/api/token/", "/api/token"])
@pytest.mark.parametrize("field", ["username", "email"])
def test_a_person_gets_an_access_and_a_refresh_token_and_nothing_else(api, alice, address, field):
    answer = api.post(address, {field: "alice@example.com", "password": PASSWORD})

    assert answer.status_code == 200
    assert sorted(answer.json()) == ["access", "refresh"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_device_called_like_an_email_signs_in_and_its_answer_fits_an_esp32(api, team):
    register_device(team=team, name="iot_device@example.com", secret=Secret(SECRET))

    answer = api.post("/api/token/", {"username": "iot_device@example.com", "password": SECRET})

    assert answer.status_code == 200
    assert len(answer.content) < 700


@pytest.mark.parametrize("username", ["alice@example.com", "nobody@example.com", "raspberry1", "nobody"])
def test_wrong_and_unknown_are_the_same_401(api, alice, device, username):
    answer = api.post("/api/token/", {"username": username, "password": "wrong"})

    assert (answer.status_code, answer.json()) == (401, NO_ACCOUNT)
    assert answer.headers["WWW-Authenticate"] == CHALLENGE


def test_a_disabled_account_is_refused_like_an_unknown_one(api, alice):
    disable_account(alice)

    answer = api.post("/api/token/", {"username": "alice@example.com", "password": PASSWORD})

    assert (answer.status_code, answer.json()) == (401, NO_ACCOUNT)


@pytest.mark.parametrize(
    ("address", "body", "refusal"),
    [
        ("/api/token/", {"password": "x"}, {"username": ["This field is required."]}),
        ("/api/token/", {"username": "x"}, {"password": ["This field is required."]}),
        ("/api/token/refresh/", {}, {"refresh": ["This field is required."]}),
        ("/api/token/verify/", {}, {"token": ["This field is required."]}),
    ],
)
def test_a_missing_field_is_named_in_english_for_everybody(api, db, address, body, refusal):
    answer = api.post(address, body, **{"Accept-Language": "fr"})

    assert (answer.status_code, answer.json()) == (400, refusal)
    assert answer.headers["Content-Language"] == "en"


def test_any_accept_header_gets_json(api, alice):
    body = {"username": "alice@example.com", "password": PASSWORD}

    assert api.post("/api/token/", body, Accept="text/html").json()["access"]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", ["/api/auth/profile/", "/api/auth/profile"])
def test_the_profile_answers_get_and_post(alice, signed_in, method, address):
    answer = getattr(signed_in(alice), method)(address)

    assert answer.status_code == 200
    assert answer.json() == {
        "id": alice.id,
        "email": "alice@example.com",
        "first_name": "",
        "last_name": "",
        "date_joined": answer.json()["date_joined"],
        "status": "administrateur",
    }


def test_the_status_says_what_an_account_may_do(bob, alice, signed_in):
    alice.is_superuser = True
    alice.save()

    assert signed_in(bob).get("/api/auth/profile/").json()["status"] == "utilisateur"
    assert signed_in(alice).get("/api/auth/profile/").json()["status"] == "super_user"


def test_a_device_sees_its_own_profile_and_nothing_else(device, signed_in):
    machine = signed_in(device)

    profile = machine.get("/api/auth/profile/").json()

    assert (profile["id"], profile["email"], profile["status"]) == (device.id, "raspberry1", "utilisateur")
    for address in ("devices", "assets", "teams", "audit", "audit/own", "sign-ins", f"devices/{device.id}"):
        assert machine.get(f"/api/v1/{address}").status_code == 403, address


def test_no_token_is_a_401_with_a_challenge(api, db):
    answer = api.get("/api/auth/profile/")

    assert answer.status_code == 401
    assert answer.json() == {"detail": "Authentication credentials were not provided."}
    assert answer.headers["WWW-Authenticate"] == CHALLENGE


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("nonsense", "Token is invalid"),
        ("expired", "Token is expired"),
        ("refresh", "Token has wrong type"),
        ("revoked", "Token is invalid"),
    ],
)
def test_a_bad_access_token_is_refused_in_the_shape_that_clients_know(api, alice, expired_token, kind, message):
    pair = api.post("/api/token/", {"username": "alice@example.com", "password": PASSWORD}).json()
    row = alice.sign_ins.get()
    sent = {"nonsense": "x.y.z", "expired": expired_token(row), "refresh": pair["refresh"]}
    if kind == "revoked":
        api.post("/api/auth/sign-out/", Authorization=f"Bearer {pair['access']}")

    answer = api.get("/api/auth/profile/", Authorization=f"Bearer {sent.get(kind, pair['access'])}")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == CHALLENGE
    assert answer.json() == {
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [{"token_class": "AccessToken", "token_type": "access", "message": message}],
    }


def test_verify_takes_both_tokens_and_refuses_what_ended(api, alice):
    pair = api.post("/api/token/", {"username": "alice@example.com", "password": PASSWORD}).json()

    for token in pair.values():
        answer = api.post("/api/token/verify/", {"token": token})
        assert (answer.status_code, answer.json()) == (200, {})
    api.post("/api/auth/sign-out", {"refresh": pair["refresh"]})
    for token in (*pair.values(), "x"):
        answer = api.post("/api/token/verify", {"token": token})
        assert (answer.status_code, answer.json()) == (401, NOT_VALID)
        assert answer.headers["WWW-Authenticate"] == CHALLENGE


def test_verify_answers_a_tokens_type_only_where_it_is_asked_for(api, alice):
    pair = api.post("/api/token/", {"username": "alice@example.com", "password": PASSWORD}).json()

    for typ, token in pair.items():
        assert api.post("/api/token/verify/?type", {"token": token}).json() == {"type": typ}
        assert api.post("/api/token/verify/?type=false", {"token": token}).json() == {}
    assert api.post("/api/token/verify/?type", {"token": "x"}).json() == NOT_VALID


@pytest.mark.parametrize("typed", ["E\u0301te\u0301 a\u0300 la plage 2026", "Été\u00a0à\u00a0la\u00a0plage 2026"])
def test_a_password_is_the_same_however_a_system_spells_its_characters(api, team, typed):
    add_account(email="zoe@example.com", role="viewer", team=team, password="Été à la plage 2026")

    assert api.post("/api/token/", {"username": "zoe@example.com", "password": typed}).status_code == 200
    page = api.client.post("/account/login/", {"login": "zoe@example.com", "password": typed})
    assert page.status_code == 302


def test_a_password_that_was_hashed_as_typed_is_still_right(api, alice):
    typed = "E\u0301te\u0301 a\u0300 la plage 2026"
    alice.password = make_password(typed)
    alice.save()

    assert api.post("/api/token/", {"username": "alice@example.com", "password": typed}).status_code == 200


@pytest.mark.parametrize(("query", "wants"), [("cookie=false", False), ("cookie=0", False), ("cookie=true", True)])
def test_a_cookie_is_given_to_whoever_says_yes_to_it(api, alice, query, wants):
    answer = api.post(f"/api/token/?{query}", {"username": "alice@example.com", "password": PASSWORD})

    assert ("refresh" in answer.json()) is not wants
    assert bool(answer.cookies) is wants


def test_a_yes_or_no_that_is_neither_is_named(api, alice):
    answer = api.post("/api/token/?cookie=perhaps", {"username": "alice@example.com", "password": PASSWORD})

    assert (answer.status_code, answer.json()) == (400, {"cookie": ["Must be true or false."]})


def test_an_access_token_cannot_be_refreshed(signed_in, alice):
    client = signed_in(alice)

    answer = client.post("/api/token/refresh/", {"refresh": client.token})

    assert (answer.status_code, answer.json()) == (401, NOT_VALID)


@pytest.mark.parametrize("end", [disable_device, new_secret])
def test_a_disabled_device_or_a_new_secret_ends_every_token(device, signed_in, end):
    machine = signed_in(device)

    end(device)

    assert machine.get("/api/auth/profile/").status_code == 401


def test_a_new_password_ends_every_token_whoever_sets_it(alice, signed_in):
    client = signed_in(alice)

    alice.set_password("a quite different phrase")
    alice.save()

    assert client.get("/api/auth/profile/").status_code == 401


OWN = {"Origin": "http://testserver"}


def test_a_page_keeps_its_refresh_token_in_a_cookie_that_scripts_cannot_read(api, alice):
    answer = api.post("/api/token/?cookie", {"username": "alice@example.com", "password": PASSWORD})
    cookie = answer.cookies["releve_refresh"]

    assert list(answer.json()) == ["access"]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Strict")

    refreshed = api.post("/api/token/refresh/", **OWN)

    assert list(refreshed.json()) == ["access"]
    assert refreshed.cookies["releve_refresh"].value != cookie.value

    ended = api.post("/api/auth/sign-out/", **OWN)

    assert ended.cookies["releve_refresh"].value == ""
    assert api.post("/api/token/refresh/", **OWN).status_code == 400  # nothing is sent any more


def test_with_tls_no_neighbouring_site_can_plant_the_cookie(api, alice):
    body = json.dumps({"username": "alice@example.com", "password": PASSWORD})
    answer = api.client.post("/api/token/?cookie", body, "application/json", secure=True)
    cookie = answer.cookies["__Host-releve_refresh"]
    assert (cookie["path"], cookie["domain"], cookie["secure"]) == ("/", "", True)

    own = {"Origin": "https://testserver"}
    refreshed = api.client.post("/api/token/refresh/", b"", "application/json", secure=True, headers=own)
    assert refreshed.status_code == 200
    planted = API()
    planted.client.cookies["releve_refresh"] = refreshed.cookies["__Host-releve_refresh"].value
    refused = planted.client.post("/api/token/refresh/", b"", "application/json", secure=True, headers=own)

    assert refused.json() == {"refresh": ["This field is required."]}


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://testserver.evil.example"])
def test_the_cookie_refreshes_and_signs_out_for_the_sites_own_pages_only(api, alice, origin):
    api.post("/api/token/?cookie", {"username": "alice@example.com", "password": PASSWORD})
    headers = {"Origin": origin} if origin else {}

    for address in ("/api/token/refresh/", "/api/auth/sign-out/"):
        refused = api.post(address, **headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "foreign_origin")

    assert api.post("/api/token/refresh/", **OWN).status_code == 200


def test_signing_out_without_a_credential_is_a_401(api, db):
    assert api.post("/api/auth/sign-out/").status_code == 401
    assert api.post("/api/auth/sign-out/", {"refresh": "x"}).json() == NOT_VALID
