"""The rotation of refresh tokens: one successor, a grace, and reuse that ends the sign-in."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from releve.control.accounts import counters
from releve.control.accounts.keys import keyring
from releve.control.accounts.models import AuditEvent, AuditKind, SignIn
from releve.control.accounts.origin import Origin
from releve.control.accounts.services import disable_account
from releve.control.accounts.sign_in import TokenReused, refresh, sign_in, verify
from releve.control.fleet.services import new_secret
from releve.protocol import token
from releve.protocol.token import Principal, TokenInvalid

PASSWORD = "correct horse battery staple"
SECRET = "the machine's own secret"
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


@pytest.fixture
def strict(pair, now):
    """The family of a client that stores what it is given: its first token, and the one that it rotated to."""
    child = refresh(pair.refresh, HERE, now)
    refresh(child.refresh, HERE, now)
    return pair, child


def test_a_first_token_stays_good_for_its_life_and_answers_one_successor_until_that_is_presented(alice, pair, now):
    quarters = [now + timedelta(minutes=15 * n) for n in range(30 * 24 * 4)]

    pairs = [refresh(pair.refresh, HERE, quarter) for quarter in quarters[::100]]
    last = refresh(pair.refresh, HERE, now + timedelta(days=30, seconds=-1))

    assert {each.refresh for each in pairs} == {last.refresh}
    assert verify(last.access, now + timedelta(days=30, seconds=-1)) == "access"
    assert not AuditEvent.objects.filter(is_alert=True).exists()
    with pytest.raises(TokenInvalid):
        refresh(pair.refresh, HERE, now + timedelta(days=30, seconds=1))


def test_each_use_of_a_first_token_is_kept_for_its_owner_and_the_answers_of_one_moment_once(alice, pair, now):
    for seconds in (0, 1, 59, 900, 901, 1800):
        refresh(pair.refresh, HERE, now + timedelta(seconds=seconds))

    assert AuditEvent.objects.filter(kind=AuditKind.REFRESHED, account=alice).count() == 3
    assert alice.sign_ins.get().refreshed_at == now + timedelta(seconds=1800)


def test_the_parent_presented_again_within_the_grace_gets_the_same_successor(strict, now):
    _, child = strict
    first = refresh(child.refresh, HERE, now)

    again = refresh(child.refresh, HERE, now + timedelta(seconds=60))

    assert again.refresh == first.refresh


def test_the_parent_presented_after_the_grace_ends_the_sign_in_with_an_alert(api, alice, pair, now):
    child = refresh(pair.refresh, HERE, now - timedelta(seconds=70))
    newest = refresh(child.refresh, HERE, now - timedelta(seconds=61))
    before = counters.snapshot()["refresh_reuses"]

    answer = api.post("/api/token/refresh/", {"refresh": child.refresh})

    assert answer.status_code == 401
    assert answer.json() == {"detail": "Token is invalid or expired", "code": "token_reuse"}
    assert counters.snapshot()["refresh_reuses"] == before + 1
    assert AuditEvent.objects.get(kind=AuditKind.REFRESH_REUSED).is_alert
    assert alice.sign_ins.get().revoked_reason == "refresh token used again"
    for text in (pair.access, child.access, newest.access):
        assert api.get("/api/auth/profile/", Authorization=f"Bearer {text}").status_code == 401
    with pytest.raises(TokenInvalid):
        refresh(newest.refresh, HERE, now)


def test_an_ancestor_is_reuse_even_within_the_grace(strict, now):
    first, _ = strict

    with pytest.raises(TokenReused):
        refresh(first.refresh, HERE, now)


def test_a_clock_that_is_set_back_prolongs_no_grace(strict, now):
    _, child = strict

    with pytest.raises(TokenReused):
        refresh(child.refresh, HERE, now - timedelta(hours=2))


def test_every_later_use_of_a_spent_token_says_so_and_alerts_once(strict, now):
    _, child = strict
    for _ in range(3):
        with pytest.raises(TokenReused):
            refresh(child.refresh, HERE, now + timedelta(seconds=90))

    assert AuditEvent.objects.filter(kind=AuditKind.REFRESH_REUSED).count() == 1


def test_a_refused_refresh_is_logged_with_its_address_and_counted(strict, now):
    first, _ = strict
    before = counters.snapshot()["refresh_refusals"]

    with capture_logs() as logs:
        for text in ("nonsense", first.access, first.refresh):
            with pytest.raises(TokenInvalid):
                refresh(text, HERE, now)

    refused = [line for line in logs if line["event"] == "refresh refused"]
    assert [line["reason"] for line in refused] == ["TokenInvalid", "WrongTokenType", "TokenReused"]
    assert {line["address"] for line in refused} == {"192.0.2.1"}
    assert counters.snapshot()["refresh_refusals"] == before + 3


def test_a_refresh_prolongs_the_sign_in_and_an_unused_one_ends(pair, now):
    later = refresh(pair.refresh, HERE, now + timedelta(days=29))

    refresh(later.refresh, HERE, now + timedelta(days=58))

    with pytest.raises(TokenInvalid):
        refresh(pair.refresh, HERE, now + timedelta(days=31))


def test_a_disabled_account_cannot_refresh(alice, pair, now):
    disable_account(alice)

    with pytest.raises(TokenInvalid):
        refresh(pair.refresh, HERE, now)


def test_a_devices_tokens_live_ten_years_and_its_refresh_token_does_not_rotate(device, now):
    pair = sign_in("raspberry1", SECRET, HERE, now)
    nearly = now + timedelta(days=3649)

    pairs = [refresh(pair.refresh, HERE, at) for at in (now, now + timedelta(days=400), nearly)]

    assert {each.refresh for each in pairs} == {pair.refresh}
    for access in (pair.access, *(each.access for each in pairs)):
        assert verify(access, nearly) == "access"
    assert not AuditEvent.objects.filter(is_alert=True).exists()


def test_a_devices_tokens_are_revocable_at_once(device, now):
    pair = sign_in("raspberry1", SECRET, HERE, now)

    new_secret(device)

    for text in (pair.access, pair.refresh):
        with pytest.raises(TokenInvalid):
            verify(text, now)
    with pytest.raises(TokenInvalid):
        refresh(pair.refresh, HERE, now)


def test_a_token_that_names_another_person_than_its_sign_in_opens_nothing(api, alice, charlie, pair, now):
    row = alice.sign_ins.get()
    lives = {"expires_at": now + timedelta(minutes=5), "keyring": keyring()}
    somebody = Principal.person(charlie.pk)
    access = token.issue_access(somebody, row.id, issued_at=now, **lives)
    spent = token.issue_refresh(somebody, row.id, generation=0, rotated_at=now, **lives)

    assert api.get("/api/auth/profile/", Authorization=f"Bearer {access}").status_code == 401
    for text in (access, spent):
        assert api.post("/api/token/verify/", {"token": text}).status_code == 401
    assert api.post("/api/token/refresh/", {"refresh": spent}).status_code == 401
    assert api.post("/api/auth/sign-out/", {"refresh": spent}).status_code == 401
    assert verify(pair.access, now) == "access"


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
    for text in (pair.access, pair.refresh, child.access, child.refresh):
        assert text not in kept
        assert text.rpartition(".")[2] not in kept
