"""Runs, what people did to them (each change can be undone), readings left out, and statistics set by hand.

A run holds the readings of one device from `started_at` up to, not including, `ended_at`. Where one device serves
several machines or races, `part` says whose readings they are: `machine_id=7` keeps those whose `machine_id` is 7.
PostgreSQL itself refuses two runs of one device and part that overlap (`storage/schema/0004_run.sql`); a run without
a part overlaps with every part.
"""

from django.conf import settings
from django.db import models
from django.utils.timezone import now


class Kind(models.TextChoices):
    """What a run is, which decides how it is cut and what people look at."""

    RACE = "race"
    SERIES = "series"
    CAPTURE = "capture"


class Run(models.Model):
    """A stretch of a device's readings; open while it has no end."""

    team = models.ForeignKey("teams.Team", models.PROTECT, related_name="runs")
    device = models.ForeignKey("fleet.Device", models.PROTECT, null=True, blank=True, related_name="runs")
    asset = models.ForeignKey("fleet.Asset", models.SET_NULL, null=True, blank=True, related_name="runs")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=200, blank=True)
    part = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    is_inferred = models.BooleanField(default=False)
    is_hand_cut = models.BooleanField(default=True)  # inference leaves the bounds alone that a person set
    rule_since = models.DateTimeField(null=True, blank=True)  # a person let it go on: its end is the rule's from then
    revision = models.BigIntegerField(default=0)  # the last change by a person that is not undone
    created_at = models.DateTimeField(default=now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What the database enforces and finds fast."""

        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("started_at")),
                name="runs_run_ends_after_start",
            )
        ]
        indexes = [
            models.Index(fields=["team", "-id"], name="runs_run_team"),
            models.Index(fields=["team", "-started_at", "-id"], name="runs_run_newest"),
            models.Index(fields=["device", "part", "started_at"], name="runs_run_device_part"),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.kind} {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it still goes on."""
        return self.ended_at is None


class Change(models.Model):
    """Something a person did to runs; what it replaced is kept, so that it can be undone."""

    team = models.ForeignKey("teams.Team", models.CASCADE, related_name="run_changes")
    kind = models.CharField(max_length=16)
    runs: "models.ManyToManyField[Run, models.Model]" = models.ManyToManyField(Run, related_name="changes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=now)
    before = models.JSONField()
    undone_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Exclusion(models.Model):
    """Readings of a device that count in no statistic: one reading, or all from `since` up to `until`."""

    device = models.ForeignKey("fleet.Device", models.CASCADE, related_name="exclusions")
    part = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField()
    reading_id = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=now, editable=False)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What the database enforces and finds fast."""

        constraints = [
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("since")), name="runs_exclusion_ends_after_start"
            )
        ]
        indexes = [
            models.Index(
                fields=["device", "since"], name="runs_exclusion_standing", condition=models.Q(undone_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.since} to {self.until}: {self.reason}"


class HandStatistic(models.Model):
    """Statistics of a run that a person set; they win over the computed ones until released."""

    run = models.OneToOneField(Run, models.CASCADE, related_name="by_hand")
    values = models.JSONField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"{', '.join(self.values)} of {self.run}"


class Inference(models.Model):
    """How far a device's readings have been cut into runs: every one received before."""

    device = models.OneToOneField("fleet.Device", models.CASCADE, primary_key=True, related_name="inference")
    followed = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.device} up to {self.followed}"
