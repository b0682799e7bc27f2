"""What the audit keeps, in words for the account's owner."""

from django.utils.translation import gettext_lazy as _

from releve.control.accounts.models import AuditKind

_WORDS = {
    AuditKind.SIGNED_IN: _("Signed in"),
    AuditKind.SIGN_IN_FAILED: _("Sign-in failed"),
    AuditKind.LOCKED_OUT: _("Too many failed sign-ins: made to wait"),
    AuditKind.REFRESHED: _("Sign-in renewed"),
    AuditKind.REFRESH_REUSED: _("A spent token was used again: sign-in ended"),
    AuditKind.SIGNED_OUT: _("Signed out"),
    AuditKind.SIGN_IN_REVOKED: _("Sign-in ended by decision"),
    AuditKind.ACCOUNT_ADDED: _("Account added"),
    AuditKind.ACCOUNT_DISABLED: _("Account disabled"),
    AuditKind.ACCOUNT_ENABLED: _("Account enabled"),
    AuditKind.PASSWORD_SET: _("Password changed"),
    AuditKind.ROLE_GIVEN: _("Role given"),
    AuditKind.DEVICE_ADDED: _("Device added"),
    AuditKind.DEVICE_CHANGED: _("Device changed"),
    AuditKind.DEVICE_DISABLED: _("Device disabled"),
    AuditKind.DEVICE_ENABLED: _("Device enabled"),
    AuditKind.SECRET_REPLACED: _("Device secret replaced"),
    AuditKind.RUN_CHANGED: _("Run changed"),
}


def in_words(kind: str) -> str:
    """An event's kind in words; its own name where we have none yet."""
    return str(_WORDS.get(AuditKind(kind), kind)) if kind in AuditKind else kind
