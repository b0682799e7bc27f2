"""What the archive commands do."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from releve.cli.option import Refusal
from releve.control.fleet.models import Device
from releve.control.fleet.services import UnknownDevice, device_by_name
from releve.protocol.keeping import DAY_US
from releve.storage import archive, restoring, retention
from releve.storage.archive import Archived, Unreadable
from releve.storage.reader import ConnectionReader, now
from releve.storage.scan import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def files(folder: Path, name: str | None, since: datetime | None, until: datetime | None) -> list[dict[str, Any]]:
    """The files that have readings of a span, of one device or of all."""
    found = []
    for called, each in _chosen(folder, name, since, until):
        try:
            readings = archive.count(each.path)
        except Unreadable as error:
            raise Refusal(str(error)) from error
        found.append(
            {
                "device": called,
                "first": _instant(each.first_us),
                "last": _instant(each.last_us),
                "readings": readings,
                "bytes": each.size,
                "file": str(each.path),
            }
        )
    return found


def restore(
    url: str, folder: Path, name: str | None, since: datetime | None, until: datetime | None, *, keep_days: int
) -> list[dict[str, Any]]:
    """Bring files back, each in a transaction of its own.

    Raises:
        Refusal: One cannot be read; those before it are back.
    """
    done = []
    with psycopg.connect(url, autocommit=True) as connection:
        reader = ConnectionReader(connection)
        kept_until_us = now(retention.present_us(reader)) + keep_days * DAY_US
        for called, each in _chosen(folder, name, since, until):
            span = Span(each.first_us, each.last_us + 1)
            try:
                with connection.transaction():
                    groups = archive.groups(each.path)
                    n = now(restoring.restore(reader, each.device_id, groups, span, kept_until_us=kept_until_us))
            except Unreadable as error:
                raise Refusal(f"{error}; nothing of it came back") from error
            done.append({"device": called, "file": str(each.path), "restored": n})
    return done


def _chosen(
    folder: Path, name: str | None, since: datetime | None, until: datetime | None
) -> Iterator[tuple[str, Archived]]:
    if not archive.is_possible():
        raise Refusal(archive.EXTRA)
    try:
        device = None if name is None else device_by_name(name).pk
    except UnknownDevice as error:
        raise Refusal(str(error)) from error
    names = dict(Device.objects.values_list("pk", "name"))
    for each in archive.files(folder, device):
        is_late_enough = since is None or _instant(each.last_us) >= since
        if is_late_enough and (until is None or _instant(each.first_us) < until):
            yield names.get(each.device_id, f"(removed device {each.device_id})"), each


def _instant(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_us)
