"""The rotation of refresh tokens: one successor, a grace, and reuse that ends the sign-in."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from releve.control.accounts import counters
from releve.control.accounts.models import AuditEvent, AuditKind, SignIn
from releve.control.accounts.origin import Origin
from releve.control.accounts.services import disable_account
from releve.control.accounts.sign_in import TokenReused, refresh, sign_in
from releve.protocol.token import TokenInvalid

PASSWORD = "correct horse battery staple"
HERE = Origin(address="192.0.2.1", user_agent="test")
AT_ONCE = 8


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def pair(alice, now):
    return sign_in("alice@example.com", PASSWORD, HERE, now)


def test_a_refresh_answers_a_new_access_and_a_new_refresh_token(api, pair):
    answer = api.post("/api/token/refresh/", {"refresh": pair.refresh})

    assert answer.status_code == 200
    assert sorted(answer.json()) == ["access", "refresh"]
    assert answer.json()["refresh"] != pair.refresh
    assert api.get("/api/auth/profile/", Authorization=f"Bearer {answer.json()['access']}").status_code == 200


def test_the_parent_presented_again_within_the_grace_gets_the_same_successor(pair, now):
    first = refresh(pair.refresh, HERE, now)

    again = refresh(pair.refresh, HERE, now + timedelta(seconds=60))

    assert again.refresh == first.refresh


def test_the_parent_presented_after_the_grace_ends_the_sign_in_with_an_alert(api, alice, pair, now):
    child = refresh(pair.refresh, HERE, now - timedelta(seconds=61))
    before = counters.snapshot()["refresh_reuses"]

    answer = api.post("/api/token/refresh/", {"refresh": pair.refresh})

    assert answer.status_code == 401
    assert answer.json() == {"detail": "Token is invalid or expired", "code": "token_reuse"}
    assert counters.snapshot()["refresh_reuses"] == before + 1
    assert AuditEvent.objects.get(kind=AuditKind.REFRESH_REUSED).is_alert
    assert alice.sign_ins.get().revoked_reason == "refresh token used again"
    for token in (pair.access, child.access):
        assert api.get("/api/auth/profile/", Authorization=f"Bearer {token}").status_code == 401
    with pytest.raises(TokenInvalid):
        refresh(child.refresh, HERE, now)


def test_a_grandparent_is_reuse_even_within_the_grace(pair, now):
    child = refresh(pair.refresh, HERE, now)
    refresh(child.refresh, HERE, now)

    with pytest.raises(TokenReused):
        refresh(pair.refresh, HERE, now)


def test_every_later_use_of_a_spent_token_says_so_and_alerts_once(pair, now):
    refresh(pair.refresh, HERE, now)
    for _ in range(3):
        with pytest.raises(TokenReused):
            refresh(pair.refresh, HERE, now + timedelta(seconds=90))

    assert AuditEvent.objects.filter(kind=AuditKind.REFRESH_REUSED).count() == 1


def test_a_refresh_prolongs_the_sign_in_and_an_unused_one_ends(pair, now):
    later = refresh(pair.refresh, HERE, now + timedelta(days=29))

    refresh(later.refresh, HERE, now + timedelta(days=58))

    with pytest.raises(TokenInvalid):
        refresh(pair.refresh, HERE, now + timedelta(days=31))


def test_a_disabled_account_cannot_refresh(alice, pair, now):
    disable_account(alice)

    with pytest.raises(TokenInvalid):
        refresh(pair.refresh, HERE, now)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "x" * 10_000, "é", "eyJhbGciOiJub25lIn0.e30."])
def test_nonsense_is_not_a_token(api, db, text):
    answer = api.post("/api/token/refresh/", {"refresh": text})

    assert answer.status_code == (401 if text else 400)


@pytest.mark.django_db(transaction=True)
def test_eight_concurrent_refreshes_of_one_token_all_succeed_with_one_successor(alice):
    now = timezone.now()
    pair = sign_in("alice@example.com", PASSWORD, HERE, now)
    start = Barrier(AT_ONCE)

    def one() -> str:
        try:
            connection.ensure_connection()
            start.wait()
            return refresh(pair.refresh, HERE, timezone.now()).refresh
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        successors = {future.result() for future in [threads.submit(one) for _ in range(AT_ONCE)]}

    assert len(successors) == 1
    assert SignIn.objects.get().generation == 1
    assert AuditEvent.objects.filter(kind=AuditKind.REFRESHED).count() == 1


def test_no_audit_event_holds_a_token_or_a_password(pair, now):
    child = refresh(pair.refresh, HERE, now)

    kept = str(list(AuditEvent.objects.values()))

    assert PASSWORD not in kept
    for token in (pair.access, pair.refresh, child.access, child.refresh):
        assert token not in kept
        assert token.rpartition(".")[2] not in kept
