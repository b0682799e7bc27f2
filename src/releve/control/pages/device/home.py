"""`/`: the team's devices at a glance."""

from collections import Counter

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from releve.control.fleet.queries import ending_tokens
from releve.control.pages import access, command, public_address
from releve.control.pages.device.glance import glances
from releve.control.runs.edit.deleting import deleted_of
from releve.control.teams.queries import EDITORS, teams_of

ON_PAGE = 24
ON_CARD = 6


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Every device of the account's teams, or how to send the first reading."""
    account = access.account_of(request)
    devices = access.devices(account)
    wanted = request.GET.get("q", "").strip()
    found = devices.filter(name__icontains=wanted) if wanted else devices
    page = Paginator(found, ON_PAGE).get_page(request.GET.get("page"))
    listed = glances(page.object_list, on_card=ON_CARD)
    context = {
        "section": "devices",
        "page": page,
        "glances": listed,
        "tally": Counter(str(glance.state) for glance in listed),
        "ending": ending_tokens(account),
        "now": timezone.now(),
        "wanted": wanted,
        "team_count": teams_of(account).count(),
        "deleted": deleted_of(teams_of(account, EDITORS)),
        "may_add": teams_of(account, EDITORS).exists(),
        "origin": public_address.of(request),
        "teaches": not wanted and all(glance.last_seen is None for glance in listed),
        "needs_address": command.needs_address(),
        "first_name": page.object_list[0].name if page.object_list else "raspberry1",
    }
    return render(request, "pages/home.html", context)
