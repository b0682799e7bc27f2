"""`/devices/<id>/messages/`: what a device sent last and what became of it, how its clock, tokens and links do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from releve.control.accounts.models import SignIn
from releve.control.fleet.models import Device
from releve.control.fleet.queries import links
from releve.control.pages import access
from releve.control.pages.device import received
from releve.control.pages.device.received import Quarantined, Reading
from releve.control.readings.newest import newest
from releve.protocol.instant import us_of

LISTED = 50
NARROW = timedelta(seconds=5)  # a clock that is off by less is right: messages travel, and wait for each other
_EPOCH = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_ZONED = re.compile(r"(?:Z|[+-]\d\d:?\d\d)\Z", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Message:
    """Something that arrived: a stored reading, or one that was kept aside.

    Attributes:
        received: When.
        text: What is kept of it: the channels as stored, or the bytes as received.
        time: The instant that it was given; None where it has none.
        sent: Its timestamp as sent, where that says something else.
        aside: Why it was kept aside; None for a stored one.
    """

    received: datetime
    text: str
    time: datetime | None = None
    sent: str | None = None
    aside: Quarantined | None = None


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How a device's clock does.

    Attributes:
        off: How much later the last readings arrived than they say that they were taken, in the median; negative for a
            clock that is ahead.
        rule: How their timestamps are read, in words.
    """

    off: timedelta
    rule: str

    @property
    def is_right(self) -> bool:
        """Whether it is about right."""
        return abs(self.off) <= NARROW

    @property
    def is_ahead(self) -> bool:
        """Whether readings say that they were taken after they arrived."""
        return self.off < -NARROW

    @property
    def by(self) -> timedelta:
        """How far off it is, whichever way."""
        return abs(self.off)


@require_safe
def messages(request: HttpRequest, device_id: int) -> HttpResponse:
    """The last messages of one device."""
    account = access.account_of(request)
    device = access.device_or_404(account, device_id)
    readings = received.last_readings(device, limit=LISTED)
    now = timezone.now()
    tokens = SignIn.objects.filter(device=device, revoked_at=None, expires_at__gt=now).order_by("-started_at")
    context = {
        "section": "devices",
        "device": device,
        "messages_shown": listed(_stored(device, readings), received.open_quarantine(device, limit=LISTED)),
        "last": readings[0].time.isoformat() if readings else "",
        "clock": clock_of(device, readings),
        "tokens": tokens[:LISTED],
        "link": links([device]).get(device.pk),
        "may_edit": access.may_edit(account, device),
    }
    return render(request, "pages/device_messages.html", context)


def listed(stored: Sequence[Message], aside: Sequence[Quarantined]) -> list[Message]:
    """Both together, the last to arrive first."""
    kept = [Message(received=each.received, text=each.start, aside=each) for each in aside]
    return sorted([*stored, *kept], key=lambda each: each.received, reverse=True)[:LISTED]


def clock_of(device: Device, readings: Sequence[Reading]) -> Clock | None:
    """How the clock does by its last readings; None where there is none."""
    if not readings:
        return None
    off = timedelta(seconds=median(each.travelled.total_seconds() for each in readings))
    return Clock(off=off, rule=_rule(device, readings[0]))


def _rule(device: Device, last: Reading) -> str:
    unit = received.counter_unit(device.pk)
    if unit is not None and last.sent is not None and _EPOCH.fullmatch(last.sent):
        return _("counts since it was switched on, in %(unit)s") % {"unit": unit or "ms"}
    if last.sent is None:
        return _("sends no timestamp: the server's time") if not last.travelled else _("instants with a zone")
    if _EPOCH.fullmatch(last.sent):
        return _("numbers since 1970")
    if _ZONED.search(last.sent):
        return _("instants with a zone")
    return _("timestamps without a zone, read in %(zone)s") % {"zone": device.timezone}


def _stored(device: Device, readings: Sequence[Reading]) -> list[Message]:
    texts = {
        (row.time_us, row.id): row.channels.decode() for row in newest(device.pk, limit=LISTED, team=device.team_id)
    }
    return [
        Message(received=each.received, text=texts.get((us_of(each.time), each.id), ""), time=each.time, sent=each.sent)
        for each in readings
    ]
