"""`/devices/add/`: a device is added in the browser, and its page waits for the first reading."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from releve.control.accounts.origin import Origin
from releve.control.fleet import services
from releve.control.fleet.models import Device
from releve.control.pages import access, public_address
from releve.control.pages.device import received
from releve.control.pages.device.glance import glance
from releve.control.pages.device.snippet import broker, snippets
from releve.control.pages.device.words import in_words
from releve.control.teams.models import Team
from releve.control.teams.queries import EDITORS, teams_of
from releve.protocol.contract import GENERIC, GYM, PROFILOMETRE, RACING
from releve.protocol.site import is_loopback

KINDS = [
    (GENERIC.name, gettext_lazy("Anything that sends numbers")),
    (GYM.name, gettext_lazy("Gym machine")),
    (RACING.name, gettext_lazy("Racing car")),
    (PROFILOMETRE.name, gettext_lazy("Profilometre")),
]
_AS_TYPED = {"autocapitalize": "off", "spellcheck": "false", "autocomplete": "off"}


class NameInput(forms.TextInput):
    """A device's name, which no keyboard of a phone shall mend."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs={**_AS_TYPED, **(attrs or {})})


class ZoneField(forms.CharField):
    """The name of a time zone; a script offers those that the browser knows."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={**_AS_TYPED, "list": "zones"})
        super().__init__(max_length=64, widget=widget, **options)


class AddForm(forms.Form):
    """A new device."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=128,
        help_text=gettext_lazy("Letters, digits and @ . _ - : only. The device signs in by it."),
        widget=NameInput(attrs={"placeholder": "raspberry1", "autofocus": True}),
    )
    contract = forms.ChoiceField(label=gettext_lazy("Kind"), choices=KINDS, initial=GENERIC.name)
    team = forms.ModelChoiceField(label=gettext_lazy("Team"), queryset=Team.objects.none(), empty_label=None)
    timezone = ZoneField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Of its timestamps that name none."),
    )

    def __init__(self, *args: Any, teams: QuerySet[Team], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["team"].queryset = teams  # type: ignore[attr-defined] # a choice of rows has one
        self.fields["team"].initial = teams.first()
        if len(teams) == 1:
            self.fields["team"].widget = self.fields["team"].hidden_widget()


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("secret")
def add(request: HttpRequest) -> HttpResponse:
    """Ask for a name and a kind; answer with the secret, in this answer alone, so that no session ever holds it."""
    account = access.account_of(request)
    teams = teams_of(account, EDITORS)
    if not teams.exists():
        raise PermissionDenied
    is_sent = request.method == "POST"
    initial = {"timezone": settings.RELEVE.time_zone}
    form = AddForm(request.POST if is_sent else None, teams=teams, initial=initial)
    if is_sent and form.is_valid():
        try:
            device, secret = services.register_device(**form.cleaned_data, by=account, origin=Origin.of(request))
        except services.DeviceProblem as problem:
            form.add_error(problem.field, ValidationError(in_words(problem)))
        else:
            return _added(request, device, secret.text)
    context = {"section": "devices", "form": form}
    return render(request, "pages/device_add.html", context, status=422 if is_sent else 200)


@require_safe
def latest(request: HttpRequest, device_id: int) -> HttpResponse:
    """The device's newest reading as a part of a page; while there is none, that it waits, or what was kept aside."""
    shown = access.device_or_404(access.account_of(request), device_id)
    readings = received.last_readings(shown, limit=1)
    seen = received.devices_seen([shown.pk]).get(shown.pk)
    aside = [] if readings else received.open_quarantine(shown, limit=1)
    context = {
        "device": shown,
        "glance": glance(shown, seen=seen, readings=readings),
        "reading": readings[0] if readings else None,
        "aside": aside[0] if aside else None,
    }
    return render(request, "pages/part/latest.html", context)


@sensitive_variables()
def _added(request: HttpRequest, device: Device, secret: str) -> HttpResponse:
    origin = public_address.of(request)
    reached = broker(origin)
    context = {
        "section": "devices",
        "device": device,
        "secret": secret,
        "snippets": snippets(device, secret=secret, origin=origin),
        "is_here_only": reached is not None and not reached.is_encrypted and is_loopback(settings.RELEVE.mqtt_host),
        "help": _("Copy one of these, run it, and watch this page."),
    }
    return render(request, "pages/device_added.html", context, status=201)
