"""`/team/storage/`: what a team's readings take, how long they are kept, and what another rule would delete."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from releve.control.accounts.models import Account
from releve.control.accounts.origin import Origin
from releve.control.keeping import queries, services
from releve.control.keeping.models import Rule
from releve.control.keeping.storage import Storage, storage_of
from releve.control.pages import access
from releve.control.teams.models import Team
from releve.control.teams.queries import ADMINISTRATORS, role_in, teams_of
from releve.protocol.keeping import MOST_DAYS, Days
from releve.storage.budget import SHOWN_DAYS
from releve.storage.forecast import Going

WIDTH, HEIGHT = 600, 90  # of the picture of days
DAY_WIDTH = WIDTH / SHOWN_DAYS
GAP = 3


class KeepForm(forms.Form):
    """How long a team's readings are kept."""

    raw_days = forms.IntegerField(
        label=gettext_lazy("Days that readings are kept"),
        min_value=1,
        max_value=MOST_DAYS,
        required=False,
        help_text=gettext_lazy("Empty is for ever."),
    )
    ladder_days = forms.IntegerField(
        label=gettext_lazy("Days that their sums are kept, for charts"),
        min_value=1,
        max_value=MOST_DAYS,
        required=False,
        help_text=gettext_lazy("Empty is for ever."),
    )
    archive = forms.BooleanField(
        label=gettext_lazy("Write readings to Parquet before they are deleted"), required=False
    )


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One day of the picture."""

    day: date
    bytes: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Line:
    """One device, and its part of the largest one's bytes."""

    name: str
    number: int
    readings: int
    bytes: int
    bytes_a_day: int
    width: float


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One team on the page."""

    team: Team
    bytes: int
    bytes_a_day: int
    bars: list[Bar]
    lines: list[Line]
    rules: list[Rule]
    form: KeepForm | None
    going: list[tuple[str, Going]] | None


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """What the readings of every team of the account take."""
    return _page(request)


@require_POST
def keep(request: HttpRequest, team_id: int) -> HttpResponse:
    """Say how long a team's readings are kept, or only look what that would delete."""
    account = access.account_of(request)
    team = get_object_or_404(teams_of(account), pk=team_id)
    if role_in(account, team) not in ADMINISTRATORS:
        raise PermissionDenied
    form = KeepForm(request.POST, prefix=f"keep{team.pk}")
    if not form.is_valid():
        return _page(request, team, form, status=422)
    given = form.cleaned_data
    days, is_archived = Days(given["raw_days"], given["ladder_days"]), given["archive"]
    try:
        if "look" in request.POST:
            with transaction.atomic():
                services.draft_rule(team=team, device=None, channel="", days=days, is_archived=is_archived)
                going = queries.would_go(team=team)
                transaction.set_rollback(True)
            return _page(request, team, form, going=going)
        services.set_rule(team=team, days=days, is_archived=is_archived, by=account, origin=Origin.of(request))
    except services.BadRule as error:
        form.add_error(error.field, str(error))
        return _page(request, team, form, status=422)
    messages.success(request, _("The rule counts from now on; what is too old is deleted within the hour."))
    return redirect("storage-page")


def _page(
    request: HttpRequest,
    changed: Team | None = None,
    form: KeepForm | None = None,
    *,
    going: dict[int, Going] | None = None,
    status: int = 200,
) -> HttpResponse:
    account = access.account_of(request)
    shown = [
        _shown(account, team, form if team == changed else None, going if team == changed else None)
        for team in teams_of(account)
    ]
    context = {"section": "team", "teams": [each for each, _ in shown], "disk": shown[0][1].disk if shown else None}
    return render(request, "pages/storage.html", context, status=status)


def _shown(
    account: Account, team: Team, form: KeepForm | None, going: dict[int, Going] | None
) -> tuple[Shown, Storage]:
    found = storage_of(account, team=team.pk)
    rules = list(queries.rules_of(account).filter(team=team))
    own = next((rule for rule in rules if rule.device_id is None), None)
    may_change = role_in(account, team) in ADMINISTRATORS
    most = max((each.bytes for each in found.devices), default=1)
    shown = Shown(
        team=team,
        bytes=sum(each.bytes for each in found.devices),
        bytes_a_day=sum(each.bytes_a_day for each in found.devices),
        bars=_bars(found),
        lines=[
            Line(
                name=found.names[each.device_id],
                number=each.device_id,
                readings=each.readings,
                bytes=each.bytes,
                bytes_a_day=each.bytes_a_day,
                width=round(WIDTH * each.bytes / most, 1),
            )
            for each in sorted(found.devices, key=lambda each: -each.bytes)
        ],
        rules=rules,
        form=(form or KeepForm(prefix=f"keep{team.pk}", initial=_initial(own))) if may_change else None,
        going=None if going is None else [(found.names.get(number, ""), each) for number, each in going.items()],
    )
    return shown, found


def _initial(rule: Rule | None) -> dict[str, int | bool | None]:
    if rule is None:
        return {}
    return {"raw_days": rule.raw_days, "ladder_days": rule.ladder_days, "archive": rule.is_archived}


def _bars(found: Storage) -> list[Bar]:
    """A bar for each of the last days, as high as its bytes."""
    of_day: Counter[date] = Counter()
    for each in found.days:
        of_day[each.day] += each.bytes
    most = max(of_day.values(), default=0)
    today = timezone.now().date()
    days = [today - timedelta(days=SHOWN_DAYS - 1 - place) for place in range(SHOWN_DAYS)]
    heights = [round((HEIGHT - 2) * of_day[day] / most, 1) if most else 0 for day in days]
    return [
        Bar(
            day=day,
            bytes=of_day[day],
            x=round(place * DAY_WIDTH + GAP / 2, 1),
            y=round(HEIGHT - 1 - height, 1),
            width=DAY_WIDTH - GAP,
            height=height,
        )
        for place, (day, height) in enumerate(zip(days, heights, strict=True))
    ]
