"""A second factor is asked for wherever a password signs in, and a stolen database holds none."""

import importlib
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.apps import apps
from django.contrib.sessions.backends import db as plain_sessions
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client

from releve.control.accounts.models import Attempt, AuditEvent, AuditKind
from releve.control.accounts.session_store import SessionStore, kept

PASSWORD = "correct horse battery staple"
ROUTES = {"/api/token/": ("username", 401), "/auth/login": ("device_id", 403)}
carry_over = importlib.import_module("releve.control.accounts.migrations.0005_hash_sessions_encrypt_factors")


@pytest.fixture
def secret(alice):
    cache.clear()
    text = generate_totp_secret()
    TOTP.activate(alice, text)
    return text


def code_of(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def post(api, route, **changes):
    field, _ = ROUTES[route]
    return api.post(route, {field: "alice@example.com", "password": PASSWORD} | changes)


@pytest.mark.parametrize("route", ROUTES)
def test_a_password_alone_does_not_sign_in_where_there_is_a_second_factor(api, alice, secret, route):
    missing, wrong, right = post(api, route), post(api, route, otp="000000"), post(api, route, otp=code_of(secret))

    status = ROUTES[route][1]
    assert (missing.status_code, missing.json()["code"]) == (status, "otp_required")
    assert (wrong.status_code, wrong.json()["code"]) == (status, "otp_invalid")
    assert right.status_code == 200
    assert post(api, route, otp=code_of(secret)).json()["code"] == "otp_invalid"  # a code works once


def test_a_recovery_code_stands_for_the_factor_once(api, alice, secret):
    code = RecoveryCodes.activate(alice).get_unused_codes()[0]

    assert post(api, "/api/token/", otp=code).status_code == 200
    assert post(api, "/api/token/", otp=code).json()["code"] == "otp_invalid"


def test_a_wrong_code_counts_as_a_guess_and_a_missing_one_does_not(api, alice, secret):
    for _ in range(3):
        post(api, "/api/token/")
    assert not Attempt.objects.exists()

    answers = [post(api, "/api/token/", otp=f"{n:06}").status_code for n in range(11)]

    assert answers == [401] * 10 + [429]
    assert AuditEvent.objects.filter(kind=AuditKind.SIGN_IN_FAILED, account=alice).count() == 10


def test_a_wrong_password_says_nothing_about_a_factor(api, alice, secret):
    assert "code" not in post(api, "/api/token/", password="wrong", otp=code_of(secret)).json()


def test_the_database_holds_no_factor_and_no_session(alice, secret):
    codes = RecoveryCodes.activate(alice)
    browser = Client()
    browser.force_login(alice)
    cookie = browser.cookies["sessionid"].value
    browser.get("/account/2fa/totp/activate/")

    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        rows = str(cursor.fetchall())
        cursor.execute("SELECT session_key, session_data FROM django_session")
        rows += str(cursor.fetchall())

    assert secret not in rows
    assert codes.instance.data["seed"].startswith("fernet:")
    assert cookie not in rows
    assert kept(cookie) in rows


def test_a_hash_from_the_database_opens_no_session(alice, client):
    client.force_login(alice)
    hashed = Session.objects.get().session_key
    thief = Client()
    thief.cookies["sessionid"] = hashed

    assert "_auth_user_id" not in thief.session
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_a_session_lives_changes_its_key_and_ends(alice, client):
    client.force_login(alice)
    session = client.session
    first = session.session_key
    session["seen"] = True
    session.save()

    session.cycle_key()

    assert not SessionStore().exists(first)
    assert SessionStore(session.session_key)["seen"] is True
    session.flush()
    assert not Session.objects.exists()


def test_what_an_earlier_version_stored_is_carried_over(api, alice, client):
    cache.clear()
    secret = generate_totp_secret()
    Authenticator.objects.create(user=alice, type="totp", data={"secret": secret})
    Authenticator.objects.create(user=alice, type="recovery_codes", data={"migrated_codes": ["12345678"]})
    client.force_login(alice)
    old = plain_sessions.SessionStore()
    old.update(client.session.items())
    old.create()
    Session.objects.exclude(session_key=old.session_key).delete()

    for _ in range(2):  # once more does no harm
        carry_over.hash_sessions(apps, None)
        carry_over.encrypt_factors(apps, None)

    browser = Client()
    browser.cookies["sessionid"] = old.session_key
    assert browser.session["_auth_user_id"] == str(alice.pk)
    assert old.session_key not in str(list(Session.objects.values()))
    stored = str(list(Authenticator.objects.values()))
    assert secret not in stored
    assert "12345678" not in stored
    assert post(api, "/api/token/", otp=code_of(secret)).status_code == 200
    assert post(api, "/api/token/", otp="12345678").status_code == 200

    carry_over.decrypt_factors(apps, None)

    assert Authenticator.objects.get(type="totp").data["secret"] == secret
