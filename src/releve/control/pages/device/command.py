"""Plain text for a car: the form of an editor, and what became of the latest commands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from releve.control.fleet import services
from releve.control.fleet.models import Device
from releve.control.pages import access
from releve.protocol import command, topic
from releve.protocol.contract import RACING
from releve.protocol.problem import Throttled
from releve.storage.queries import query

LISTED = 5
_NEWEST = 2**63 - 1


class CommandForm(forms.Form):
    """Sends plain text to a car."""

    topic = forms.CharField(
        label=gettext_lazy("Topic"),
        max_length=80,
        initial=f"{topic.RACING[0]}/ajustments",
        widget=forms.TextInput(attrs={"autocapitalize": "off", "spellcheck": "false", "autocomplete": "off"}),
    )
    text = forms.CharField(label=gettext_lazy("Text"), max_length=command.LONGEST_TEXT, strip=False)
    expires_s = forms.TypedChoiceField(
        label=gettext_lazy("Waits for the car"),
        coerce=int,
        choices=[
            (60, gettext_lazy("one minute")),
            (3600, gettext_lazy("one hour")),
            (command.DEFAULT_EXPIRES_S, gettext_lazy("one day")),
        ],
    )

    def clean_topic(self) -> str:
        """It is one that a car hears."""
        text = str(self.cleaned_data["topic"])
        if not topic.is_of_car(text):
            raise forms.ValidationError(_("It begins with esp32bis/ or esp32/ and has no + and no #."))
        return text


@dataclass(frozen=True)
class Sent:
    """One command that somebody sent."""

    topic: str
    text: str
    created: datetime
    by: str
    state: str


@require_POST
def send(request: HttpRequest, device_id: int) -> HttpResponse:
    """Put plain text into the car's queue."""
    account = access.account_of(request)
    device = access.device_to_edit(account, device_id)
    form = CommandForm(request.POST)
    if device.contract != RACING.name or not form.is_valid():
        for wrong in [each for errors in form.errors.values() for each in errors]:
            messages.error(request, str(wrong))
        return redirect("device", device_id)
    try:
        services.send_text(device, by=account, **form.cleaned_data)
    except Throttled:
        messages.error(request, _("Too many commands wait for this device already."))
    else:
        messages.success(request, _("The command is on its way. It waits while the car is not there."))
    return redirect("device", device_id)


def latest(device: Device) -> list[Sent]:
    """What was sent to a car last, newest first."""
    if device.contract != RACING.name:
        return []
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"device": device.pk, "teams": [device.team_id], "before": _NEWEST, "limit": LISTED}
        cursor.execute(query("page_commands"), asked)
        names = [column.name for column in cursor.description or ()]
        return [_sent(dict(zip(names, row, strict=True)), device) for row in cursor.fetchall()]


def _sent(row: dict[str, Any], device: Device) -> Sent:
    is_expired = row["expires"] <= timezone.now()
    state = _("delivered") if row["delivered"] else _("expired") if is_expired else _("waiting")
    where = row["topic"] or topic.commands(device.name)
    return Sent(where, str(row["body"]), row["created"], row["created_by"], state)
