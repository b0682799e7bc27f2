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
    AuditKind.ACCOUNT_PROMOTED: _("Made administrator of the whole installation"),
    AuditKind.ACCOUNT_DEMOTED: _("No longer administrator of the whole installation"),
    AuditKind.PASSWORD_SET: _("Password changed"),
    AuditKind.FACTOR_REMOVED: _("Second factor removed by an administrator"),
    AuditKind.TEAM_ADDED: _("Team added"),
    AuditKind.ROLE_GIVEN: _("Role given"),
    AuditKind.DEVICE_ADDED: _("Device added"),
    AuditKind.DEVICE_CHANGED: _("Device changed"),
    AuditKind.DEVICE_DISABLED: _("Device disabled"),
    AuditKind.DEVICE_ENABLED: _("Device enabled"),
    AuditKind.DEVICE_DELETED: _("Device deleted"),
    AuditKind.DEVICE_BROUGHT_BACK: _("Device brought back"),
    AuditKind.SECRET_REPLACED: _("Device secret replaced"),
    AuditKind.CERTIFICATE_ADDED: _("Client certificate added"),
    AuditKind.CERTIFICATE_REMOVED: _("Client certificate removed"),
    AuditKind.MQTT_REFUSED: _("Refused over MQTT: it asked for what it may not"),
    AuditKind.ASSET_CHANGED: _("Asset renamed"),
    AuditKind.ASSET_DELETED: _("Asset deleted"),
    AuditKind.RUN_CHANGED: _("Run changed"),
    AuditKind.KEEPING_CHANGED: _("How long data are kept changed"),
    AuditKind.READER_GRANTED: _("A role may read with SQL"),
    AuditKind.READER_REVOKED: _("A role may no longer read with SQL"),
    AuditKind.SHARE_MADE: _("A shared link was made"),
    AuditKind.SHARE_REVOKED: _("A shared link was revoked"),
    AuditKind.RESTORED: _("The database was restored from a backup"),
}


def in_words(kind: str) -> str:
    """An event's kind in words; its own name where it is of another version."""
    return str(_WORDS[AuditKind(kind)]) if kind in AuditKind else kind
