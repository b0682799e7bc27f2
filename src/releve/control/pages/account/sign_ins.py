"""`/account/sign-ins/`: who is signed in to one's own account with what, and what happened to it."""

import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from releve.control.accounts.models import SignIn
from releve.control.accounts.origin import Origin
from releve.control.accounts.queries import own_events
from releve.control.accounts.sign_in import access_token as issue
from releve.control.accounts.sign_in import revoke
from releve.control.pages import access
from releve.control.pages.account import browser

LISTED_SIGN_INS = 50
LISTED_EVENTS = 50


@require_safe
def sign_ins(request: HttpRequest) -> HttpResponse:
    """One's sign-ins, those that stand first, and the security events."""
    account = access.account_of(request)
    context = {
        "section": "account",
        "sign_ins": _own(request),
        "events": own_events(account)[:LISTED_EVENTS],
    }
    return render(request, "pages/sign_ins.html", context)


@require_POST
def revoke_own(request: HttpRequest, sign_in_id: uuid.UUID) -> HttpResponse:
    """End one of one's own sign-ins; this browser's own is a sign-out."""
    account = access.account_of(request)
    row = get_object_or_404(SignIn, id=sign_in_id, account=account)
    revoke(row, "revoked by its owner", Origin.of(request), timezone.now(), by=account)
    return redirect("account_sign_ins")


@require_POST
def access_token(request: HttpRequest) -> HttpResponse:
    """A short access token of this browser's own sign-in, for a page that calls the data plane."""
    account = access.account_of(request)
    row = get_object_or_404(SignIn, id=browser.current(request) or None, account=account)
    return JsonResponse({"access": issue(row, timezone.now())})


def _own(request: HttpRequest) -> list[SignIn]:
    now = timezone.now()
    here = browser.current(request)
    rows = list(SignIn.objects.filter(account=access.account_of(request)).order_by("-started_at")[:LISTED_SIGN_INS])
    for row in rows:
        row.is_open = row.revoked_at is None and row.expires_at > now  # type: ignore[attr-defined] # for the page
        row.is_here = str(row.id) == here  # type: ignore[attr-defined] # for the page
    return sorted(rows, key=lambda row: (not row.is_here, not row.is_open))  # type: ignore[attr-defined] # stable
