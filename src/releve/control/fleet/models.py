"""Devices that send readings, the assets that they are mounted on, and which device reported for which asset."""

import zoneinfo

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

    class Meta:
        """What the database enforces and finds fast."""

        constraints = [models.UniqueConstraint(fields=["owner", "team"], name="fleet_device_own_once")]
        indexes = [
            models.Index(fields=["secret_hash"], condition=~models.Q(secret_hash=""), name="fleet_device_secret")
        ]

    def __str__(self) -> str:
        return self.name


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
