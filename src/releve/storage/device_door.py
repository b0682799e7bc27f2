"""What devices' sign-ins read and write in the database, one statement for each step."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from releve.protocol.attempt import attempt_of, subscriber_of
from releve.protocol.audit import ALERTS, LOCKED_OUT, SIGN_IN_FAILED
from releve.storage.pool import Pool
from releve.storage.queries import query

BEARER = "a secret alone"  # whose guesses are counted where no name is given; no device name has blanks


class Knock(msgspec.Struct, frozen=True):
    """A device that wants to sign in.

    Attributes:
        sign_in: What its sign-in will be called.
        name: The device's name.
        hash: Of the secret that it gave.
        address: Where it comes from.
        agent: What its client calls itself.
    """

    sign_in: UUID
    name: str
    hash: str
    address: str
    agent: str


class Judged(msgspec.Struct, frozen=True):
    """What became of a knock: let in when there is a device and no wait."""

    sign_in: UUID
    device_id: int | None
    wait_s: int | None
    now: datetime
    expires_at: datetime


class DeviceDoor:
    """The statements; every method raises `Unavailable` when the database does not answer."""

    def __init__(self, pool: Pool, *, failures_allowed: int, failure_window_s: int) -> None:
        self._pool = pool
        self._allowed = failures_allowed
        self._window_s = failure_window_s

    async def sign_in(self, knocks: Sequence[Knock], *, life_s: int) -> dict[UUID, Judged]:
        """Let in who may come in, all in one transaction."""
        values = {
            "sign_ins": [each.sign_in for each in knocks],
            "names": [each.name for each in knocks],
            "hashes": [each.hash for each in knocks],
            "attempts": [attempt_of(each.name) for each in knocks],
            "subscribers": [subscriber_of(each.address) for each in knocks],
            "addresses": [each.address for each in knocks],
            "agents": [each.agent for each in knocks],
            "life_s": life_s,
        }
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query("sign_devices_in"), values)
            return {row[0]: Judged(*row) for row in await cursor.fetchall()}

    async def failed(
        self,
        name: str,
        *,
        address: str,
        agent: str = "",
        allowed: int | None = None,
        detail: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[bool, bool]:
        """Count a failure: whether it was one too many, and whether it is the very one that starts a wait.

        A known device's are kept in the audit, up to the one that starts a wait.
        """
        most = allowed or self._allowed
        counted = {**_attempt(name, address), "allowed": most, "window_s": self._window_s, "now": None}
        noted = {"name": name, "address": address, "agent": agent, "detail": Jsonb(dict(detail)), "alerts": [*ALERTS]}
        async with self._pool.connection() as connection, connection.transaction():
            row = await (await connection.execute(query("attempt_failed"), counted)).fetchone()
            failures = row[0] if row else 0
            if failures <= most:
                noted["kinds"] = [SIGN_IN_FAILED, LOCKED_OUT] if failures == most else [SIGN_IN_FAILED]
                await connection.execute(query("note_failed_sign_in"), noted)
        return failures > most, failures == most

    async def succeeded(self, name: str, *, address: str) -> None:
        """Forget the failures before a success."""
        async with self._pool.connection() as connection:
            await connection.execute(query("forgive_attempts"), _attempt(name, address))

    async def refresh(
        self, sign_in: UUID, *, device_id: int, generation: int, address: str, agent: str
    ) -> tuple[datetime, datetime, datetime] | None:
        """Now, when the sign-in began and when it ends; None when it does not stand."""
        values = {
            "sign_in": sign_in, "device": device_id, "generation": generation, "address": address, "agent": agent,
        }  # fmt: skip
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query("refresh_device"), values)
            return await cursor.fetchone()

    async def generation(self, sign_in: UUID, *, device_id: int) -> int | None:
        """The generation of a device's sign-in; None when it does not stand."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query("standing_device"), {"sign_in": sign_in, "device": device_id})
            row = await cursor.fetchone()
        return None if row is None else int(row[0])

    async def by_secret(self, secret_hash: str, *, name: str | None, address: str) -> list[dict[str, Any]]:
        """The devices whose secret it is, two at most; one row with `wait_s` when whoever asks must wait."""
        values = {"hash": secret_hash, "name": name, **_attempt(BEARER if name is None else name, address)}
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query("devices_by_secret"), values)
            return await cursor.fetchall()


def _attempt(name: str, address: str) -> dict[str, str]:
    """What failures are counted by."""
    return {"attempt": attempt_of(name), "subscriber": subscriber_of(address)}
