"""Who sends or asks: a signed-in device or person, with what it may do."""

from datetime import tzinfo

import msgspec

READERS = frozenset({"admin", "editor", "viewer"})
EDITORS = frozenset({"admin", "editor"})


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """A verified principal; kept in memory until its token ends or the revocation feed drops it.

    Attributes:
        principal: `device:<id>` or `account:<id>`, as the revocation feed names it.
        sign_in: Hex of the sign-in's UUID.
        name: The device's name, or the person's e-mail address.
        device_id: Where readings go: the device itself, or the person's own device; None while that one is not made.
        team_id: The team that owns the device; None for a person without any team.
        contract: The device's contract; a person's own device takes the contract of the route it first used.
        zone: Zone of timestamps that name none.
        roles: Team id to role; empty for a device, which may read nothing.
        is_device: Whether it is a device, which may only write its own readings.
        expires_s: When its token ends, seconds since 1970.
        counts_uptime: Whether the device has ever timed readings by a counter.
        added_us: When the device was added, microseconds since 1970; 0 where it is not known.
    """

    principal: str
    sign_in: str
    name: str
    device_id: int | None
    team_id: int | None
    contract: str
    zone: tzinfo
    roles: dict[int, str]
    is_device: bool
    expires_s: float
    counts_uptime: bool = False
    added_us: int = 0

    def may_read(self, team_id: int) -> bool:
        """Whether it may see the team's readings."""
        return self.roles.get(team_id) in READERS

    def may_edit(self, team_id: int) -> bool:
        """Whether it may change the team's things, such as replay its quarantine."""
        return self.roles.get(team_id) in EDITORS
