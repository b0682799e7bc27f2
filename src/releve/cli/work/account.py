"""What the account commands do, through the services that the pages and the API use too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.timezone import now

from releve.cli.option import Refusal
from releve.cli.work.team import team_called
from releve.control.accounts import services, sign_in
from releve.control.accounts.models import Account
from releve.control.accounts.origin import COMMAND_LINE
from releve.control.accounts.queries import has_accounts, list_accounts
from releve.control.teams.queries import EDITORS, teams_of
from releve.control.teams.services import UnknownRole, default_team


def add(*, email: str, role: str, team: str | None, password: str | None, wants_superuser: bool) -> dict[str, Any]:
    """Add an account; the very first administrator also administers the whole installation."""
    with _refusing(), transaction.atomic():
        is_first = role == "admin" and not has_accounts()
        owner = team_called(team)
        account, chosen = services.add_account(email=email, role=role, team=owner, password=password)
        if is_first or wants_superuser:
            account = services.promote(account)
    return {**_row(account), "role": role, "team": owner.name, "password": chosen}


def rows() -> list[dict[str, Any]]:
    """Every account, by e-mail."""
    return [_row(account) for account in list_accounts()]


def disable(email: str) -> dict[str, Any]:
    """Refuse an account everywhere, at once."""
    with _refusing():
        return _row(services.disable_account(services.account_by_email(email)))


def enable(email: str) -> dict[str, Any]:
    """Let an account sign in again."""
    with _refusing():
        return _row(services.enable_account(services.account_by_email(email)))


def set_password(email: str, password: str | None) -> dict[str, Any]:
    """Give an account a new password; every earlier sign-in ends."""
    with _refusing():
        account = services.account_by_email(email)
        return {**_row(account), "password": services.set_password(account, password)}


@contextmanager
def signed_in(email: str | None) -> Iterator[Callable[[], str]]:
    """A person's access token, a fresh one at each call, until the sign-in is ended.

    Without an e-mail it is the first who may edit the default team; what they make belongs to that team.
    """
    row = sign_in.start(_editor(email), COMMAND_LINE, now())
    try:
        yield lambda: sign_in.access_token(row, now())
    finally:
        sign_in.revoke(row, sign_in.SIGNED_OUT, COMMAND_LINE, now())


def _editor(email: str | None) -> Account:
    accounts = Account.objects.filter(is_active=True).order_by("id")
    home = default_team()
    for account in accounts if email is None else accounts.filter(email=email.lower()):
        if teams_of(account, EDITORS).order_by("id").first() == home:
            return account
    raise Refusal(
        f"nobody may add vehicles to the team {home} yet: add somebody with `releve account add you@example.com --role"
        " editor`, or use --transport mqtt, which needs nobody"
        if email is None
        else f"{email} may not add vehicles to the team {home}"
    )


def reset_mfa(email: str) -> dict[str, Any]:
    """Take an account's second factors away; every earlier sign-in ends."""
    with _refusing():
        account = services.account_by_email(email)
        return {**_row(account), "removed": services.remove_second_factors(account, now())}


def weakness_of(password: str) -> str | None:
    """Why a page would not take this password; whoever runs the command line may."""
    try:
        validate_password(password)
    except ValidationError as error:
        return " ".join(error.messages)
    return None


def _row(account: Account) -> dict[str, Any]:
    return {
        "id": account.pk,
        "email": account.email,
        "is_active": account.is_active,
        "is_superuser": account.is_superuser,
        "date_joined": account.date_joined.isoformat(),
        "teams": [{"team": item.team.name, "role": item.role} for item in account.memberships.select_related("team")],
    }


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (services.AccountProblem, UnknownRole) as error:
        raise Refusal(str(error)) from error
