"""The devices of the teams as a list that is searched, filtered and sorted; what each card of it tells."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.paginator import Page, Paginator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from releve.control.accounts.models import Account
from releve.control.fleet import channels
from releve.control.fleet.heard import heard_of
from releve.control.fleet.models import Device
from releve.control.fleet.queries import ending_tokens
from releve.control.pages import access
from releve.control.pages.device import received, today
from releve.control.pages.device.add import KINDS
from releve.control.pages.device.glance import COURSE, Glance, glance
from releve.control.pages.device.rhythm import State
from releve.protocol.described import Description

ON_PAGE = 24
ON_CARD = 6
OFF_BY = timedelta(
    minutes=2
)  # a reading that is received so much before or after it was taken was dated by a bad clock
NAME, STATE, HEARD = "", "state", "heard"
_WORST_FIRST = [State.SILENT, State.NEVER, State.LIVE, State.DISABLED]
_LONG_AGO = datetime(1, 1, 1, tzinfo=timezone.get_fixed_timezone(0))


class FindForm(forms.Form):
    """Which devices are listed, and in what order; it is the page's address."""

    q = forms.CharField(
        label=gettext_lazy("Find a device"),
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": gettext_lazy("Find a device")}),
    )
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[
            ("", gettext_lazy("Every state")),
            (State.LIVE.value, gettext_lazy("Reporting")),
            (State.SILENT.value, gettext_lazy("Silent")),
            (State.NEVER.value, gettext_lazy("Never heard")),
            (State.DISABLED.value, gettext_lazy("Disabled")),
        ],
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), required=False, choices=[("", gettext_lazy("Every kind")), *KINDS]
    )
    sort = forms.ChoiceField(
        label=gettext_lazy("Order"),
        required=False,
        choices=[
            (NAME, gettext_lazy("By name")),
            (STATE, gettext_lazy("Silent ones first")),
            (HEARD, gettext_lazy("Last heard first")),
        ],
    )

    def wanted(self, name: str) -> str:
        """What was chosen; nothing where that is nonsense."""
        self.is_valid()
        return str(self.cleaned_data.get(name, ""))


@dataclass(frozen=True, kw_only=True)
class Card:
    """One device of the list.

    Attributes:
        glance: Its state, its latest values, their courses over the last hour.
        described: Its channels as people see them, for the script that goes on with live values.
        percent: How much of what its rhythm promises for today arrived; None while it has no rhythm.
        troubles: What is wrong and what to do.
    """

    glance: Glance
    described: dict[str, Description]
    percent: int | None
    troubles: list[str]


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """A page of the list."""

    page: "Page[Device]"
    cards: list[Card]
    tally: Counter[str]
    is_found: bool


def count(account: Account) -> int:
    """How many devices the account sees."""
    return access.devices(account).count()


def listed(account: Account, form: FindForm, page: str | None) -> Fleet:
    """A page of the account's devices as the form wants them."""
    now = timezone.now()
    devices = list(access.devices(account))
    seen = received.devices_seen(device.pk for device in devices)
    heard = heard_of({device.pk: seen[device.pk].last_seen for device in devices if device.pk in seen}, now)
    states = {device.pk: _state(device, heard) for device in devices}
    found = [device for device in devices if _is_wanted(device, states[device.pk], form)]
    order = form.wanted("sort")
    if order == STATE:
        found.sort(key=lambda device: _WORST_FIRST.index(states[device.pk]))
    elif order == HEARD:
        found.sort(key=lambda device: seen[device.pk].last_seen if device.pk in seen else _LONG_AGO, reverse=True)
    shown = Paginator(found, ON_PAGE).get_page(page)
    ending = {device: ends for device, _name, ends, _team in ending_tokens(account)}
    waiting = received.quarantined_of([device.pk for device in shown.object_list])
    cards = [
        _card(device, seen.get(device.pk), ends=ending.get(device.pk), waiting=waiting.get(device.pk, 0), now=now)
        for device in shown.object_list
    ]
    return Fleet(page=shown, cards=cards, tally=Counter(map(str, states.values())), is_found=bool(found))


def _state(device: Device, heard: dict[int, bool]) -> State:
    if not device.is_enabled:
        return State.DISABLED
    if device.pk not in heard:
        return State.NEVER
    return State.LIVE if heard[device.pk] else State.SILENT


def _is_wanted(device: Device, state: State, form: FindForm) -> bool:
    text = form.wanted("q").strip().casefold()
    return (
        (not text or text in device.name.casefold() or text in device.team.name.casefold())
        and form.wanted("state") in ("", state)
        and form.wanted("kind") in ("", device.contract)
    )


def _card(device: Device, seen: received.Seen | None, *, ends: datetime | None, waiting: int, now: datetime) -> Card:
    readings = received.last_readings(device, limit=COURSE) if seen else []
    found = glance(device, seen=seen, readings=readings, on_card=ON_CARD)
    names = [readout.channel for readout in found.shown]
    drawn = today.courses(device, names, now) if found.state is State.LIVE else {}
    found = replace(found, readouts=[replace(each, course=drawn.get(each.channel, "")) for each in found.readouts])
    share = today.completeness(device, [reading.time for reading in readings], now) if device.is_enabled else None
    return Card(
        glance=found,
        described=channels.describe(device, names),
        percent=None if share is None else int(share * 100),
        troubles=_troubles(found, readings, ends=ends, waiting=waiting, now=now),
    )


def _troubles(
    found: Glance, readings: Sequence[received.Reading], *, ends: datetime | None, waiting: int, now: datetime
) -> list[str]:
    """What is wrong and what to do, the gravest first."""
    told = []
    if found.state is State.SILENT:
        told.append(_("It sends nothing: look at its power and its network, then restart it."))
    if ends is not None:
        said = _("Its token ends soon: restart it, or have it sign in.")
        told.append(said if ends > now else _("Its token has ended: restart it, or have it sign in."))
    if waiting:
        said = ngettext(
            "%(n)s message waits in quarantine: its page says why.",
            "%(n)s messages wait in quarantine: its page says why.",
            waiting,
        )
        told.append(said % {"n": waiting})
    off = readings[0].travelled if readings else timedelta()
    if off < -OFF_BY:
        told.append(_("Its clock is ahead: its readings are dated later than they arrive."))
    return told


def formats(card: Card) -> dict[str, dict[str, Any]]:
    """How a script shows live values of the card's channels."""
    return {
        name: {"scale": each.scale, "offset": each.offset, "decimals": each.decimals}
        for name, each in card.described.items()
    }
