"""`/racing/` and `/racing/<id>/`: vehicles in a race, as they are at this moment; the numbers are the API's."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from releve.control.families.race import vehicle_for
from releve.control.pages import access
from releve.control.pages.zone import zone


@require_safe
def vehicles(request: HttpRequest) -> HttpResponse:
    """Every vehicle of the account's teams."""
    return render(request, "pages/vehicles.html", {"section": "racing", "zone": zone()})


@require_safe
def race(request: HttpRequest, asset_id: int) -> HttpResponse:
    """The race of one vehicle."""
    vehicle = vehicle_for(access.account_of(request), asset_id)
    return render(request, "pages/race.html", {"section": "racing", "vehicle": vehicle, "zone": zone()})
