"""Devices that send readings, the assets that they are mounted on, and which device reported for which asset."""

import zoneinfo
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.timezone import now

from releve.protocol.contract import CONTRACTS, GENERIC
from releve.protocol.described import ChannelKind

DEVICE_NAME = r"^[A-Za-z0-9@._:-]{1,128}\Z"


def validate_zone(name: str) -> None:
    """Refuse a time zone that the system does not know."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError(f"There is no time zone called {name!r}.") from error


def contracts() -> list[tuple[str, str]]:
    """The wire formats that a device may speak, with what people call them; a new one needs no migration."""
    return [(name, name.title()) for name in CONTRACTS]


class DeviceManager(models.Manager["Device"]):
    """The devices that there are: one that was deleted is none, though its row waits for its readings to be gone."""

    def get_queryset(self) -> models.QuerySet["Device"]:
        """Without the deleted ones."""
        return super().get_queryset().filter(deleted_at=None)


class Device(models.Model):
    """Something that sends readings; it signs in by its name and a secret of which only a hash is kept."""

    id = models.AutoField(primary_key=True)  # an integer for ever: the distribution key of the readings
    team = models.ForeignKey("teams.Team", models.PROTECT, related_name="devices")
    name = models.CharField(
        max_length=128,
        unique=True,
        validators=[RegexValidator(DEVICE_NAME, "Letters, digits and @ . _ - : only, at most 128 of them.")],
    )
    contract = models.CharField(max_length=16, choices=contracts, default=GENERIC.name)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="own_devices"
    )
    secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now, db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_name = models.CharField(max_length=128, blank=True, default="", db_default="", editable=False)

    objects: ClassVar[DeviceManager] = DeviceManager()
    with_deleted: ClassVar[models.Manager["Device"]] = models.Manager()

    class Meta:
        """What the database enforces and finds fast."""

        constraints = [models.UniqueConstraint(fields=["owner", "team"], name="fleet_device_own_once")]
        indexes = [
            models.Index(fields=["secret_hash"], condition=~models.Q(secret_hash=""), name="fleet_device_secret"),
            models.Index(fields=["deleted_at"], condition=~models.Q(deleted_at=None), name="fleet_device_deleted"),
        ]

    def __str__(self) -> str:
        return self.name


class DeviceChange(models.Model):
    """Something that a person changed of a device or its channels; what it replaced is kept, so that it can be undone.

    `before` and `after` hold the same members: what changed and nothing else. That of `channels` holds, by channel,
    what was said of it.
    """

    team = models.ForeignKey("teams.Team", models.CASCADE, related_name="device_changes")
    device = models.ForeignKey(Device, models.CASCADE, related_name="changes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=now)
    before = models.JSONField()
    after = models.JSONField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What the database enforces and finds fast."""

        indexes = [models.Index(fields=["device", "team", "-id"], name="fleet_change_newest")]

    def __str__(self) -> str:
        return f"{', '.join(self.after)} of {self.device}"


class ChannelDescription(models.Model):
    """What a team says of a device's channel, which is its own business; what is null is as the contract proposes."""

    team = models.ForeignKey("teams.Team", models.CASCADE, related_name="channel_descriptions")
    device = models.ForeignKey(Device, models.CASCADE, related_name="channel_descriptions")
    channel = models.TextField()
    name_en = models.CharField(max_length=128, null=True)  # noqa: DJ001 - an empty name is another thing than none said
    name_fr = models.CharField(max_length=128, null=True)  # noqa: DJ001 - as above
    unit = models.CharField(max_length=32, null=True)  # noqa: DJ001 - as above
    scale = models.FloatField(null=True)
    offset = models.FloatField(null=True)
    kind = models.CharField(max_length=16, null=True, choices=[(each.value, each.value) for each in ChannelKind])  # noqa: DJ001 - as above
    decimals = models.SmallIntegerField(null=True)
    is_hidden = models.BooleanField(null=True)

    class Meta:
        """What the database enforces and finds fast."""

        constraints = [
            models.UniqueConstraint(fields=["device", "team", "channel"], name="fleet_channel_described_once")
        ]

    def __str__(self) -> str:
        return self.channel


class Asset(models.Model):
    """What devices are mounted on: a machine, a vehicle, a profilometre."""

    team = models.ForeignKey("teams.Team", models.PROTECT, related_name="assets")
    kind = models.CharField(max_length=32)
    key = models.TextField(null=True, blank=True)  # noqa: DJ001 - an asset without a key is not the asset with an empty one
    name = models.CharField(max_length=128)
    reference = models.ForeignKey("runs.Run", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        """What the database enforces and finds fast."""

        constraints = [models.UniqueConstraint(fields=["team", "kind", "key"], name="fleet_asset_key_once")]

    def __str__(self) -> str:
        return self.name


class Mount(models.Model):
    """A device has reported for an asset."""

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="mounts")
    device = models.ForeignKey(Device, models.CASCADE, related_name="mounts")
    since = models.DateTimeField(default=now, db_default=Now())

    class Meta:
        """What the database enforces and finds fast."""

        constraints = [models.UniqueConstraint(fields=["asset", "device"], name="fleet_mount_once")]

    def __str__(self) -> str:
        return f"{self.device} on {self.asset}"
