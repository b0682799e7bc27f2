"""Who may call a route at all; what exactly is theirs is decided by the query that finds it."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from releve.control.accounts.models import Account


class IsSignedIn(BasePermission):
    """A person or a device."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002 - the framework's signature
        """Whether somebody is signed in."""
        return bool(request.user and request.user.is_authenticated)


class IsPerson(BasePermission):
    """A person: a device's token writes its own readings and reads its own profile, nothing else."""

    message = "A device's sign-in may not do that."

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002 - the framework's signature
        """Whether a person is signed in."""
        return isinstance(request.user, Account) and request.user.is_active
