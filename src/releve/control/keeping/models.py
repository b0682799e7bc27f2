"""For how long readings are kept; without a rule they are kept for ever."""

from django.db import models
from django.db.models import F, Q


class Rule(models.Model):
    """What a team says of all its devices, of one, or of a channel of one; the narrower rule counts."""

    team = models.ForeignKey("teams.Team", models.CASCADE, related_name="keeping_rules")
    device = models.ForeignKey("fleet.Device", models.CASCADE, null=True, blank=True, related_name="keeping_rules")
    channel = models.TextField(blank=True, default="")
    raw_days = models.IntegerField(null=True, blank=True)
    ladder_days = models.IntegerField(null=True, blank=True)
    is_archived = models.BooleanField(default=False)

    class Meta:
        """What the database enforces."""

        constraints = [
            models.UniqueConstraint(
                fields=["team", "device", "channel"], name="keeping_rule_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(raw_days__isnull=True) | Q(raw_days__gte=1), name="keeping_rule_a_day_at_least"
            ),
            models.CheckConstraint(
                condition=Q(ladder_days__isnull=True) | Q(raw_days__isnull=False, ladder_days__gte=F("raw_days")),
                name="keeping_rule_ladders_outlive",
            ),
            models.CheckConstraint(
                condition=Q(channel="") | Q(device__isnull=False), name="keeping_rule_of_a_channel_names_a_device"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team}: {self.device or 'every device'} {self.channel}".strip()
