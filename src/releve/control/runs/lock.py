"""One change at a time of a device's runs."""

from django.db import connection

LOCK = 1380273490


def lock_device(device_id: int | None) -> None:
    """Let nobody else change the device's runs until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, device_id or 0])
