"""`/runs/`: the runs of one's teams, the newest first; editors open one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from releve.control.accounts.models import Account
from releve.control.accounts.origin import Origin
from releve.control.fleet.models import Asset, Device
from releve.control.pages import access
from releve.control.pages.run.change_views import refused
from releve.control.pages.run.forms import USUAL, FindForm, OpenForm
from releve.control.runs.edit import services
from releve.control.runs.listing import Place, newest
from releve.control.teams.queries import EDITORS, teams_of
from releve.protocol.problem import Problem

ON_PAGE = 50


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """Races, series and captures."""
    account = access.account_of(request)
    return _page(request, open_form(account))


@require_POST
def open_run(request: HttpRequest) -> HttpResponse:
    """Open a run of a device, now."""
    account = access.account_of(request)
    form = open_form(account, request)
    if not form.is_valid():
        access.refuse_who_only_views(account, request.POST.get("device", ""))
        return _page(request, form, status=422)
    device = form.cleaned_data["device"]
    try:
        run = services.open_run(
            team=device.team,
            device=device,
            asset=form.cleaned_data.get("asset"),
            kind=form.cleaned_data["kind"],
            name=form.cleaned_data["name"],
            started_at=timezone.now(),
            by=account,
            origin=Origin.of(request),
        )
    except Problem as problem:
        return refused(request, problem, "run-list")
    return redirect("run-page", run.pk)


def open_form(account: Account, request: HttpRequest | None = None, *, device: Device | None = None) -> OpenForm:
    """The form that opens a run, for the devices that the account may change, or for one of them."""
    teams = teams_of(account, EDITORS)
    devices = Device.objects.filter(team__in=teams).select_related("team").order_by("name")
    assets = Asset.objects.filter(team__in=teams).order_by("name")
    initial = {} if device is None else {"device": device, "kind": USUAL.get(device.contract)}
    return OpenForm(request.POST if request else None, devices=devices, assets=assets, initial=initial)


def _page(request: HttpRequest, form: OpenForm, *, status: int = 200) -> HttpResponse:
    account = access.account_of(request)
    find = FindForm(request.GET, devices=access.devices(account), auto_id="find_%s")
    after = Place.read(request.GET.get("after", ""))
    listed, following = newest(find.chosen(account), after=after, limit=ON_PAGE)
    context = {
        "section": "runs",
        "runs": listed,
        "following": following,
        "after": after,
        "find": find,
        "is_filtered": any(request.GET.get(name) for name in find.fields),
        "open_form": form,
        "may_open": form.fields["device"].queryset.exists(),  # type: ignore[attr-defined] # a choice of rows has one
        "team_count": teams_of(account).count(),
    }
    return render(request, "pages/runs.html", context, status=status)
