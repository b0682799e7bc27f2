"""A browser's session is a sign-in like any other: one row, listed, revocable, in the audit."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.account.signals import password_changed, password_reset
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from releve.control.accounts import audit, sign_in
from releve.control.accounts.models import Account, AuditKind, SignIn
from releve.control.accounts.origin import Origin

KEY = "releve_sign_in"
NOTED_EVERY = timedelta(minutes=5)  # a write for each page view would be a write too many


def connect() -> None:
    """Follow what Django and allauth do with sessions and passwords."""
    user_logged_in.connect(_begin, dispatch_uid="releve.pages.begin")
    user_logged_out.connect(_end, dispatch_uid="releve.pages.end")
    password_changed.connect(_continue, dispatch_uid="releve.pages.continue")
    password_reset.connect(_note_reset, dispatch_uid="releve.pages.reset")


class BrowserSignIn:
    """Ends a session whose sign-in was revoked, wherever that happened."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, as nobody if the sign-in does not stand."""
        if KEY in request.session and not _stands(request):
            logout(request)
        return self.get_response(request)


def current(request: HttpRequest) -> str:
    """The sign-in that this browser's session belongs to, empty when there is none."""
    return str(request.session.get(KEY, ""))


def _begin(request: HttpRequest, user: Any, **_: Any) -> None:
    if isinstance(user, Account):
        request.session[KEY] = str(sign_in.start(user, Origin.of(request), timezone.now()).id)


def _end(request: HttpRequest, user: Any, **_: Any) -> None:
    here = current(request)
    row = SignIn.objects.filter(id=here, account=user).first() if here and user else None
    if row is not None:
        sign_in.revoke(row, "signed out", Origin.of(request), timezone.now())


def _continue(request: HttpRequest, user: Any, **_: Any) -> None:
    """A new password has revoked every sign-in; the browser that set it goes on with a new one."""
    audit.record(AuditKind.PASSWORD_SET, Origin.of(request), user)
    if request.user.is_authenticated:
        _begin(request, user)


def _note_reset(request: HttpRequest, user: Any, **_: Any) -> None:
    audit.record(AuditKind.PASSWORD_SET, Origin.of(request), user)


def _stands(request: HttpRequest) -> bool:
    now = timezone.now()
    standing = SignIn.objects.filter(id=request.session[KEY], revoked_at=None, expires_at__gt=now)
    last_used = standing.values_list("refreshed_at", flat=True).first()
    if last_used is not None and now - last_used > NOTED_EVERY:
        standing.update(refreshed_at=now)
    return last_used is not None
