"""`/devices/<id>/`: what a device sent, what could not be stored, who signs in as it, and its switches."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from releve.control.accounts.models import Account, SignIn
from releve.control.accounts.origin import Origin
from releve.control.accounts.sign_in import revoke
from releve.control.fleet import channels, services
from releve.control.fleet.channel_views import channel_shown
from releve.control.fleet.models import Device
from releve.control.pages import access
from releve.control.pages.device import certificate, channel, command, edit, received
from releve.control.pages.device.glance import glance
from releve.control.pages.device.received import Reading
from releve.control.pages.run.list_views import open_form
from releve.control.pages.templatetags.instrument import value
from releve.control.pages.zone import zone
from releve.control.runs import queries as runs
from releve.control.runs.edit.moving import is_movable, move_device
from releve.control.runs.listing import newest
from releve.control.runs.owner import owners_of
from releve.control.teams.models import Team
from releve.control.teams.queries import EDITORS, teams_of
from releve.protocol.contract import RACING
from releve.protocol.described import Description

LISTED_READINGS = 50
LISTED_QUARANTINE = 50
LISTED_SIGN_INS = 20
LISTED_RUNS = 5


@dataclass(frozen=True)
class Column:
    """One channel of the table of readings."""

    name: str
    described: Description

    @property
    def title(self) -> str:
        """What it is called."""
        return self.described.called(self.name, get_language() or "")

    @property
    def unit(self) -> str:
        """Its unit, as the device's team or the contract says."""
        return self.described.unit


@dataclass(frozen=True)
class Row:
    """One reading of the table, its values in the columns' order."""

    reading: Reading
    cells: list[str]


@require_safe
def device(request: HttpRequest, device_id: int) -> HttpResponse:
    """The page of one device."""
    account = access.account_of(request)
    shown = access.device_or_404(account, device_id)
    return render(request, "pages/device.html", _context(request, shown))


@require_POST
def disable(request: HttpRequest, device_id: int) -> HttpResponse:
    """Refuse the device at once."""
    account = access.account_of(request)
    services.disable_device(access.device_to_edit(account, device_id), by=account, origin=Origin.of(request))
    messages.warning(request, _("The device is disabled, and its sign-ins have ended."))
    return redirect("device", device_id)


@require_POST
def enable(request: HttpRequest, device_id: int) -> HttpResponse:
    """Let the device sign in again."""
    account = access.account_of(request)
    services.enable_device(access.device_to_edit(account, device_id), by=account, origin=Origin.of(request))
    messages.success(request, _("The device is enabled. It signs in anew with its secret."))
    return redirect("device", device_id)


@require_POST
def new_secret(request: HttpRequest, device_id: int) -> HttpResponse:
    """Replace the secret and show the new one in this answer alone, so that no session ever holds it."""
    account = access.account_of(request)
    changed = access.device_to_edit(account, device_id)
    if changed.owner_id is not None:
        raise Http404  # a person's own device signs in as the person
    secret = services.new_secret(changed, by=account, origin=Origin.of(request))
    return render(request, "pages/device.html", {**_context(request, changed), "secret": secret.text})


@require_POST
def move(request: HttpRequest, device_id: int) -> HttpResponse:
    """Give the device to another team that the account edits."""
    account = access.account_of(request)
    changed = access.device_to_edit(account, device_id)
    wanted = request.POST.get("team", "")
    team = get_object_or_404(_other_teams(account, changed), pk=wanted if wanted.isascii() and wanted.isdigit() else 0)
    before = changed.team.name
    move_device(changed, team=team, by=account, origin=Origin.of(request))
    said = _("The device belongs to %(team)s now; %(before)s keeps what it sent before.")
    messages.success(request, said % {"team": team.name, "before": before})
    return redirect("device", device_id)


@require_POST
def revoke_sign_in(request: HttpRequest, device_id: int, sign_in_id: uuid.UUID) -> HttpResponse:
    """End one sign-in of the device."""
    account = access.account_of(request)
    changed = access.device_to_edit(account, device_id)
    row = get_object_or_404(SignIn, id=sign_in_id, device=changed)
    revoke(row, "revoked by an editor", Origin.of(request), timezone.now(), by=account)
    messages.success(request, _("The sign-in has ended."))
    return redirect("device", device_id)


