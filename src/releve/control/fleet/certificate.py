"""The client certificates that a device signs in with over MQTT: which there are, accepting one, removing one.

A fingerprint that an editor accepts counts once the certificate's holder named the device by its claim code, and not
before: nobody gets another team's device by typing what everybody may see.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from releve.control.accounts import audit
from releve.control.accounts.keys import pepper
from releve.control.accounts.models import Account, AuditKind
from releve.control.accounts.origin import COMMAND_LINE, Origin
from releve.control.fleet.models import Device
from releve.control.fleet.services import DeviceProblem, PersonsOwn
from releve.protocol.claim import claim_code
from releve.protocol.instant import us_of
from releve.storage.queries import query

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class BadFingerprint(DeviceProblem):
    """A fingerprint is the certificate's SHA-256: 64 hexadecimal digits."""

    field = "fingerprint"


class TooManyCertificates(DeviceProblem):
    """The device has 32 certificates; remove one first."""

    field = "fingerprint"


class UnknownCertificate(DeviceProblem):
    """The device has no such certificate."""

    field = "fingerprint"


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """One certificate of a device.

    Attributes:
        fingerprint: Its SHA-256.
        state: `registered` signs in; `waiting` was shown by its holder and waits for an editor; `accepted` was accepted
            by an editor and waits for its holder.
        subject: Whose it says it is; empty while nobody has shown it.
        address: Where it was shown from.
        since: Since when it is in this state or waits.
        shown: When its holder last named the device.
    """

    fingerprint: str
    state: str
    subject: str
    address: str
    since: datetime
    shown: datetime | None


def code_of(device: Device) -> str:
    """What a client with a certificate says as its user name, to claim this device."""
    added_us = us_of(device.created_at)
    return claim_code(device_id=device.pk, team_id=device.team_id, added_us=added_us, pepper=pepper())


def certificates_of(device: Device) -> list[Certificate]:
    """What the device signs in with and what waits, newest first."""
    return [row for _, row in _asked(device.pk)]


def every_certificate() -> list[tuple[str | None, Certificate]]:
    """All of the installation, newest first, each with its device's name; None where its holder named none."""
    names = dict(Device.objects.values_list("pk", "name"))
    return [(names.get(device), row) for device, row in _asked(None)]


def accept_certificate(
    device: Device, *, fingerprint: str, by: Account | None = None, origin: Origin = COMMAND_LINE
) -> str:
    """Let the device sign in with a certificate, as soon as its holder has named the device; its state from now on.

    Raises:
        BadFingerprint: It is none.
        PersonsOwn: The device is a person's own.
        TooManyCertificates: The device has very many.
    """
    name = _fingerprint(fingerprint)
    if device.owner_id is not None:
        raise PersonsOwn(PersonsOwn.__doc__)
    values: dict[str, Any] = {"fingerprint": name, "device": device.pk, "by": by.email if by else ""}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(query("accept_certificate"), values)
            state = cursor.fetchone()[0]
        if state == "full":
            raise TooManyCertificates(TooManyCertificates.__doc__)
        if state != "held":
            audit.record(AuditKind.CERTIFICATE_ADDED, origin, device, by=by, detail={"fingerprint": name})
    return "accepted" if state == "accepted" else "registered"


def remove_certificate(
    device: Device, *, fingerprint: str, by: Account | None = None, origin: Origin = COMMAND_LINE
) -> None:
    """Refuse a certificate from now on; the database tells every worker, and links that stand by it end.

    Raises:
        BadFingerprint: It is none.
        UnknownCertificate: The device has no such one.
    """
    name = _fingerprint(fingerprint)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(query("remove_certificate"), {"fingerprint": name, "device": device.pk})
            was_held, was_waiting = cursor.fetchone()
        if not (was_held or was_waiting):
            raise UnknownCertificate(UnknownCertificate.__doc__)
        audit.record(AuditKind.CERTIFICATE_REMOVED, origin, device, by=by, detail={"fingerprint": name})


def _asked(device_id: int | None) -> list[tuple[int, Certificate]]:
    with connection.cursor() as cursor:
        cursor.execute(query("certificates"), {"device": device_id})
        names = [column.name for column in cursor.description or ()][1:]
        return [(row[0], Certificate(**dict(zip(names, row[1:], strict=True)))) for row in cursor.fetchall()]


def _fingerprint(text: str) -> str:
    plain = text.strip().replace(":", "").lower()
    if not _FINGERPRINT.fullmatch(plain):
        raise BadFingerprint(BadFingerprint.__doc__)
    return plain
