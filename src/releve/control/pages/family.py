"""Tells every page which families of clients the account's teams have, so that the head links to theirs only."""

from collections.abc import Callable

from django.http import HttpRequest

from releve.control.accounts.models import Account
from releve.control.fleet.models import Device
from releve.control.teams.queries import teams_of


def families(request: HttpRequest) -> dict[str, Callable[[], set[str]]]:
    """`families` for templates: the contracts of the teams' devices; none for whoever is not signed in."""

    def found() -> set[str]:
        if not isinstance(request.user, Account):
            return set()
        return set(Device.objects.filter(team__in=teams_of(request.user)).values_list("contract", flat=True).distinct())

    return {"families": found}
