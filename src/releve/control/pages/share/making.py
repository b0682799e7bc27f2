"""`/shares/`: the links of one's teams with their counts, and the forms that make and revoke one."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from releve.control.accounts.models import Account
from releve.control.accounts.origin import Origin
from releve.control.pages import access, public_address
from releve.control.runs.models import Run
from releve.control.runs.queries import run_for
from releve.control.shares import services
from releve.control.shares.models import Share
from releve.control.shares.queries import editable_share, shares_of
from releve.control.teams.queries import EDITORS, teams_of
from releve.protocol.shared import MOST_RUNS, path_of

LISTED = 200
LARGEST_RUN = 2**63 - 1
DAYS = (1, 7, 30, 365)
DAY_S = 86_400


@require_safe
def shares(request: HttpRequest) -> HttpResponse:
    """The links of the account's teams, the latest first."""
    return _page(request)


@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Make a link to the device or the runs that the form names, and show it in this answer alone."""
    account, origin = access.account_of(request), Origin.of(request)
    days = request.POST.get("days", "")
    life_s = (int(days) if days in map(str, DAYS) else DAYS[1]) * DAY_S
    device, runs = request.POST.get("device", ""), request.POST.getlist("run")
    try:
        if device:
            chosen = access.device_to_edit(account, _number(device))
            share, secret = services.share_device(chosen, expires_in_s=life_s, by=account, origin=origin)
        else:
            found = [_run(account, text) for text in runs[: MOST_RUNS + 1]]
            share, secret = services.share_runs(found, expires_in_s=life_s, by=account, origin=origin)
    except services.BadRuns:
        messages.error(request, _("A comparison is of 2 to 8 different runs of one team."))
        return redirect("share-list")
    except services.TooManyLinks:
        messages.error(request, _("A team has at most 1,000 links that stand; revoke some."))
        return redirect("share-list")
    return _page(request, made=share, address=public_address.of(request) + path_of(secret.text))


@require_POST
def revoke(request: HttpRequest, share_id: int) -> HttpResponse:
    """End a link."""
    account = access.account_of(request)
    with access.in_djangos_words():
        share = editable_share(account, share_id)
    services.revoke_share(share, by=account, origin=Origin.of(request))
    messages.success(request, _("The link is revoked. Whoever has it open sees nothing more within seconds."))
    return redirect("share-list")


def _page(request: HttpRequest, *, made: Share | None = None, address: str = "") -> HttpResponse:
    account = access.account_of(request)
    at = now()
    rows = list(shares_of(account)[:LISTED])
    editable = set(teams_of(account, EDITORS).values_list("pk", flat=True))
    for row in rows:
        row.is_standing = row.stands(at)  # type: ignore[attr-defined] # for the page
        row.may_edit = row.team_id in editable  # type: ignore[attr-defined] # for the page
    return render(request, "pages/shares.html", {"section": "shares", "shares": rows, "made": made, "address": address})


def _run(account: Account, text: str) -> Run:
    run = run_for(account, _number(text))
    if not access.may_change(account, run.team):
        raise PermissionDenied
    return run


def _number(text: str) -> int:
    """A number of a form that our own pages made.

    Raises:
        Http404: It is none.
    """
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > LARGEST_RUN:
        raise Http404
    return int(text)
