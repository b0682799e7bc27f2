"""Reads about accounts and their sign-ins."""

import uuid
from datetime import datetime

from django.db.models import Q, QuerySet

from releve.control.accounts.models import Account, AuditEvent, SignIn
from releve.control.fleet.models import Device
from releve.control.teams.models import Role


def list_accounts() -> QuerySet[Account]:
    """Every account of the installation with its memberships, by e-mail."""
    return Account.objects.prefetch_related("memberships__team").order_by("email")


def has_accounts() -> bool:
    """Whether somebody has an account at all; whoever administers first administers everything."""
    return Account.objects.exists()


def standing_sign_in(sign_in: uuid.UUID, now: datetime) -> SignIn | None:
    """The sign-in with its principal, unless it was revoked, has ended or its principal is disabled."""
    return (
        SignIn.objects.select_related("account", "device__team")
        .filter(Q(account__is_active=True) | Q(device__is_enabled=True))
        .filter(id=sign_in, revoked_at=None, expires_at__gt=now)
        .first()
    )


def has_signed_in_from(name: str, address: str) -> bool:
    """Whether somebody of that name, a person or a device, has signed in from the address before."""
    named = Q(account__email=name.lower()) | Q(device__name=name)
    return SignIn.objects.filter(named, address=address).exists()


def own_sign_ins(account: Account, now: datetime) -> QuerySet[SignIn]:
    """A person's sign-ins that stand, the latest first."""
    return SignIn.objects.filter(account=account, revoked_at=None, expires_at__gt=now).order_by("-refreshed_at")


def status(principal: Account | Device) -> str:
    """The status that the apps of contract C show."""
    if not isinstance(principal, Account):
        return "utilisateur"
    if principal.is_superuser:
        return "super_user"
    is_admin = any(membership.role == Role.ADMIN for membership in principal.memberships.all())
    return "administrateur" if is_admin else "utilisateur"


def accounts_for(account: Account) -> QuerySet[Account] | None:
    """The accounts of the teams that this one administers (staff: belongs to); None for everybody else."""
    memberships = account.memberships.all()
    if not account.is_staff:
        memberships = memberships.filter(role=Role.ADMIN)
        if not memberships.exists():
            return None
    return list_accounts().filter(memberships__team__in=memberships.values("team")).distinct()


def own_events(account: Account) -> QuerySet[AuditEvent]:
    """What happened to a person's account, the latest first."""
    return AuditEvent.objects.filter(account=account).order_by("-id")
