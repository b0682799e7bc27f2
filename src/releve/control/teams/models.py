"""A team owns devices, assets and runs; a membership says what an account may do in it."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from releve.control.accounts.models import Account


class Role(models.TextChoices):
    """What a member may do: a viewer reads, an editor changes, an administrator also decides who may."""

    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"


class Team(models.Model):
    """The owner of everything that is owned."""

    name = models.CharField(max_length=128, unique=True)
    members: "models.ManyToManyField[Account, Membership]" = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="teams"
    )

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One account's role in one team."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role)

    class Meta:
        """What the database enforces and finds fast."""

        constraints = [models.UniqueConstraint(fields=["team", "account"], name="teams_membership_once")]

    def __str__(self) -> str:
        return f"{self.account} is {self.role} of {self.team}"
