"""What an editor changes of a device on its page, takes back again, deletes and brings back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from releve.control.accounts.origin import Origin
from releve.control.fleet import services
from releve.control.fleet.models import Asset, Device, DeviceChange
from releve.control.fleet.undo import changes_of, undo
from releve.control.pages import access
from releve.control.pages.device.add import KINDS, NameInput, ZoneField
from releve.control.pages.device.words import in_words
from releve.control.runs.edit.deleting import bring_back, delete_device, deleted_of, lost_with, obstacle
from releve.control.teams.queries import EDITORS, teams_of

LISTED_CHANGES = 10
NOTHING = "—"


class EditForm(forms.Form):
    """Changes a device."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=128, widget=NameInput)
    contract = forms.ChoiceField(label=gettext_lazy("Kind"), choices=KINDS)
    timezone = ZoneField(label=gettext_lazy("Time zone"))
    asset = forms.ModelChoiceField(
        label=gettext_lazy("Mounted on"),
        queryset=Asset.objects.none(),
        required=False,
        empty_label=gettext_lazy("Nothing"),
    )

    def __init__(self, data: Any = None, *, device: Device) -> None:
        first = device.mounts.order_by("since").first()
        initial = {
            "name": device.name,
            "contract": device.contract,
            "timezone": device.timezone,
            "asset": None if first is None else first.asset_id,
        }
        super().__init__(data, initial=initial, auto_id="edit_%s")
        assets = Asset.objects.filter(team=device.team_id).order_by("name")
        if assets.exists():
            self.fields["asset"].queryset = assets  # type: ignore[attr-defined] # a choice of rows has one
        else:
            del self.fields["asset"]
        if device.owner_id is not None:
            del self.fields["name"]  # a person's own device is called after its owner


@dataclass(frozen=True)
class Changed:
    """One change in the list of a device's."""

    id: int
    at: datetime
    by: str
    words: list[str]
    may_be_undone: bool


@require_POST
def edit(request: HttpRequest, device_id: int) -> HttpResponse:
    """Change what the form changed and nothing else."""
    account, origin = access.account_of(request), Origin.of(request)
    device = access.device_to_edit(account, device_id)
    form = EditForm(request.POST, device=device)
    if form.is_valid():
        given = {name: form.cleaned_data[name] for name in form.changed_data}
        is_mounted, asset = "asset" in given, given.pop("asset", None)
        try:
            if given:
                services.change_device(device, by=account, origin=origin, **given)
            if is_mounted:
                services.mount_device(device, asset=asset, by=account, origin=origin)
        except services.DeviceProblem as problem:
            form.add_error(problem.field, ValidationError(in_words(problem)))
    if form.errors:
        for name, errors in form.errors.items():
            label = form.fields[name].label if name in form.fields else ""
            messages.error(request, f"{label}: {' '.join(map(str, errors))}")
    elif form.changed_data:
        messages.success(request, _("The device is changed. Its list of changes takes it back."))
    return redirect("device", device_id)


@require_POST
def undo_change(request: HttpRequest, device_id: int, change_id: int) -> HttpResponse:
    """Put back what a change replaced."""
    account = access.account_of(request)
    device = access.device_to_edit(account, device_id)
    change = get_object_or_404(changes_of(device), pk=change_id)
    try:
        undo(change, by=account, origin=Origin.of(request))
    except services.DeviceProblem as problem:
        messages.error(request, in_words(problem))
    else:
        messages.success(request, _("The change is undone."))
    return redirect("device", device_id)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, device_id: int) -> HttpResponse:
    """Say what goes with the device, and delete it once its name was typed."""
    account = access.account_of(request)
    device = access.device_to_edit(account, device_id)
    problem = obstacle(device)
    is_sent = request.method == "POST" and problem is None
    is_right = request.POST.get("name", "").strip() == device.name
    if is_sent and is_right:
        name = device.name
        delete_device(device, by=account, origin=Origin.of(request))
        messages.warning(request, _("%(name)s is deleted. For a day it can be brought back.") % {"name": name})
        return redirect("home")
    context = {
        "section": "devices",
        "device": device,
        "lost": lost_with(device),
        "obstacle": in_words(problem) if problem else "",
        "is_wrong": is_sent,
    }
    return render(request, "pages/device_delete.html", context, status=422 if is_sent else 200)


@require_POST
def restore(request: HttpRequest, device_id: int) -> HttpResponse:
    """Bring a deleted device back."""
    account = access.account_of(request)
    teams = teams_of(account, EDITORS)
    if not teams.exists():
        raise PermissionDenied
    device = get_object_or_404(deleted_of(teams), pk=device_id)
    try:
        bring_back(device, by=account, origin=Origin.of(request))
    except services.NameTaken:
        messages.error(request, _("Another device is called %(name)s by now.") % {"name": device.deleted_name})
        return redirect("home")
    messages.success(request, _("The device is back, with all that it sent. It signs in anew with its secret."))
    return redirect("device", device_id)


def changes(device: Device) -> list[Changed]:
    """What people changed of the device lately, in words."""
    rows = list(changes_of(device)[:LISTED_CHANGES])
    assets = dict(Asset.objects.filter(team=device.team_id).values_list("pk", "name"))
    later: set[str] = set()
    listed = []
    for row in rows:
        touched = _touched(row)
        is_last = row.undone_at is None and not touched & later
        by = row.by.email if row.by else ""
        listed.append(Changed(row.pk, row.at, by, _words(row, assets), is_last))
        if row.undone_at is None:
            later |= touched
    return listed


def _touched(row: DeviceChange) -> set[str]:
    said: dict[str, dict[str, Any]] = row.after.get("channels", {})
    parts = {f"channels.{name}.{field}" for name, fields in said.items() for field in fields}
    return parts | (set(row.after) - {"channels"})


def _words(row: DeviceChange, assets: dict[int, str]) -> list[str]:
    labels = {"name": _("Name"), "contract": _("Kind"), "timezone": _("Time zone"), "assets": _("Mounted on")}
    words = [
        f"{labels.get(field, field)}: {_said(row.before[field], assets)} → {_said(after, assets)}"
        for field, after in row.after.items()
        if field != "channels"
    ]
    for name, said in row.after.get("channels", {}).items():
        before = row.before["channels"].get(name, {})
        words += [f"{name}.{field}: {_said(before.get(field), {})} → {_said(said[field], {})}" for field in said]
    return words


def _said(value: Any, assets: dict[int, str]) -> str:
    if isinstance(value, list):
        return ", ".join(assets.get(number, str(number)) for number in value) or NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return NOTHING if value is None or value == "" else str(value)
