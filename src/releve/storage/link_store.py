"""What MQTT links read and write in the database: credentials, client ids, commands, configurations, last values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from releve.protocol.attempt import attempt_of, subscriber_of
from releve.protocol.audit import ALERTS
from releve.protocol.topic import EVERYONE, RACING
from releve.storage.pool import Pool
from releve.storage.queries import query

Row = dict[str, Any]


class Claim(msgspec.Struct, frozen=True):
    """A client id that was taken: the link of the same principal that had it, and the session it left behind."""

    old_link: UUID | None
    old_state: dict[str, Any] | None


class Ended(msgspec.Struct, frozen=True):
    """A link that is over, with the session state that outlives it."""

    link: UUID
    ended_s: float
    state: dict[str, Any] | None
    expiry_s: int


class LinkStore:
    """The statements of the MQTT endpoint; each takes one of the pool's connections for its own moment.

    Every method raises `Unavailable` when the database does not answer.
    """

    def __init__(self, pool: Pool, *, worker: UUID) -> None:
        self._pool = pool
        self._worker = worker

    async def device_named(self, name: str, *, address: str) -> Row:
        """The device's row with `is_blocked`; its columns are None when there is none of that name."""
        values = {"name": name, "attempt": attempt_of(name), "subscriber": subscriber_of(address)}
        return (await self._rows("mqtt_find_device", values))[0]

    async def device_by_id(self, device_id: int) -> Row | None:
        """The device's row."""
        return await self._row("mqtt_find_device_by_id", {"device": device_id})

    async def device_by_certificate(self, fingerprint: str) -> Row | None:
        """The row of the device that a client certificate stands for."""
        return await self._row("mqtt_find_device_by_certificate", {"fingerprint": fingerprint})

    async def show_certificate(self, fingerprint: str, *, device_id: int | None, subject: str, address: str) -> str:
        """Note that somebody connected with a certificate and named a device, or none.

        Answers 'held' or 'bound' where the device signs in with it, 'known' where it waits and was seen just before,
        else 'new'.
        """
        values = {"fingerprint": fingerprint, "device": device_id, "subject": subject, "address": address}
        row = None if device_id is None else await self._row("mqtt_show_certificate", values)
        if row is None:
            row = (await self._rows("mqtt_show_unnamed_certificate", values))[0]
        return str(row["state"])

    async def owner_of(self, name: str) -> Row | None:
        """A device's id and team, by its name."""
        return None if name == EVERYONE else await self._row("mqtt_find_owner", {"name": name})

    async def audit(self, kind: str, *, address: str, subject: Mapping[str, Any], detail: Mapping[str, str]) -> None:
        """Keep an audit event; `subject` names the account, device and team, `detail` holds nothing secret."""
        values = {"account": None, "device": None, "team": None, **subject, "kind": kind, "address": address}
        await self._execute("mqtt_audit", values | {"is_alert": kind in ALERTS, "detail": Jsonb(dict(detail))})

    async def claim(
        self, client_id: str, *, principal: str, device_id: int | None, link: UUID, address: str, is_clean: bool
    ) -> Claim:
        """Take a client id for a link; it is a name among those of its principal."""
        values = {
            "client_id": client_id, "principal": principal, "device": device_id, "link": link,
            "worker": self._worker, "address": address, "is_clean": is_clean,
        }  # fmt: skip
        return Claim(**(await self._rows("mqtt_claim", values))[0])

    async def end(self, links: Sequence[Ended]) -> None:
        """Note that links are over."""
        columns: tuple[list[Any], ...] = (
            [each.link for each in links],
            [each.ended_s for each in links],
            [None if each.state is None else Jsonb(each.state) for each in links],
            [each.expiry_s for each in links],
        )
        await self._execute("mqtt_end_links", columns)

    async def keep_state(self, link: UUID, state: dict[str, Any], *, expiry_s: int) -> None:
        """Keep a session's state while its link stands, for the case that this worker does not."""
        await self._execute("mqtt_keep_state", {"link": link, "state": Jsonb(state), "expiry_s": expiry_s})

    async def is_alive(self) -> None:
        """Tell that this worker's links stand; those of workers that do not tell are ended by background work."""
        await self._execute("mqtt_worker_alive", {"worker": self._worker})

    async def keep_values(self, rows: Iterable[tuple[int, str, str, int]]) -> None:
        """Keep the last texts of topics: device, topic, text, microseconds since 1970."""
        await self._acknowledging("mqtt_keep_values", [list(column) for column in zip(*rows, strict=True)])

    async def last_race(self, device_id: int) -> bytes | None:
        """What a car last said of its race, within a day."""
        topics = [f"{prefix}/race" for prefix in RACING]
        row = await self._row("mqtt_last_race", {"device": device_id, "topics": topics})
        return None if row is None else row["payload"].encode()

    async def waiting_commands(self, device_id: int) -> list[Row]:
        """The commands that the device has not acknowledged, in order."""
        return await self._rows("waiting_commands", {"device": device_id})

    async def commands_delivered(self, ids: list[int]) -> None:
        """The device acknowledged these commands."""
        await self._execute("mark_command_delivered", {"ids": ids})

    async def keep_answer(self, device_id: int, command_id: int, answer: str) -> None:
        """Keep what a device answered to a command of its own."""
        await self._acknowledging("keep_command_answer", {"device": device_id, "id": command_id, "answer": answer})

    async def config_of(self, device_id: int) -> Any | None:
        """The device's configuration, None when none was ever put."""
        row = await self._row("find_config", {"device": device_id})
        return None if row is None else row["body"]

    async def _acknowledging(self, name: str, values: Mapping[str, Any] | Sequence[Any]) -> None:
        """Execute what is acknowledged to a client, so that it is durable even where it changes nothing."""
        async with self._pool.acknowledging() as connection:
            await connection.execute(query(name), values)

    async def _execute(self, name: str, values: Mapping[str, Any] | Sequence[Any]) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(query(name), values)

    async def _row(self, name: str, values: Mapping[str, Any]) -> Row | None:
        rows = await self._rows(name, values)
        return rows[0] if rows else None

    async def _rows(self, name: str, values: Mapping[str, Any]) -> list[Row]:
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query(name), values)
            return await cursor.fetchall()