def _context(request: HttpRequest, shown: Device) -> dict[str, object]:
    before = _place(request.GET.get("before", ""))
    readings = _readings(shown, before)
    listed = readings[:LISTED_READINGS]
    columns = _columns(shown, listed)
    account = access.account_of(request)
    may_edit = access.may_edit(account, shown)
    return {
        "section": "devices",
        "device": shown,
        "glance": glance(shown, seen=received.devices_seen([shown.id]).get(shown.id), readings=listed),
        "before": before,
        "chart_channels": _chart_channels(shown),
        "readings": listed,
        "columns": columns,
        "rows": [Row(reading, _cells(reading, columns)) for reading in listed],
        "older": _written(listed[-1]) if len(readings) > LISTED_READINGS else "",
        "quarantined": received.open_quarantine(shown, limit=LISTED_QUARANTINE),
        "counter": received.counter_unit(shown.id),
        "strange": received.strange_texts(shown, limit=LISTED_QUARANTINE),
        "mounts": shown.mounts.select_related("asset").order_by("since"),
        "sign_ins": sign_ins(shown),
        "zone": zone().key,
        "runs": newest(runs.runs_of(account).filter(device=shown), after=None, limit=LISTED_RUNS)[0],
        "open_form": open_form(account, device=shown) if may_edit else None,
        "may_edit": may_edit,
        "other_teams": _other_teams(account, shown) if may_edit else None,
        "is_car": shown.contract == RACING.name,
        "commands": command.latest(shown),
        "command_form": command.CommandForm(auto_id="command_%s") if may_edit else None,
        **(certificate.context(shown) if may_edit else {}),
        **(_editing(shown) if may_edit else {}),
    }


def _editing(shown: Device) -> dict[str, object]:
    return {
        "edit_form": edit.EditForm(device=shown),
        "device_changes": edit.changes(shown),
        "channels": channel.listed(shown),
    }


def _other_teams(account: Account, shown: Device) -> QuerySet[Team]:
    """Where the account may move the device to."""
    teams = teams_of(account, EDITORS).exclude(pk=shown.team_id)
    return teams if is_movable(shown) else teams.none()


def sign_ins(shown: Device) -> list[SignIn]:
    """The device's latest sign-ins, each with whether it still stands."""
    now = timezone.now()
    since = owners_of(shown)[-1].since  # where it signed in from before is the business of the team that had it
    of_now = Q(started_at__gte=since) | Q(revoked_at=None, expires_at__gt=now)
    rows = list(SignIn.objects.filter(of_now, device=shown).order_by("-started_at")[:LISTED_SIGN_INS])
    for row in rows:
        row.is_open = row.revoked_at is None and row.expires_at > now  # type: ignore[attr-defined] # for the page
    return rows


def _readings(shown: Device, before: tuple[datetime, int] | None) -> list[Reading]:
    one_more = LISTED_READINGS + 1  # tells whether there are earlier ones
    return received.last_readings(shown, limit=one_more, before=before)


def _columns(shown: Device, readings: Sequence[Reading]) -> list[Column]:
    names = sorted({name for reading in readings for name in reading.channels})
    return [Column(name, each) for name, each in channels.describe(shown, names).items() if not each.is_hidden]


def _chart_channels(shown: Device) -> str:
    described = channels.describe(shown, channels.names_of(shown))
    return json.dumps([channel_shown(name, each) for name, each in described.items() if not each.is_hidden])


def _cells(reading: Reading, columns: Sequence[Column]) -> list[str]:
    return [
        value(column.described.shown(reading.channels[name])) if (name := column.name) in reading.channels else ""
        for column in columns
    ]


def _written(reading: Reading) -> str:
    return f"{reading.time:%Y-%m-%dT%H:%M:%S.%fZ}~{reading.id}"


def _place(text: str) -> tuple[datetime, int] | None:
    """The place in a device's order that a link names; anything else is the newest."""
    time_text, _, id_text = text.partition("~")
    try:
        time = parse_datetime(time_text)
        place = int(id_text)
    except ValueError:
        return None
    return (time, place) if time is not None and time.tzinfo is not None and -(2**63) <= place < 2**63 else None
