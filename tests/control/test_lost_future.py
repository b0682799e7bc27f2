"""Sound tokens of sign-ins that the database does not know, as after a restoration, are refused and said in the log."""

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from releve.control.accounts.models import AuditKind, SignIn
from releve.control.accounts.origin import Origin
from releve.control.accounts.sign_in import refresh, sign_in, verify
from releve.control.pages.account.event import in_words
from releve.protocol.token import TokenInvalid

PASSWORD = "correct horse battery staple"
HERE = Origin(address="192.0.2.1", user_agent="test")


@pytest.mark.parametrize("which", ["access", "refresh"])
def test_a_token_of_the_lost_future_is_refused_and_logged_once(alice, which):
    now = timezone.now()
    pair = sign_in("alice@example.com", PASSWORD, HERE, now)
    SignIn.objects.all().delete()

    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(TokenInvalid):
                refresh(pair.refresh, HERE, now) if which == "refresh" else verify(pair.access, now)

    unknown = [line for line in logs if "unknown sign-in" in line["event"]]
    assert [line["principal"] for line in unknown] == [f"account:{alice.pk}"]
    assert pair.access not in str(logs)


def test_a_sign_in_that_was_ended_is_no_unknown_one(alice):
    now = timezone.now()
    pair = sign_in("alice@example.com", PASSWORD, HERE, now)
    SignIn.objects.update(revoked_at=now)

    with capture_logs() as logs, pytest.raises(TokenInvalid):
        verify(pair.access, now)

    assert not [line for line in logs if "unknown sign-in" in line["event"]]


def test_every_kind_of_event_has_words():
    assert all(in_words(kind) != kind for kind in AuditKind)
