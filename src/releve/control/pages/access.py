"""What an account may see and change on the pages; whatever belongs to another team does not exist for it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from releve.control.accounts.models import Account
from releve.control.fleet.models import Device
from releve.control.teams.queries import EDITORS, role_in, teams_of


def signed_in(view: Callable[Concatenate[HttpRequest, ...], HttpResponse]) -> Callable[..., HttpResponse]:
    """Send whoever is not signed in to the sign-in page, and keep the answer out of every cache."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    return guarded


def account_of(request: HttpRequest) -> Account:
    """The account that is signed in; pages stand behind `signed_in`."""
    if not isinstance(request.user, Account):
        raise Http404
    return request.user


def devices(account: Account) -> QuerySet[Device]:
    """The devices of the account's teams."""
    return Device.objects.filter(team__in=teams_of(account)).select_related("team", "owner").order_by("name")


def device_or_404(account: Account, device_id: int) -> Device:
    """One device of the account's teams."""
    return get_object_or_404(devices(account), id=device_id)


def device_to_edit(account: Account, device_id: int) -> Device:
    """One device that the account may change.

    Raises:
        PermissionDenied: It may only look at it.
    """
    device = device_or_404(account, device_id)
    if not may_edit(account, device):
        raise PermissionDenied
    return device


def may_edit(account: Account, device: Device) -> bool:
    """Editors and administrators of its team change a device."""
    return role_in(account, device.team) in EDITORS
