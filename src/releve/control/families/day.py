"""Days by the installation's own clock."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings


def zone() -> ZoneInfo:
    """The installation's time zone."""
    return ZoneInfo(settings.RELEVE.time_zone)


def span_of(first: date, last: date) -> tuple[datetime, datetime]:
    """From the midnight before a day to the one after another; days where clocks change are longer or shorter."""
    return _midnight(first), _midnight(last + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), zone())
