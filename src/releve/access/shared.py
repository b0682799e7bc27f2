"""Who has opened a shared link: no account, and the right to look at one thing."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from psycopg.rows import dict_row

from releve.protocol.secret import Secret
from releve.protocol.sender import Sender
from releve.protocol.shared import secret_in
from releve.storage.pool import Pool
from releve.storage.queries import query

DEVICE = "device"


class Shown(msgspec.Struct, frozen=True):
    """The one thing that a link shows.

    Attributes:
        devices: The device, if it is one.
        runs: The run, or those that are compared.
    """

    devices: Sequence[int]
    runs: Sequence[int]


class Links:
    """Finds links by what browsers show of them.

    Args:
        pool: Lends connections.
        pepper: The key of secrets' hashes.
    """

    def __init__(self, pool: Pool, pepper: bytes) -> None:
        self._pool = pool
        self._pepper = pepper

    async def opened(self, cookies: str, number: int) -> tuple[Sender, Shown] | None:
        """The link of that number, if the browser has opened it and it stands.

        Raises:
            Unavailable: That cannot be known just now.
        """
        secret = secret_in(cookies, number)
        if not secret:
            return None
        row = await self._row({"share": number, "hash": Secret(secret).hash(self._pepper)})
        if row is None:
            return None
        devices = [row["device_id"]] if row["kind"] == DEVICE else []
        return _sender(row), Shown(devices, row["runs"])

    async def _row(self, values: dict[str, Any]) -> dict[str, Any] | None:
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query("find_share"), values)
            return await cursor.fetchone()


def _sender(row: dict[str, Any]) -> Sender:
    """Somebody without a name, who sees what the team has, as far as the link shows it."""
    return Sender(
        principal=f"share:{row['id']}",
        sign_in="",
        name="",
        device_id=None,
        team_id=None,
        contract="generic",
        zone=ZoneInfo("UTC"),
        roles={row["team_id"]: "viewer"},
        is_device=False,
        expires_s=row["expires_s"],
    )
