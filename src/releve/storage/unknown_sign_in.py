"""Says in the log, once each, whose tokens are sound and yet of no sign-in that the database knows.

After a backup was restored these are the ones of the future that was lost with the database: whoever signed in after
the backup signs in again. Without a restoration it is somebody who was deleted, or somebody who has the signing key.
"""

from uuid import UUID

import structlog

REMEMBERED = 1_000
_log = structlog.get_logger("releve.audit")


class UnknownSignIns:
    """Remembers which were said, as many as fit."""

    def __init__(self) -> None:
        self._said: dict[UUID, None] = {}

    def refused(self, principal: str, sign_in: UUID) -> None:
        """Note a token of `device:<id>` or `account:<id>` that was refused."""
        if sign_in in self._said:
            return
        if len(self._said) >= REMEMBERED:
            self._said.pop(next(iter(self._said)))
        self._said[sign_in] = None
        _log.warning(
            "refused: a sound token of an unknown sign-in, made after the backup that was restored, or deleted since",
            principal=principal,
            sign_in=str(sign_in),
        )
