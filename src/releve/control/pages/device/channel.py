"""The channels of a device on its page: what each is called, its unit and how it is read, changed in place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from releve.control.accounts.origin import Origin
from releve.control.fleet import channels
from releve.control.fleet.models import ChannelDescription, Device
from releve.control.pages import access
from releve.control.pages.device.add import NameInput
from releve.protocol.described import ChannelKind, Description, proposed

LISTED = 100
_AS_PROPOSED = ("", gettext_lazy("As proposed"))
_KINDS = [
    _AS_PROPOSED,
    (ChannelKind.GAUGE.value, gettext_lazy("A quantity")),
    (ChannelKind.COUNTER.value, gettext_lazy("A counter")),
    (ChannelKind.STATE.value, gettext_lazy("A state")),
    (ChannelKind.TEXT.value, gettext_lazy("Text")),
]
_HIDDEN = [_AS_PROPOSED, ("False", gettext_lazy("Shown")), ("True", gettext_lazy("Hidden"))]


class ChannelForm(forms.Form):
    """What a team says of a channel; what is left empty is as the contract proposes."""

    name_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=128, required=False)
    name_fr = forms.CharField(label=gettext_lazy("Name in French"), max_length=128, required=False)
    unit = forms.CharField(label=gettext_lazy("Unit"), max_length=32, required=False, widget=NameInput)
    scale = forms.FloatField(label=gettext_lazy("Multiplied by"), required=False)
    offset = forms.FloatField(label=gettext_lazy("Then added"), required=False)
    decimals = forms.IntegerField(label=gettext_lazy("Decimals"), required=False, min_value=0, max_value=15)
    kind = forms.ChoiceField(label=gettext_lazy("Read as"), required=False, choices=_KINDS)
    is_hidden = forms.TypedChoiceField(
        label=gettext_lazy("On pages"),
        required=False,
        choices=_HIDDEN,
        coerce=lambda text: text == "True",
        empty_value=None,
    )

    def __init__(self, data: Any = None, *, said: dict[str, Any], proposal: Description, place: int = 0) -> None:
        initial = {name: str(value) if isinstance(value, bool) else value for name, value in said.items()}
        super().__init__(data, initial=initial, auto_id=f"channel{place}_%s")
        for name in ("name_en", "name_fr", "unit", "scale", "offset", "decimals"):
            usual = getattr(proposal, name)
            self.fields[name].widget.attrs["placeholder"] = "" if usual is None else str(usual)
        for name in ("scale", "offset"):
            self.fields[name].widget.attrs["step"] = "any"

    def said(self) -> dict[str, Any]:
        """What is said now; None takes back what was said."""
        return {name: None if value == "" else value for name, value in self.cleaned_data.items()}


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One channel of the list."""

    name: str
    title: str
    described: Description
    form: ChannelForm


@require_POST
def change(request: HttpRequest, device_id: int) -> HttpResponse:
    """Say something of one channel; what that replaces is kept, to be undone."""
    account = access.account_of(request)
    device = access.device_to_edit(account, device_id)
    name = request.POST.get("channel", "")
    form = ChannelForm(request.POST, said={}, proposal=proposed(device.contract, name))
    if form.is_valid():
        try:
            channels.change(device, {name: form.said()}, by=account, origin=Origin.of(request))
        except channels.BadDescription as problem:
            field = problem.field.rpartition(".")[2]
            form.add_error(field if field in form.fields else None, _in_words(field))
    for field, errors in form.errors.items():
        label = form.fields[field].label if field in form.fields else name
        messages.error(request, f"{label}: {' '.join(map(str, errors))}")
    if not form.errors:
        messages.success(request, _("The channel is changed. The list of changes takes it back."))
    return redirect("device", device_id)


def listed(device: Device) -> list[Listed]:
    """The device's channels with the forms that change them."""
    names = channels.names_of(device)[:LISTED]
    rows = ChannelDescription.objects.filter(device=device, team=device.team).values("channel", *channels.FIELDS)
    said = {row.pop("channel"): row for row in rows}
    language = get_language() or ""
    return [
        Listed(
            name=name,
            title=described.called(name, language),
            described=described,
            form=ChannelForm(said=said.get(name, {}), proposal=proposed(device.contract, name), place=place),
        )
        for place, (name, described) in enumerate(_described(device, names))
    ]


def _described(device: Device, names: Sequence[str]) -> list[tuple[str, Description]]:
    return list(channels.describe(device, names).items())


def _in_words(field: str) -> str:
    if field == "scale":
        return _("A number other than nought, up to 10¹⁵.")
    if field == "offset":
        return _("A number up to 10¹⁵.")
    return _("The device never sent such a channel.")
