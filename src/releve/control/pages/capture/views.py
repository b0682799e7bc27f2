"""`/profilometres/` and `/profilometres/<id>/`: captures as they are at this moment; the numbers are the API's."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from releve.control.pages import access
from releve.control.pages.zone import zone

LONGEST_NUMBER = 18  # digits


@require_safe
def profilometres(request: HttpRequest) -> HttpResponse:
    """Every profilometre of the account's teams."""
    return render(request, "pages/profilometres.html", {"section": "profilometres", "zone": zone()})


@require_safe
def capture(request: HttpRequest, device_id: int) -> HttpResponse:
    """One profilometre with its latest capture, or the one that is asked for."""
    device = access.device_or_404(access.account_of(request), device_id)
    wanted = request.GET.get("run", "")
    run = wanted if wanted.isascii() and wanted.isdigit() and len(wanted) <= LONGEST_NUMBER else ""
    context = {"section": "profilometres", "device": device, "run": run, "zone": zone()}
    return render(request, "pages/capture.html", context)
