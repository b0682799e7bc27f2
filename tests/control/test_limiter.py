"""Failed sign-ins make one principal at one address wait, and nobody else."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from releve.control.accounts import limiter
from releve.control.accounts.credentials import ARGON2_AT_ONCE, argon2_turn
from releve.control.accounts.limiter import TooManyAttempts
from releve.control.accounts.models import Attempt, AuditEvent, AuditKind
from releve.control.accounts.origin import Origin
from releve.control.accounts.sign_in import note_failure

HERE = Origin(address="192.0.2.1")
PASSWORD = "correct horse battery staple"
ALLOWED = 10
WINDOW = timedelta(seconds=300)


@pytest.fixture
def now(db):
    return timezone.now()


def _fail(name: str, origin: Origin, now, times: int) -> None:
    for _ in range(times):
        limiter.failed(name, origin, now)


def test_the_eleventh_attempt_is_a_429_that_says_how_long_to_wait(api, device):
    for _ in range(ALLOWED):
        assert api.post("/auth/login", {"device_id": "raspberry1", "password": "x"}).status_code == 403

    answer = api.post("/auth/login", {"device_id": "raspberry1", "password": "the machine's own secret"})

    assert answer.status_code == 429
    assert 290 < int(answer.headers["Retry-After"]) <= 300
    assert answer.json() == {"detail": "Too many failed sign-ins; wait and try again."}
    assert AuditEvent.objects.get(kind=AuditKind.LOCKED_OUT).is_alert


def test_a_bad_neighbour_behind_the_same_address_harms_nobody(now):
    _fail("bad", HERE, now, ALLOWED)

    with pytest.raises(TooManyAttempts):
        limiter.refuse_if_blocked("bad", HERE, now)
    limiter.refuse_if_blocked("good", HERE, now)


def test_a_guesser_elsewhere_does_not_lock_the_owner_out(now):
    _fail("alice@example.com", Origin(address="198.51.100.9"), now, ALLOWED)

    limiter.refuse_if_blocked("alice@example.com", HERE, now)


def test_the_addresses_of_one_ipv6_site_count_as_one(now):
    _fail("alice", Origin(address="2001:db8:1:2::1"), now, ALLOWED)

    with pytest.raises(TooManyAttempts):
        limiter.refuse_if_blocked("Alice", Origin(address="2001:db8:1:2:ffff::9"), now)
    limiter.refuse_if_blocked("alice", Origin(address="2001:db8:1:3::1"), now)


def test_a_success_clears_the_count(now):
    _fail("alice", HERE, now, ALLOWED - 1)
    limiter.succeeded("alice", HERE)

    _fail("alice", HERE, now, ALLOWED - 1)

    limiter.refuse_if_blocked("alice", HERE, now)


def test_the_wait_ends_and_the_count_starts_again(now):
    _fail("alice", HERE, now, ALLOWED)

    later = now + WINDOW
    limiter.refuse_if_blocked("alice", HERE, later)

    assert not limiter.failed("alice", HERE, later)
    assert Attempt.objects.get().failures == 1


def test_old_failures_are_forgotten(now):
    _fail("alice", HERE, now, ALLOWED - 1)

    assert not limiter.failed("alice", HERE, now + WINDOW)
    limiter.failed("bob", HERE, now + 3 * WINDOW)
    assert Attempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_concurrent_failures_exactly_the_tenth_starts_the_wait():
    now = timezone.now()

    def one() -> str:
        try:
            return "last" if limiter.failed("alice", HERE, now) else "counted"
        except TooManyAttempts:
            return "too many"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        outcomes = [future.result() for future in [threads.submit(one) for _ in range(14)]]

    assert sorted(outcomes) == ["counted"] * 9 + ["last"] + ["too many"] * 4


def test_an_unknown_name_fills_no_audit(api, db):
    api.post("/api/token/", {"username": "a password in the wrong field", "password": "x"})

    assert not AuditEvent.objects.exists()
    assert "wrong field" not in str(list(Attempt.objects.values()))


def test_made_up_names_are_counted_by_address_as_well(api, alice, bob, now):
    api.post("/api/token/", {"username": "bob@example.com", "password": PASSWORD})
    for n in range(10 * ALLOWED):
        with suppress(TooManyAttempts):
            note_failure(f"{n}@made-up.example", None, Origin(address="127.0.0.1"), now)

    strange = api.post("/api/token/", {"username": "one-more@made-up.example", "password": "x"})
    known = api.post("/api/token/", {"username": "alice@example.com", "password": PASSWORD})
    familiar = api.post("/api/token/", {"username": "bob@example.com", "password": PASSWORD})
    page = api.client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})

    assert strange.status_code == known.status_code == 429  # the same, so that nobody learns which names exist
    assert familiar.status_code == 200  # has signed in from there before
    assert page.status_code == 200
    limiter.refuse_if_blocked("alice@example.com", HERE, now)


def test_a_slow_hash_that_must_wait_holds_no_thread(api, alice):
    with ExitStack() as taken:
        for _ in range(ARGON2_AT_ONCE):
            taken.enter_context(argon2_turn())
        began_s = time.monotonic()
        answer = api.post("/api/token/", {"username": "alice@example.com", "password": PASSWORD})

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert time.monotonic() - began_s < 5
    assert api.post("/api/token/", {"username": "alice@example.com", "password": PASSWORD}).status_code == 200
