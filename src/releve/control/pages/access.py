"""What an account may see and change on the pages; whatever belongs to another team does not exist for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, Concatenate
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import Resolver404, resolve, reverse
from rest_framework.exceptions import PermissionDenied as Refused

from releve.control.accounts.models import Account
from releve.control.fleet.models import Device
from releve.control.runs.api import precondition
from releve.control.runs.models import Run
from releve.control.teams.models import Team
from releve.control.teams.queries import EDITORS, role_in, teams_of

NOT_ALLOWED = 405


def signed_in(view: Callable[Concatenate[HttpRequest, ...], HttpResponse]) -> Callable[..., HttpResponse]:
    """Send whoever is not signed in to the sign-in page, and keep the answer out of every cache."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(_way_back(request))
        response = view(request, *args, **kwargs)
        if response.status_code == NOT_ALLOWED and request.method in ("GET", "HEAD"):
            return redirect(_page_above(request.path))
        response.headers["Cache-Control"] = "private, no-store"
        return response

    return guarded


def _page_above(path: str) -> str:
    """The page that a form's address belongs to.

    Whoever reloads what a form answered, or reads it in another language, asks for an address that takes forms only.
    """
    above = path.rstrip("/")
    while above := above.rpartition("/")[0]:
        with suppress(Resolver404):
            resolve(f"{above}/")
            return f"{above}/"
    return reverse("home")


def _way_back(request: HttpRequest) -> str:
    """Where signing in leads: to the page that was asked for, or to the one whose form was sent too late.

    What a form sent is not sent again, and most of their addresses are no pages.
    """
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # no address at all
        return reverse("home")
    if page.netloc != request.get_host():
        return reverse("home")
    return page._replace(scheme="", netloc="", fragment="").geturl()


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
    return may_change(account, device.team)


def may_change(account: Account, team: Team) -> bool:
    """Editors and administrators change what a team owns."""
    return role_in(account, team) in EDITORS


def refuse_who_only_views(account: Account, device_id: str) -> None:
    """Tell a viewer, and a stranger, from an editor who filled in a form badly.

    Raises:
        Http404: There is no such device, or it is another team's.
        PermissionDenied: The account may only look at it.
    """
    if device_id.isascii() and device_id.isdigit() and int(device_id) < 2**31:
        device_to_edit(account, int(device_id))
    elif not teams_of(account, EDITORS).exists():
        raise PermissionDenied


@contextmanager
def run_as_seen(account: Account, run_id: int, state: str | None) -> Iterator[Run]:
    """A run that the account may change, as long as it is still as the page showed it.

    Raises:
        Http404: There is none, or it is another team's.
        PermissionDenied: The account may only look at it.
        PreconditionFailed: It was changed meanwhile.
    """
    with in_djangos_words(), precondition.seen(account, run_id, state) as run:
        yield run


@contextmanager
def in_djangos_words() -> Iterator[None]:
    """The services refuse in the words of the API's framework; pages answer Django's.

    Raises:
        PermissionDenied: It was refused.
    """
    try:
        yield
    except Refused as error:
        raise PermissionDenied from error
