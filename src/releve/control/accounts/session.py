"""Whose browser session is it? Asked by the data plane, in a thread of its own, when a live page opens."""

from http.cookies import CookieError
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.http.cookie import parse_cookie
from django.utils import timezone

from releve.control.accounts.queries import standing_sign_in
from releve.control.accounts.session_store import SessionStore

SIGN_IN = "releve_sign_in"


def session_of(cookies: str) -> tuple[int, UUID, float] | None:
    """The account, the sign-in and when that ends, of a Cookie header's session; None when it stands for nobody."""
    try:
        key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if not key:
        return None
    try:
        return _of(SessionStore(key))
    finally:
        connection.close()  # the thread may never be asked again


def _of(session: SessionStore) -> tuple[int, UUID, float] | None:
    kept = session.get(SIGN_IN)
    row = standing_sign_in(UUID(kept), timezone.now()) if kept else None
    if row is None or row.account_id is None or session.get(SESSION_KEY) != str(row.account_id):
        return None
    return row.account_id, row.id, row.expires_at.timestamp()
