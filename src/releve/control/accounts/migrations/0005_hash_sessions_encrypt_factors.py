"""Carry over what earlier versions stored in clear: the keys of sessions, and the secrets of second factors."""

from typing import Any

from django.db import migrations

from releve.control.accounts import cipher
from releve.control.accounts.session_store import KEPT_LENGTH, kept


def hash_sessions(apps: Any, _: Any) -> None:
    session = apps.get_model("sessions", "Session")
    for row in session.objects.iterator():
        if len(row.session_key) < KEPT_LENGTH:
            session.objects.filter(pk=row.pk).update(
                session_key=kept(row.session_key), session_data=cipher.encrypt(row.session_data)
            )


def encrypt_factors(apps: Any, _: Any) -> None:
    factors = apps.get_model("mfa", "Authenticator").objects
    for factor in factors.filter(type__in=["totp", "recovery_codes"]).iterator():
        data = dict(factor.data)
        for name in ("secret", "seed"):
            if name in data:
                data[name] = _encrypted(data[name])
        if "migrated_codes" in data:
            data["migrated_codes"] = [_encrypted(code) for code in data["migrated_codes"]]
        factors.filter(pk=factor.pk).update(data=data)


def _encrypted(text: str) -> str:
    return cipher.encrypt(cipher.decrypt(text))


def decrypt_factors(apps: Any, _: Any) -> None:
    factors = apps.get_model("mfa", "Authenticator").objects
    for factor in factors.filter(type__in=["totp", "recovery_codes"]).iterator():
        data = {
            name: cipher.decrypt(text) if name in {"secret", "seed"} else text for name, text in factor.data.items()
        }
        if "migrated_codes" in data:
            data["migrated_codes"] = [cipher.decrypt(code) for code in data["migrated_codes"]]
        factors.filter(pk=factor.pk).update(data=data)


def forget_sessions(apps: Any, _: Any) -> None:
    """A hash cannot be turned back: on the way back everybody signs in again."""
    apps.get_model("sessions", "Session").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_more_audit_kinds"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(hash_sessions, forget_sessions),
        migrations.RunPython(encrypt_factors, decrypt_factors),
    ]
