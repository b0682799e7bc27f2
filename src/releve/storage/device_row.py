"""A device's row as a sender."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from releve.protocol.sender import Sender

FOR_EVER_S = float("inf")


def sender_of(row: Mapping[str, Any], *, sign_in: str = "", expires_s: float = FOR_EVER_S) -> Sender:
    """The device; one that sent its secret itself has no sign-in, and stands until it is revoked."""
    return Sender(
        principal=f"device:{row['id']}",
        sign_in=sign_in,
        name=row["name"],
        device_id=row["id"],
        team_id=row["team_id"],
        contract=row["contract"],
        zone=ZoneInfo(row["timezone"]),
        roles={},
        is_device=True,
        expires_s=expires_s,
        counts_uptime=row["counts_uptime"],
        added_us=row["added_us"],
    )
