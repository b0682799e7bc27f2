"""`/`: the team's devices at a glance; of a large fleet the page comes first, and a script fetches the list."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from releve.control.accounts.models import Account
from releve.control.fleet.queries import ending_tokens
from releve.control.pages import access, command, public_address
from releve.control.pages.device import fleet
from releve.control.runs.edit.deleting import deleted_of
from releve.control.teams.queries import EDITORS, teams_of

AT_ONCE = 6  # devices whose list is quick enough to be in the page itself


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Every device of the account's teams, or how to send the first reading."""
    account = access.account_of(request)
    form = fleet.FindForm(request.GET, auto_id="find_%s")
    count = fleet.count(account)
    is_at_once = count <= AT_ONCE or "whole" in request.GET
    context = {
        "section": "devices",
        "form": form,
        "device_count": count,
        "is_at_once": is_at_once,
        "ending": ending_tokens(account),
        "now": timezone.now(),
        "deleted": deleted_of(teams_of(account, EDITORS)),
        "may_add": teams_of(account, EDITORS).exists(),
        "team_count": teams_of(account).count(),
        **(_list(request, account, form) if is_at_once else {}),
    }
    if is_at_once and not context["is_filtered"]:
        context |= _teaching(request, context["fleet"])
    return render(request, "pages/home.html", context)


@require_safe
def cards(request: HttpRequest) -> HttpResponse:
    """The list alone, as a part of the page."""
    account = access.account_of(request)
    context = _list(request, account, fleet.FindForm(request.GET))
    return render(request, "pages/part/fleet.html", {**context, "team_count": teams_of(account).count()})


def _list(request: HttpRequest, account: Account, form: fleet.FindForm) -> dict[str, object]:
    found = fleet.listed(account, form, request.GET.get("page"))
    is_filtered = any(form.wanted(name) for name in form.fields if name != "sort")
    formats = {str(card.glance.device.pk): fleet.formats(card) for card in found.cards}
    return {"fleet": found, "is_filtered": is_filtered, "formats": formats}


def _teaching(request: HttpRequest, found: object) -> dict[str, object]:
    """How to send the first reading, for whoever has none yet."""
    if not isinstance(found, fleet.Fleet) or any(card.glance.last_seen for card in found.cards):
        return {}
    first = next((card.glance.device.name for card in found.cards), "raspberry1")
    return {
        "teaches": True,
        "origin": public_address.of(request),
        "needs_address": command.needs_address(),
        "first_name": first,
    }
