"""What the account commands do, through the services that the pages and the API use too."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from releve.cli.option import Refusal
from releve.cli.work.team import team_called
from releve.control.accounts import services
from releve.control.accounts.models import Account
from releve.control.accounts.queries import list_accounts
from releve.control.teams.services import UnknownRole


def add(*, email: str, role: str, team: str | None, password: str | None, wants_superuser: bool) -> dict[str, Any]:
    """Add an account; the very first administrator also administers the whole installation."""
    with _refusing(), transaction.atomic():
        is_first = role == "admin" and not Account.objects.exists()
        owner = team_called(team)
        account, chosen = services.add_account(email=email, role=role, team=owner, password=password)
        if is_first or wants_superuser:
            account.is_staff = account.is_superuser = True
            account.save(update_fields=["is_staff", "is_superuser"])
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
    """Give an account a new password; every sign-in of before ends."""
    with _refusing():
        account = services.account_by_email(email)
        return {**_row(account), "password": services.set_password(account, password)}


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
