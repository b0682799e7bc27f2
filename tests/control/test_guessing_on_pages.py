"""Guessing a password on the sign-in page counts like guessing at the API."""

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from releve.control.accounts import limiter
from releve.control.accounts.models import Attempt, AuditEvent, AuditKind
from releve.control.accounts.origin import Origin

PASSWORD = "correct horse battery staple"


def _try(client, password):
    return client.post(reverse("account_login"), {"login": "alice@example.com", "password": password})


def test_a_right_password_signs_in_and_clears_the_failures(client, alice):
    assert _try(client, "wrong").status_code == 200
    assert Attempt.objects.get().failures == 1

    assert _try(client, PASSWORD).status_code == 302
    assert not Attempt.objects.exists()


def test_a_failure_on_the_page_is_kept_for_the_owner(client, alice):
    _try(client, "wrong")

    event = AuditEvent.objects.get(kind=AuditKind.SIGN_IN_FAILED)
    assert (event.account, event.address) == (alice, "127.0.0.1")
    assert "wrong" not in str(event.detail)


def test_whoever_failed_too_often_at_the_api_waits_on_the_page_too(client, alice):
    for _ in range(10):
        limiter.failed("alice@example.com", Origin(address="127.0.0.1"), timezone.now())

    assert _try(client, PASSWORD).status_code == 200
    assert "_auth_user_id" not in client.session


def test_nobody_signs_up_alone(client, db):
    body = {"email": "eve@example.com", "password1": PASSWORD, "password2": PASSWORD}

    client.post(reverse("account_signup"), body)

    assert not AuditEvent.objects.exists()
    assert "_auth_user_id" not in client.session


def test_a_session_reads_the_api_but_changes_nothing_without_its_csrf_token(alice, device):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, "releve.control.accounts.backends.AccountBackend")

    assert browser.get("/api/v1/devices").status_code == 200
    assert browser.post(f"/api/v1/devices/{device.id}/disable").status_code == 403
    device.refresh_from_db()
    assert device.is_enabled
