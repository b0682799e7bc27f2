"""`/team/`: the people of one's teams and their roles; administrators add, disable and enable them."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from releve.control.accounts import services
from releve.control.accounts.models import Account
from releve.control.accounts.origin import Origin
from releve.control.pages import access
from releve.control.pages.forms import MemberForm
from releve.control.teams.models import Membership, Role, Team
from releve.control.teams.queries import ADMINISTRATORS, role_in, teams_of
from releve.control.teams.services import give_role


@dataclass(frozen=True)
class Added:
    """A person who was just added, with the password that is shown this once."""

    email: str
    password: str


@dataclass(frozen=True)
class Member:
    """One line of a team's table."""

    account: Account
    role: str
    may_be_changed: bool

    @property
    def account_id(self) -> int:
        """The account's number."""
        return self.account.pk


@dataclass(frozen=True)
class Shown:
    """One team on the page."""

    team: Team
    members: list[Member]
    may_manage: bool
    device_count: int
    form: MemberForm

    @property
    def id(self) -> int:
        """The team's number."""
        return self.team.pk

    @property
    def name(self) -> str:
        """The team's name."""
        return self.team.name


@require_safe
def team(request: HttpRequest) -> HttpResponse:
    """Every team of the account."""
    return _page(request)


@require_POST
def add(request: HttpRequest, team_id: int) -> HttpResponse:
    """Add a person; somebody new gets a password, shown in this answer alone."""
    manager = access.account_of(request)
    changed = _team_to_manage(manager, team_id)
    form = MemberForm(request.POST, prefix=f"team{team_id}")
    if not form.is_valid():
        return _page(request, wrong=(changed, form))
    email, role = form.cleaned_data["email"].lower(), form.cleaned_data["role"]
    try:
        account, password = services.add_account(
            email=email, role=role, team=changed, by=manager, origin=Origin.of(request)
        )
    except services.NameTaken:
        return _add_known(request, changed, form)
    return _page(request, added=Added(account.email, password))


@require_POST
def disable(request: HttpRequest, team_id: int, account_id: int) -> HttpResponse:
    """Refuse a member everywhere, at once."""
    manager = access.account_of(request)
    account = _member_to_change(manager, _team_to_manage(manager, team_id), account_id)
    services.disable_account(account, by=manager, origin=Origin.of(request))
    messages.warning(request, _("%(email)s is disabled and signed out everywhere.") % {"email": account.email})
    return redirect("team")


@require_POST
def enable(request: HttpRequest, team_id: int, account_id: int) -> HttpResponse:
    """Let a member sign in again."""
    manager = access.account_of(request)
    account = _member_to_change(manager, _team_to_manage(manager, team_id), account_id)
    services.enable_account(account, by=manager, origin=Origin.of(request))
    messages.success(request, _("%(email)s can sign in again.") % {"email": account.email})
    return redirect("team")


def _add_known(request: HttpRequest, changed: Team, form: MemberForm) -> HttpResponse:
    """Somebody of another team joins this one, with a new password; only whoever administers everything may do that."""
    manager = access.account_of(request)
    account = Account.objects.filter(email=form.cleaned_data["email"].lower()).first()
    is_member = account is not None and role_in_team(account, changed) is not None
    if account is None or not (is_member or manager.is_superuser) or account == manager:
        form.add_error("email", _("An account or a device signs in by that name already."))
        return _page(request, wrong=(changed, form))
    role, origin = form.cleaned_data["role"], Origin.of(request)
    if not is_member:
        password = services.add_to_team(account, team=changed, role=role, by=manager, origin=origin, now=timezone.now())
        return _page(request, added=Added(account.email, password))
    give_role(account=account, team=changed, role=role, by=manager, origin=origin)
    messages.success(request, _("%(email)s has that role now.") % {"email": account.email})
    return redirect("team")


def role_in_team(account: Account, joined: Team) -> str | None:
    """The role of the membership itself, whatever else the account may do."""
    return Membership.objects.filter(account=account, team=joined).values_list("role", flat=True).first()


def _page(
    request: HttpRequest, *, added: Added | None = None, wrong: tuple[Team, MemberForm] | None = None
) -> HttpResponse:
    account = access.account_of(request)
    teams = [_shown(account, one, wrong) for one in teams_of(account)]
    context = {"section": "team", "teams": teams, "added": added}
    return render(request, "pages/team.html", context, status=422 if wrong else 200)


def _shown(account: Account, one: Team, wrong: tuple[Team, MemberForm] | None) -> Shown:
    members = Membership.objects.filter(team=one).select_related("account").order_by("account__email")
    is_wrong = wrong is not None and wrong[0] == one
    return Shown(
        team=one,
        members=[Member(member.account, member.role, _may_change(account, member.account)) for member in members],
        may_manage=role_in(account, one) in ADMINISTRATORS,
        device_count=one.devices.count(),
        form=wrong[1] if wrong and is_wrong else MemberForm(prefix=f"team{one.pk}"),
    )


def _may_change(manager: Account, account: Account) -> bool:
    """Nobody locks out himself; a team's administrator decides only over people of no team but his own."""
    if account == manager:
        return False
    if manager.is_superuser:
        return True
    managed = teams_of(manager, ADMINISTRATORS).values("pk")
    is_elsewhere = Membership.objects.filter(account=account).exclude(team__in=managed).exists()
    return not account.is_superuser and not is_elsewhere


def _team_to_manage(manager: Account, team_id: int) -> Team:
    found = get_object_or_404(teams_of(manager), id=team_id)
    if role_in(manager, found) != Role.ADMIN:
        raise PermissionDenied
    return found


def _member_to_change(manager: Account, joined: Team, account_id: int) -> Account:
    account = get_object_or_404(Account, id=account_id, memberships__team=joined)
    if not _may_change(manager, account):
        raise PermissionDenied
    return account
