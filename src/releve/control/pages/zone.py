"""The time zone that the pages write and read instants in."""

import zoneinfo
from datetime import datetime

from django.conf import settings


def zone() -> zoneinfo.ZoneInfo:
    """The installation's own."""
    return zoneinfo.ZoneInfo(settings.RELEVE.time_zone)


def local(instant: datetime) -> datetime:
    """An instant on the pages' clock."""
    return instant.astimezone(zone())
