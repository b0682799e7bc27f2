"""Writes audit events; nothing else does, so that no token, password or secret ever gets into one."""

from collections.abc import Mapping

import structlog

from releve.control.accounts.models import Account, AuditEvent, AuditKind
from releve.control.accounts.origin import Origin
from releve.control.fleet.models import Device
from releve.control.teams.models import Team
from releve.protocol.audit import ALERTS

_log = structlog.get_logger("releve.audit")


def record(
    kind: AuditKind,
    origin: Origin,
    subject: Account | Device | None,
    *,
    team: Team | None = None,
    by: Account | None = None,
    detail: Mapping[str, str] | None = None,
) -> AuditEvent:
    """Keep one event, and log it; suspicious ones as a warning.

    Args:
        kind: What happened.
        origin: Where the request came from.
        subject: The person or the device that it happened to, if to one at all.
        team: The team that it belongs to, by default the device's own.
        by: Who did it, where that is somebody else.
        detail: Further facts, none of them secret.
    """
    device = subject if isinstance(subject, Device) else None
    event = AuditEvent.objects.create(
        kind=kind,
        is_alert=kind in ALERTS,
        account=subject if isinstance(subject, Account) else None,
        device=device,
        team_id=team.pk if team else device.team_id if device else None,
        address=origin.address,
        user_agent=origin.user_agent,
        detail={**({"by": by.email} if by else {}), **(detail or {})},
    )
    say = _log.warning if event.is_alert else _log.info
    say(event.kind, account=event.account_id, device=event.device_id, address=event.address)
    return event
