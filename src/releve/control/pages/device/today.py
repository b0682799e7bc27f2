"""What a device sent lately: each channel's course over the last hour, and how much of today arrived."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection

from releve.control.fleet.models import Device
from releve.control.pages.device import spark
from releve.control.pages.zone import local
from releve.history.series import Series
from releve.protocol.instant import us_of
from releve.protocol.run.completeness import expected, rhythm_s
from releve.storage import scan
from releve.storage.reader import ConnectionReader, each, now
from releve.storage.scan import Span

HOUR = timedelta(hours=1)
POINTS = 60  # of a small line
_RHYTHM_OF = 2  # readings are the fewest that have one


def courses(device: Device, names: Sequence[str], at: datetime) -> dict[str, str]:
    """The points of a small line for each channel, of the hour before an instant; empty where nothing changes."""
    span = Span(us_of(at - HOUR), us_of(at))
    found = Series.even(names, from_us=span.from_us, to_us=span.to_us, points=POINTS)
    reader = _reader()
    with connection.wrap_database_errors:
        for stretch in now(scan.owned(reader, device.pk, [device.team_id], span)):
            for block in each(scan.blocks(reader, device.pk, names, stretch)):
                found.add(block)
    return {name: spark.points(_values(found, name)) for name in names}


def completeness(device: Device, times: Sequence[datetime], at: datetime) -> float | None:
    """How much of what its rhythm promises for today arrived, 0 to 1; None while it has no rhythm.

    Args:
        device: Whose; from midnight of the pages' zone, or from its first reading where that came today.
        times: Of its last readings, which show the rhythm.
        at: The present.
    """
    rhythm = rhythm_s(sorted(times)) if len(times) >= _RHYTHM_OF else None
    if not rhythm:
        return None
    midnight = local(at).replace(hour=0, minute=0, second=0, microsecond=0)
    span, reader = Span(us_of(midnight), us_of(at)), _reader()
    is_new = device.created_at > midnight
    with connection.wrap_database_errors:
        received = now(scan.count(reader, device.pk, span))
        first = now(scan.extent(reader, device.pk, span)) if is_new else None
    since_us = span.from_us if first is None else first.from_us
    promised = expected(received=received, span_s=(span.to_us - since_us) / 1e6 - rhythm, rhythm_s=rhythm)
    return received / promised if promised else None


def _values(found: Series, name: str) -> list[float]:
    """The readings themselves where these are few, else the mean of each minute."""
    if not found.is_raw:
        return list(found.buckets(name).mean.tolist())
    column = found.raw(name).column
    return list((column.numbers if column.measured is None else column.numbers[column.measured]).tolist())


def _reader() -> ConnectionReader:
    connection.ensure_connection()
    return ConnectionReader(connection.connection)
