"""Links that let whoever holds one look at one thing; the link itself is kept only as a keyed hash."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.timezone import now


class Kind(models.TextChoices):
    """What a link shows."""

    DEVICE = "device"
    RUN = "run"
    COMPARISON = "comparison"


class Share(models.Model):
    """A read-only link: expiring, revocable, counted."""

    team = models.ForeignKey("teams.Team", models.CASCADE, related_name="shares")
    kind = models.CharField(max_length=16, choices=Kind)
    device = models.ForeignKey("fleet.Device", models.CASCADE, null=True, blank=True, related_name="shares")
    runs = models.JSONField(default=list, blank=True)  # their numbers, in the order in which they are compared
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=now, db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    opened = models.IntegerField(default=0)
    last_opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What the database finds fast."""

        indexes = [models.Index(fields=["team", "-id"], name="shares_share_team")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    def stands(self, at: datetime) -> bool:
        """Whether it opens anything at that instant."""
        return self.revoked_at is None and at < self.expires_at
