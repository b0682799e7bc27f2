"""`/machines/` and `/machines/<id>/`: gym machines as they are at this moment; the numbers are the API's."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from releve.control.families.machine import machine_for
from releve.control.pages import access, public_address
from releve.control.pages.machine import qr
from releve.control.pages.zone import zone
from releve.control.teams.queries import teams_of


@require_safe
def machines(request: HttpRequest) -> HttpResponse:
    """Every machine of the account's teams."""
    account = access.account_of(request)
    context = {"section": "machines", "zone": zone(), "team_count": teams_of(account).count()}
    return render(request, "pages/machines.html", context)


@require_safe
def machine(request: HttpRequest, asset_id: int) -> HttpResponse:
    """One machine."""
    found = machine_for(access.account_of(request), asset_id)
    context = {"section": "machines", "machine": found, "zone": zone(), "address": _address(request, asset_id)}
    return render(request, "pages/machine.html", context)


@require_safe
def code(request: HttpRequest, asset_id: int) -> HttpResponse:
    """The QR code that opens a machine's page."""
    found = machine_for(access.account_of(request), asset_id)
    return HttpResponse(qr.svg(_address(request, found.pk)), content_type="image/svg+xml")


def _address(request: HttpRequest, asset_id: int) -> str:
    return public_address.of(request) + reverse("machine-page", args=[asset_id])
