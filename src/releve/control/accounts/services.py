"""Everything that changes an account; the command line, the admin site and the API call these and nothing else."""

import secrets
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import IntegrityError, connection, transaction

from releve.control.accounts import audit
from releve.control.accounts.models import Account, AdministratorCode, AuditKind, SignIn
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.accounts.sign_in import revoke
from releve.control.teams.models import Role, Team
from releve.control.teams.services import default_team, give_role
from releve.storage import administrator_code

PASSWORD_BYTES = 15
validate_length = MaxLengthValidator(254)  # as the column


class AccountProblem(Exception):
    """The account cannot be changed so; the message says why."""


class NameTaken(AccountProblem):
    """Another account or a device signs in by that name already."""


class NotAnEmail(AccountProblem):
    """An account is named by an e-mail address of at most 254 characters."""


class UnknownAccount(AccountProblem):
    """No account has that e-mail."""


class WrongCode(AccountProblem):
    """The code is wrong, or was used already."""


def add_account(
    *,
    email: str,
    role: str,
    team: Team | None = None,
    password: str | None = None,
    by: Account | None = None,
    origin: Origin = COMMAND_LINE,
) -> tuple[Account, str]:
    """Add a person to a team, by default the installation's own; a password not given is drawn.

    Raises:
        NotAnEmail: It is not.
        NameTaken: An account or a device has the name.
        UnknownRole: Not one of admin, editor, viewer.
    """
    chosen = password or secrets.token_urlsafe(PASSWORD_BYTES)
    with transaction.atomic():
        account = _create(email, chosen)
        owner = team or default_team()
        audit.record(AuditKind.ACCOUNT_ADDED, origin, account, team=owner, by=by)
        give_role(account=account, team=owner, role=role, by=by, origin=origin)
    return account, chosen


def add_to_team(account: Account, *, team: Team, role: str, by: Account, origin: Origin, now: datetime) -> str:
    """Add a person who has an account to a further team, with a new password, which is answered.

    Whoever made the account may know its password, and may have set up factors of their own on it: a membership that
    somebody else gives must not open the new team to them. So the old password, the factors and every sign-in end.

    Raises:
        UnknownRole: Not one of admin, editor, viewer.
    """
    with transaction.atomic():
        password = set_password(account, by=by, origin=origin)
        remove_second_factors(account, now, by=by, origin=origin)
        give_role(account=account, team=team, role=role, by=by, origin=origin)
    return password


def account_by_email(email: str) -> Account:
    """Find an account.

    Raises:
        UnknownAccount: There is none.
    """
    account = Account.objects.filter(email=email.lower()).first()
    if account is None:
        raise UnknownAccount(f"no account is called {email}")
    return account


def disable_account(account: Account, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Account:
    """Refuse the account everywhere; the database revokes its sign-ins and tells every worker."""
    return _set_active(account, AuditKind.ACCOUNT_DISABLED, by=by, origin=origin)


def enable_account(account: Account, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Account:
    """Let the account sign in again; what was revoked stays revoked."""
    return _set_active(account, AuditKind.ACCOUNT_ENABLED, by=by, origin=origin)


def promote(account: Account, *, by: Account | None = None, origin: Origin = COMMAND_LINE) -> Account:
    """Let the account administer the whole installation, beside what it may do in its teams."""
    account.is_staff = account.is_superuser = True
    with transaction.atomic():
        account.save(update_fields=["is_staff", "is_superuser"])
        audit.record(AuditKind.ACCOUNT_PROMOTED, origin, account, by=by)
    return account


def remove_second_factors(
    account: Account, now: datetime, *, by: Account | None = None, origin: Origin = COMMAND_LINE
) -> int:
    """Take a person's authenticator, passkeys and recovery codes away, and end every sign-in; how many there were."""
    with transaction.atomic():
        removed, _ = Authenticator.objects.filter(user=account).delete()
        audit.record(AuditKind.FACTOR_REMOVED, origin, account, by=by, detail={"removed": str(removed)})
        sign_out_everywhere(account, now, origin)
    return int(removed)


def set_password(
    account: Account,
    password: str | None = None,
    *,
    by: Account | None = None,
    origin: Origin = COMMAND_LINE,
) -> str:
    """Give the account a new password, drawn if none is given; every earlier sign-in is revoked."""
    chosen = password or secrets.token_urlsafe(PASSWORD_BYTES)
    account.set_password(chosen)
    with transaction.atomic():
        account.save(update_fields=["password"])
        audit.record(AuditKind.PASSWORD_SET, origin, account, by=by)
    return chosen


def sign_out_everywhere(account: Account, now: datetime, origin: Origin = COMMAND_LINE) -> int:
    """Revoke every sign-in of a person; how many there were."""
    rows = SignIn.objects.filter(account=account, revoked_at=None)
    return sum(revoke(row, "signed out everywhere", origin, now) for row in rows)


def first_administrator_code() -> str | None:
    """Draw the one-time code that makes the first account, if there is none at all; an earlier code ends."""
    with connection.cursor() as cursor:
        return administrator_code.draw(cursor)


def claim_administrator(*, code: str, email: str, password: str, origin: Origin = COMMAND_LINE) -> Account:
    """Spend the one-time code for the first account, which administers everything.

    Raises:
        WrongCode: The code is wrong or spent, or there is an account already.
        NotAnEmail: It is not.
        NameTaken: A device has the name.
    """
    with transaction.atomic():
        spent, _ = AdministratorCode.objects.filter(code_hash=administrator_code.hash_of(code)).delete()
        if not spent or Account.objects.exists():
            raise WrongCode
        account = _create(email, password, is_staff=True, is_superuser=True)
        team = default_team()
        audit.record(AuditKind.ACCOUNT_ADDED, origin, account, team=team)
        give_role(account=account, team=team, role=Role.ADMIN, origin=origin)
    return account


def _create(email: str, password: str, *, is_staff: bool = False, is_superuser: bool = False) -> Account:
    try:
        validate_email(email)
        validate_length(email)
    except ValidationError as error:
        raise NotAnEmail(f"{email!r} is not an e-mail address") from error
    try:
        with transaction.atomic():
            return Account.objects.create_user(email, password, is_staff=is_staff, is_superuser=is_superuser)
    except IntegrityError as error:
        raise NameTaken(f"{email} is taken by another account or a device") from error


def _set_active(account: Account, kind: AuditKind, *, by: Account | None, origin: Origin) -> Account:
    account.is_active = kind == AuditKind.ACCOUNT_ENABLED
    with transaction.atomic():
        account.save(update_fields=["is_active"])
        audit.record(kind, origin, account, by=by)
    return account
